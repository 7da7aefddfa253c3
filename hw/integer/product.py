"""Products of two small integers: in a DSP block, from a table in block RAM, or of partial products."""

from dataclasses import dataclass
from typing import Any, Self

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.integer.config import IntegerConfig


def delayed(m: Module, value: Value, cycles: int, name: str, *, reset: bool = False) -> Value:
    """`value` as it was so many cycles ago."""
    for n in range(cycles):
        register = Signal.like(value, name=f"{name}_{n + 1}", reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value


def delayed_tags(m: Module, tags: data.View, cycles: int, name: str) -> data.View:
    """Likewise tags with a field `valid`. It alone is reset: without it the others mean nothing."""
    later = delayed(m, tags, cycles, name)
    now = Signal(tags.shape(), name=f"{name}_now")
    valid = delayed(m, tags.valid, cycles, f"{name}_valid", reset=True)
    m.d.comb += [now.eq(later), now.valid.eq(valid)]
    return now


def multiply(m: Module, left: Value, right: Value, name: str, *, dsp: bool) -> Value:
    """left * right, `multiply_latency` cycles later: by the device's own multiplier or by additions alone."""
    product = Signal((left * right).shape(), name=name, reset_less=dsp)
    if dsp:
        # a DSP block is slow and stands far from most lanes: registers before it and behind it
        m.d.sync += product.eq(delayed(m, left, 1, f"{name}_left") * delayed(m, right, 1, f"{name}_right"))
        return product
    # partial products by position; that of a sign bit is the last one, and is taken off
    parts = [(Mux(left[n], right, 0), n) for n in range(len(left))]
    negative = left.shape().signed
    level = 0
    while len(parts) > 1:
        sums = []
        for n in range(0, len(parts), 2):
            (whole, position), *other = parts[n : n + 2]
            if other:
                high = other[0][0] << (other[0][1] - position)
                off = negative and n + 2 == len(parts)
                whole = whole - high if off else whole + high
                negative = negative and not off
            total = Signal(whole.shape(), name=f"{name}_{level}_{n}", reset_less=True)
            m.d.sync += total.eq(whole)
            sums.append((total, position))
        parts, level = sums, level + 1
    m.d.comb += product.eq(parts[0][0])
    return product


def multiply_latency(left_bits: int, *, dsp: bool) -> int:
    """Cycles of `multiply`, of at least two bits."""
    return 2 if dsp else (left_bits - 1).bit_length()


@dataclass(frozen=True)
class Factors:
    """What the lanes of a vector multiply.

    Attributes:
        bits: of a factor.
        left: smallest and largest value of the left factor.
        right: likewise.
    """

    bits: int
    left: tuple[int, int]
    right: tuple[int, int]

    @classmethod
    def of_scores(cls, config: IntegerConfig) -> Self:
        """A query times a key."""
        codes = (-config.code_limit, config.code_limit)
        return cls(config.bits, codes, codes)

    @classmethod
    def of_context(cls, config: IntegerConfig) -> Self:
        """A weight times a value."""
        return cls(config.bits, (0, config.weight_limit), (-config.code_limit, config.code_limit))

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        return signed(self.bits) if self.left[0] < 0 else unsigned(self.bits), signed(self.bits)

    def products(self, config: Any) -> wiring.Component:
        """What makes them: `left` and `right` of several lanes, and `o`, `latency` cycles later."""
        return Products(config, self)

    def latency(self, config: Any) -> int:
        return Products.latency(config)

    def results(self, squares: bool) -> tuple[int, int]:
        """Smallest and largest product, or square of the sum."""
        pairs = [(a, b) for a in self.left for b in self.right]
        found = [(a + b) ** 2 if squares else a * b for a, b in pairs]
        return (0 if squares else min(found)), max(found)

    def table(self, squares: bool) -> list[int]:
        """Results by the bits of the sum, or of both factors, the left one lowest."""
        (low, high), (smallest, largest) = self.left, self.right
        if squares:
            table = [0] * (2 << self.bits)
            for total in range(low + smallest, high + largest + 1):
                table[total % len(table)] = total**2
        else:
            table = [0] * (1 << 2 * self.bits)
            for a in range(low, high + 1):
                for b in range(smallest, largest + 1):
                    table[a % (1 << self.bits) | b % (1 << self.bits) << self.bits] = a * b
        return table


class Products(wiring.Component):
    """Products of several lanes, one per lane and cycle.

    A table is a block RAM with two ports, one for each of two neighbouring lanes. Up to 5 bits it holds all
    products; beyond, the squares of sums: (a + b)**2 = 2ab + a**2 + b**2, and whoever adds many products up
    takes the sums of a**2 and of b**2 off at the end.

    Members:
        left, right: factors.
        o: products, or squares of sums with `IntegerConfig.squares`.

    Timing: `latency` cycles.
    """

    def __init__(self, config: IntegerConfig, factors: Factors) -> None:
        self._config = config
        self._factors = factors
        left, right = factors.shapes
        self._result = Shape.cast(range(*self._ends(factors.results(config.squares))))
        super().__init__(
            {
                "left": In(data.ArrayLayout(left, config.cluster)),
                "right": In(data.ArrayLayout(right, config.cluster)),
                "o": Out(data.ArrayLayout(self._result, config.cluster)),
            }
        )

    @staticmethod
    def _ends(limits: tuple[int, int]) -> tuple[int, int]:
        return limits[0], limits[1] + 1

    @staticmethod
    def latency(config: IntegerConfig) -> int:
        if config.multiplier == "table":
            return 3 if config.squares else 2
        return multiply_latency(config.bits, dsp=config.multiplier == "dsp")

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._config.multiplier == "table":
            for first in range(0, self._config.cluster, 2):
                self._look_up(m, range(first, min(first + 2, self._config.cluster)))
        else:
            dsp = self._config.multiplier == "dsp"
            for n in range(self._config.cluster):
                m.d.comb += self.o[n].eq(multiply(m, self.left[n], self.right[n], f"product_{n}", dsp=dsp))
        return m

    def _look_up(self, m: Module, lanes: range) -> None:
        squares = self._config.squares
        table = self._factors.table(squares)
        m.submodules[f"table_{lanes.start}"] = memory = Memory(
            shape=self._result, depth=len(table), init=table, attrs={"rom_style": "block"}
        )
        for n in lanes:
            read = memory.read_port()
            result = Signal(self._result, name=f"result_{n}", reset_less=True)
            if squares:
                total = Signal.like(read.addr, name=f"total_{n}", reset_less=True)
                m.d.sync += total.eq(self.left[n] + self.right[n])
                m.d.comb += read.addr.eq(total)
            else:
                m.d.comb += read.addr.eq(Cat(self.left[n], self.right[n]))
            # a block RAM is slow from clock to output and far from most lanes
            m.d.sync += result.eq(read.data)
            m.d.comb += self.o[n].eq(result)
