"""A large memory as several side by side, of widths that fill block RAMs."""

from functools import cache

from amaranth.hdl import Array, Cat, Elaboratable, Module, ShapeLike, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.utils import exact_log2

from hw.parts.delay import registered
from hw.parts.memory import BLOCK_SHAPES, NO_COLLISION


@cache
def slices(width: int, depth: int) -> tuple[int, ...]:
    """Widths of the fewest memories that need the fewest block RAMs together, the widest first.

    A memory is made of block RAMs of one shape; several may be of several.
    """
    whole = min(-(-width // wide) * -(-depth // deep) for wide, deep in BLOCK_SHAPES)
    best: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]
    for bits in range(1, width + 1):
        found = []
        for wide, deep in BLOCK_SHAPES:
            count, parts, before = best[max(0, bits - wide)]
            found.append((count + -(-depth // deep), parts + 1, (*before, min(wide, bits))))
        best.append(min(found))
    count, _, widths = best[width]
    return tuple(sorted(widths, reverse=True)) if count < whole else (width,)


def block_depth(width: int, depth: int) -> int:
    """Words of the block RAMs of which the fewest hold a slice, the deepest of them."""
    counts = [(-(-width // wide) * -(-depth // deep), -deep) for wide, deep in BLOCK_SHAPES]
    return -min(counts)[1]


class Port:
    """Signals of a port; `en` of one that writes."""

    def __init__(self, shape: ShapeLike, depth: int, name: str) -> None:
        self.addr = Signal(range(depth), name=f"{name}_addr")
        self.data = Signal(shape, name=f"{name}_data")
        self.en = Signal(name=f"{name}_en")


class SlicedMemory(Elaboratable):
    """As `amaranth.lib.memory.Memory` of zeros, with a port that reads and one that writes, both clocked.

    A word that is read in the cycle in which it is written must not be used (`hw.parts.memory.NO_COLLISION`).
    What is read comes two cycles after its address: every block RAM, slow from clock to output, has a
    register behind it, and only then one of those that lie behind each other is chosen.

    Args:
        shape: of a word; depth: words.
    """

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self._depth = depth
        self._read, self._write = Port(shape, depth, "read"), Port(shape, depth, "write")

    def read_port(self) -> Port:
        return self._read

    def write_port(self) -> Port:
        return self._write

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word, low, shown = Cat(self._write.data), 0, []
        for number, width in enumerate(slices(len(word), self._depth)):
            slice_shown = self._slice(m, f"slice_{number}", word[low : low + width])
            shown.append(slice_shown)
            low += width
        m.d.comb += Cat(self._read.data).eq(Cat(*shown))
        return m

    def _slice(self, m: Module, name: str, written: Value) -> Value:
        """A slice of all words, which gets `written`: block RAMs one behind another."""
        deep = block_depth(len(written), self._depth)
        bits = exact_log2(deep)
        shown = []
        for part, first in enumerate(range(0, self._depth, deep)):
            size = {"shape": len(written), "depth": min(deep, self._depth - first)}
            memory = Memory(**size, init=[], attrs=NO_COLLISION)
            m.submodules[f"{name}_{part}" if self._depth > deep else name] = memory
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(self._read.addr[:bits]),
                write.addr.eq(self._write.addr[:bits]),
                write.data.eq(written),
                write.en.eq(self._write.en & (self._write.addr[bits:] == part)),
            ]
            shown.append(registered(m, read.data, f"{name}_{part}"))
        chosen = registered(m, registered(m, self._read.addr[bits:], f"{name}_part"), f"{name}_part_later")
        return Array(shown)[chosen]
