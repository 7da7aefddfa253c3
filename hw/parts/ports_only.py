"""Components that are made for their ports and never elaborated."""

from typing import TypeVar

from amaranth.lib import wiring

Component = TypeVar("Component", bound=wiring.Component)


def ports_only(component: Component) -> Component:
    """The component. Once anything was elaborated, Amaranth takes one that was not, and each that it holds,
    for a mistake, and warns; of these it does not."""
    component._MustUse__silence = True
    for part in vars(component).values():
        if isinstance(part, wiring.Component):
            ports_only(part)
    return component
