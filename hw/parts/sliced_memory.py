"""A large memory as several side by side, of widths that fill block RAMs."""

from functools import cache

from amaranth.hdl import Cat, Elaboratable, Module, ShapeLike, Signal
from amaranth.lib.memory import Memory

# Width and depth that a block RAM of 18 kbit may have, as on the ECP5 and the Gowin parts
BLOCK_SHAPES = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512))


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


class Port:
    """Signals of a port; `en` of one that writes."""

    def __init__(self, shape: ShapeLike, depth: int, name: str) -> None:
        self.addr = Signal(range(depth), name=f"{name}_addr")
        self.data = Signal(shape, name=f"{name}_data")
        self.en = Signal(name=f"{name}_en")


class SlicedMemory(Elaboratable):
    """As `amaranth.lib.memory.Memory` of zeros, with a port that reads and one that writes, both clocked.

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
            m.submodules[f"slice_{number}"] = memory = Memory(shape=width, depth=self._depth, init=[])
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(self._read.addr),
                write.addr.eq(self._write.addr),
                write.data.eq(word[low : low + width]),
                write.en.eq(self._write.en),
            ]
            shown.append(read.data)
            low += width
        m.d.comb += Cat(self._read.data).eq(Cat(*shown))
        return m
