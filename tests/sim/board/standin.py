"""A small component with stream ports, in place of a core: adds an offset to every value."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

VALUE = data.StructLayout({"value": signed(20), "last": 1})
SUM = data.StructLayout({"value": signed(21), "last": 1})


class StandIn(wiring.Component):
    """Every value is answered by value + offset on `o_sum` and its five lowest bits on `o_code`."""

    i_offset: In(stream.Signature(signed(12)))
    i_value: In(stream.Signature(VALUE))
    o_sum: Out(stream.Signature(SUM))
    o_code: Out(stream.Signature(5))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        offset = Signal(signed(12))
        free = (~self.o_sum.valid | self.o_sum.ready) & (~self.o_code.valid | self.o_code.ready)
        m.d.comb += [self.i_offset.ready.eq(1), self.i_value.ready.eq(free)]
        with m.If(self.i_offset.valid):
            m.d.sync += offset.eq(self.i_offset.payload)
        for port in (self.o_sum, self.o_code):
            with m.If(port.ready):
                m.d.sync += port.valid.eq(0)
        with m.If(self.i_value.valid & free):
            m.d.sync += [
                self.o_sum.valid.eq(1),
                self.o_sum.p.value.eq(self.i_value.p.value + offset),
                self.o_sum.p.last.eq(self.i_value.p.last),
                self.o_code.valid.eq(1),
                self.o_code.payload.eq(self.i_value.p.value + offset),
            ]
        return m


def records(offset: int, values: list[int]) -> bytes:
    """Bytes of a job for the link: the offset, then the values, in records."""
    out = bytes([0, 0]) + (offset & 0xFFF).to_bytes(2, "little")
    for first in range(0, len(values), 256):
        part = values[first : first + 256]
        out += bytes([1, len(part) - 1])
        for number, value in enumerate(part, first):
            last = number == len(values) - 1
            out += (value & 0xFFFFF | last << 20).to_bytes(3, "little")
    return out


def expected(offset: int, values: list[int]) -> tuple[list[int], list[int]]:
    """Payload bits of `o_sum` and `o_code`."""
    sums = [(value + offset) & 0x1FFFFF for value in values]
    last = [number == len(values) - 1 for number in range(len(values))]
    return [s | end << 21 for s, end in zip(sums, last, strict=True)], [s & 31 for s in sums]


def split(answer: bytes) -> tuple[list[int], list[int]]:
    """Payload bits of both outputs from the link's answer: 3 bytes of `o_sum`, 1 of `o_code`."""
    found: tuple[list[int], list[int]] = ([], [])
    position = 0
    while position < len(answer):
        channel = answer[position] & 1
        size = 1 if channel else 3
        found[channel].append(int.from_bytes(answer[position : position + size], "little") >> 1)
        position += size
    return found
