"""The load bus: every memory of the network core picks its words."""

from amaranth.hdl import Module, Value
from amaranth.lib import data
from amaranth.lib.memory import WritePort


def pick(m: Module, port: WritePort, bus: data.View, strobe: Value) -> None:
    """Write the word on the bus (`payloads.load`) where `strobe` is high."""
    m.d.comb += [port.addr.eq(bus.address), port.data.eq(bus.data.as_value()), port.en.eq(strobe)]
