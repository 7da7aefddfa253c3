"""A component that notes what ever happened inside it: states, resets in them, and how streams went."""

from collections.abc import Iterator, Mapping
from typing import Any

from amaranth.hdl import Const, Fragment, Module, ResetSignal, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

# A register for each event, which no reset clears, goes out through ports of so many bits
PORT = 64


class Watched(wiring.Component):
    """A component, its ports, and plain ports SEEN_0, SEEN_1, ... with a bit for each of `events`.

    Attributes:
        events: what each bit stands for: "UNIT state NAME", "UNIT reset in NAME", "UNIT STREAM moved", "UNIT
            STREAM held" (offered and not taken) and "UNIT STREAM empty" (taken if it were offered).
    """

    def __init__(self, component: wiring.Component) -> None:
        self._fragment = Fragment.get(component, None)
        conditions = dict(_conditions(self._fragment, "core"))
        self.events, self._conditions = tuple(conditions), tuple(conditions.values())
        ports = {f"seen_{n}": Out(PORT) for n in range(-(-len(self.events) // PORT))}
        super().__init__(dict(component.signature.members) | ports)
        for name in component.signature.members:
            setattr(self, name, getattr(component, name))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = self._fragment
        for number, condition in enumerate(self._conditions):
            seen = Signal(name=f"event_{number}", reset_less=True)
            m.d.sync += seen.eq(seen | condition)
            m.d.comb += getattr(self, f"seen_{number // PORT}")[number % PORT].eq(seen)
        return m

    def happened(self, ports: Mapping[str, int]) -> set[str]:
        """Events, of the values of the ports at the end of a run."""
        return {
            event
            for number, event in enumerate(self.events)
            if ports[f"seen_{number // PORT}"] >> number % PORT & 1
        }


def _conditions(fragment: Any, path: str) -> Iterator[tuple[str, Value]]:
    for machine in fragment.generated.values():
        state = machine._data["signal"]
        for name, number in machine.encoding.items():
            yield f"{path} state {name}", state == number
            yield f"{path} reset in {name}", (state == number) & ResetSignal()
    for component in fragment.origins or ():
        if isinstance(component, wiring.Component):
            for name, member in component.signature.members.items():
                if (
                    member.is_signature
                    and isinstance(member.signature, stream.Signature)
                    and not member.dimensions
                ):
                    yield from _of_stream(f"{path} {name}", getattr(component, name))
    for part, name, _ in fragment.subfragments:
        yield from _conditions(part, f"{path}.{name}".removeprefix("core."))


def _of_stream(name: str, port: Any) -> Iterator[tuple[str, Value]]:
    valid, ready = Value.cast(port.valid), Value.cast(port.ready)
    if isinstance(valid, Const) or isinstance(ready, Const):
        return
    yield f"{name} moved", valid & ready
    yield f"{name} held", valid & ~ready
    yield f"{name} empty", ~valid & ready
