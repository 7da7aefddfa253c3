"""What stands around the units under test: several units in one module, and streams for plain ports."""

from collections.abc import Callable, Mapping
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped


def delay(m: Module, value: Any, cycles: int) -> Any:
    """A value some cycles later."""
    for _ in range(cycles):
        register = Signal.like(value, name="delayed")
        m.d.sync += register.eq(value)
        value = register
    return value


def free(shape: Any) -> stream.Signature:
    """A stream that is never held up."""
    return stream.Signature(shape, always_ready=True)


class Group(wiring.Component):
    """Independent units in one module: one build serves the benches of all.

    Members: those of every unit, behind its name. A silent spike on `o_code` has sign and phase 0.
    """

    def __init__(self, units: Mapping[str, wiring.Component]) -> None:
        self._units = units
        super().__init__({name: Out(unit.signature) for name, unit in units.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, unit in self._units.items():
            m.submodules[name] = unit
            ports = getattr(self, name)
            connect(m, unit, flipped(ports))
            if "o_code" in unit.signature.members:
                spike = ports.o_code.payload.spike
                with m.If(~unit.o_code.payload.spike.active):
                    m.d.comb += spike.eq(0)
        return m


class Vectors(wiring.Component):
    """A unit without streams: its inputs come as one beat, its outputs leave as one.

    Inputs are 0 in a cycle without a beat.

    Args:
        unit: its members become fields of the payloads.
        latency: cycles from inputs to outputs.
        outputs: what to look at instead of the output members.
    """

    def __init__(
        self,
        unit: wiring.Component,
        latency: int,
        outputs: Callable[[Any], dict[str, Value]] | None = None,
    ) -> None:
        self._unit, self._latency = unit, latency
        members = unit.signature.members
        inputs = {name: member.shape for name, member in members.items() if member.flow == In}
        if outputs is None:
            self._outputs = {n: getattr(unit, n) for n, member in members.items() if member.flow == Out}
        else:
            self._outputs = outputs(unit)
        results = {name: value.shape() for name, value in self._outputs.items()}
        super().__init__(
            {
                "i": In(free(data.StructLayout(inputs))),
                "o": Out(free(data.StructLayout(results))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self._unit
        for name in self.i.payload.shape().members:
            field = Value.cast(getattr(self.i.payload, name))
            m.d.comb += Value.cast(getattr(unit, name)).eq(Mux(self.i.valid, field, 0))
        m.d.comb += [getattr(self.o.payload, name).eq(value) for name, value in self._outputs.items()]
        m.d.comb += self.o.valid.eq(delay(m, self.i.valid, self._latency))
        return m
