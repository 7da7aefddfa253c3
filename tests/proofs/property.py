"""What a proof is about: a component in an environment, and what is claimed of it."""

import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, ClassVar

from amaranth.hdl import Cat, Elaboratable, Fragment, Module, ShapeLike, Signal, Value
from amaranth.lib import wiring


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault in the source of a component: `old` stands there exactly once, and becomes `new`."""

    module: ModuleType
    old: str
    new: str

    @contextmanager
    def planted(self) -> Iterator[None]:
        """While this lasts, the classes of the module are made from the faulty source."""
        source = inspect.getsource(self.module)
        if source.count(self.old) != 1:
            raise ValueError(f"{self.module.__name__} must hold {self.old!r} once")
        faulty = ModuleType(self.module.__name__)
        exec(compile(source.replace(self.old, self.new), str(self.module.__file__), "exec"), vars(faulty))
        sound = dict(vars(self.module))
        vars(self.module).update(
            {
                name: part
                for name, part in vars(faulty).items()
                if inspect.isclass(part) and part.__module__ == self.module.__name__
            }
        )
        try:
            yield
        finally:
            vars(self.module).update(sound)


class Property(ABC):
    """A claim about a component, its assumptions, and what shows that it is neither vacuous nor blind.

    The docstring's first paragraph is the claim; `Assumes:` begins what the environment promises. What
    `build` leaves undriven at a component is free: any value in any cycle. So is reset, in any cycle.

    Attributes:
        component: what it is about: its file under hw/ without the ending.
        cases: parameters of `build`, one proof each.
        depth: cycles after reset that are looked at; None: all.
        reach: cycles within which every `Cover` is reached and every fault shows.
        faults: with any of them planted the first case must fail.
        quick: part of `make test`.
    """

    component: ClassVar[str]
    cases: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    depth: ClassVar[int | None] = None
    reach: ClassVar[int] = 20
    faults: ClassVar[tuple[Fault, ...]]
    quick: ClassVar[bool] = True

    def __init__(self, **case: Any) -> None:
        self._inputs: list[Signal] = []
        self._components: list[wiring.Component] = []
        self.m = Module()
        self.build(**case)

    @abstractmethod
    def build(self, **case: Any) -> None:
        """Put component, environment, `Assume`, `Assert` and `Cover` into `self.m`."""

    def free(self, shape: ShapeLike, name: str) -> Any:
        """Any value in any cycle."""
        signal = Signal(shape, name=name)
        self._inputs.append(Value.cast(signal))
        return signal

    def unknown(self, shape: ShapeLike, name: str) -> Any:
        """One value that never changes; which one is left open."""
        kept = Signal(shape, name=f"{name}_kept", reset_less=True)
        known = Signal(name=f"{name}_known", reset_less=True)
        value = Signal(shape, name=name)
        choice = self.free(shape, f"{name}_choice")
        with self.m.If(known):
            self.m.d.comb += value.eq(kept)
        with self.m.Else():
            self.m.d.comb += value.eq(choice)
        self.m.d.sync += [Value.cast(kept).eq(Value.cast(value)), known.eq(1)]
        return value

    def later(self, value: Any, cycles: int = 1) -> Any:
        """What the value was some cycles ago, its init after reset."""
        for _ in range(cycles):
            register = Signal(value.shape())
            self.m.d.sync += Value.cast(register).eq(Value.cast(value))
            value = register
        return value

    def unit(self, name: str, component: wiring.Component) -> Any:
        """Add a component."""
        self._components.append(component)
        self.m.submodules[name] = component
        return component

    def opened(self, name: str, component: wiring.Component) -> "Inside":
        """Add a component whose inner signals the property names."""
        self._components.append(component)
        inside = Inside(component)
        self.m.submodules[name] = inside
        return inside

    def design(self) -> tuple[Fragment, list[Signal]]:
        """The whole, and its free inputs."""
        fragment = Fragment.get(self.m, None)
        driven = {id(signal) for signal in _driven(fragment)}
        inputs = list(self._inputs)
        for component in self._components:
            for _, member, value in component.signature.flatten(component):
                signal = Value.cast(value)
                if member.flow == wiring.In and isinstance(signal, Signal) and id(signal) not in driven:
                    inputs.append(signal)
        return fragment, inputs


class Inside(Elaboratable):
    """A component, and the variables of its `elaborate` by their names."""

    def __init__(self, component: wiring.Component) -> None:
        self.ports = component
        self._variables: dict[int, dict[str, Any]] = {}

        # names of signals are lost where several are made in one statement, variables are not
        def keep(frame: FrameType, event: str, result: object) -> None:
            if event == "return" and frame.f_code.co_name == "elaborate" and "self" in frame.f_locals:
                self._variables[id(frame.f_locals["self"])] = dict(frame.f_locals)

        sys.setprofile(keep)
        try:
            self._fragment = Fragment.get(component, None)
        finally:
            sys.setprofile(None)

    def elaborate(self, platform: object) -> Fragment:
        return self._fragment

    def within(self, *states: str) -> Value:
        """Whether the component's machine is in one of these states."""
        (machine,) = self._fragment.generated.values()
        return Cat(machine._data["signal"] == machine.encoding[state] for state in states).any()

    def __getitem__(self, path: str) -> Any:
        """A variable, or, of a component within, PART.NAME."""
        *parts, name = path.split(".")
        variables = self._variables[id(self.ports)]
        for part in parts:
            # a component that is reset or enabled as a whole is known by its variable, of others a variable
            # of that name may be something else
            units = variables.get(part), getattr(variables["m"].submodules, part, None)
            variables = next(self._variables[id(unit)] for unit in units if id(unit) in self._variables)
        return variables[name]


def _driven(fragment: Fragment) -> Iterator[Signal]:
    for statements in fragment.statements.values():
        yield from statements._lhs_signals()
    for part, _, _ in fragment.subfragments:
        yield from _driven(part)
