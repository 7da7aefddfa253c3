"""A deep memory of parts that each lie in block RAMs side by side."""

from amaranth.hdl import Const, Elaboratable, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.utils import exact_log2

from hw.parts.memory import BLOCK_SHAPES
from hw.parts.sliced_memory import Port

# Depth below which block RAMs never lie one behind another
LEAST = min(deep for _, deep in BLOCK_SHAPES)


def parts(depth: int) -> list[int]:
    """Depths of the parts: powers of two that fall, and what remains of at most one block RAM."""
    found = []
    while depth > LEAST:
        found.append(1 << depth.bit_length() - 1)
        depth -= found[-1]
    return [*found, depth] if depth else found


class DeepMemory(Elaboratable):
    """As `amaranth.lib.memory.Memory` of zeros, with a port that reads, while its `en` is high, and one that
    writes, both clocked.

    Block RAMs of a depth that is no power of two lie one behind another, and a multiplexer as deep follows
    what they show, late as it is. Here each part has as many bits per block RAM as its depth leaves, so that
    only the parts are chosen from.

    Args:
        shape: of a word; depth: words.
    """

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self._shape, self._depth = shape, depth
        self._read, self._write = Port(shape, depth, "read"), Port(shape, depth, "write")

    def read_port(self) -> Port:
        return self._read

    def write_port(self) -> Port:
        return self._write

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shown: Value | None = None
        # the last part answers unless the address lies in one before it
        for number, size in reversed([*enumerate(depths := parts(self._depth))]):
            m.submodules[f"part_{number}"] = memory = Memory(shape=self._shape, depth=size, init=[])
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(self._read.addr),
                read.en.eq(self._read.en),
                write.addr.eq(self._write.addr),
                write.data.eq(self._write.data),
                write.en.eq(self._write.en & _within(self._write.addr, depths, number)),
            ]
            if shown is None:
                shown = Value.cast(read.data)
            else:
                chosen = Signal(name=f"in_part_{number}")
                with m.If(self._read.en):
                    m.d.sync += chosen.eq(_within(self._read.addr, depths, number))
                shown = Mux(chosen, Value.cast(read.data), shown)
        m.d.comb += Value.cast(self._read.data).eq(shown)
        return m


def _within(address: Value, depths: list[int], number: int) -> Value:
    """Whether an address lies in a part: behind those before it and, but in the last, before those after."""
    bits = [address[exact_log2(depth)] for depth in depths[:-1]]
    inside: Value = Const(1)
    for bit in bits[:number]:
        inside &= bit
    return inside & ~bits[number] if number < len(bits) else inside
