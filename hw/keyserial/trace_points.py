"""Points of the trace as what the lanes of a vector unit multiply to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from amaranth.hdl import Cat, Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.key_serial import KeySerialConfig
from golden.code import PhaseCode
from hw.attention.trace import BLOCK_ADDRESS_BITS
from hw.integer.product import Factors, delayed
from hw.parts.memory import BLOCK
from hw.parts.payloads import phase_width, spike


@dataclass(frozen=True)
class SpikeFactors(Factors):
    """Two spikes, as bits without a sign of their own.

    Attributes:
        code: of both.
        signed_left: the left spike has a sign; an attention spike has none.
    """

    code: PhaseCode
    signed_left: bool

    @classmethod
    def of(cls, config: KeySerialConfig, *, signed_left: bool) -> Self:
        ends = (0, (1 << config.bits) - 1)
        return cls(config.bits, ends, ends, config.code, signed_left)

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        return unsigned(self.bits), unsigned(self.bits)

    def products(self, config: Any) -> wiring.Component:
        return TracePoints(self, config.cluster)

    def latency(self, config: Any) -> int:
        return TracePoints.latency

    def results(self, squares: bool) -> tuple[int, int]:
        largest = int(self.code.trace[0])
        return -largest, largest


class TracePoints(wiring.Component):
    """The signed point of the trace that two spikes make, for several lanes; 0 where one is silent.

    A table in block RAM serves two lanes. Where its address has room for both phases and signs it is
    addressed by them, so that nothing is computed in front of it, else by their sum and product; and where
    there is room it knows silence, too.

    Members:
        left, right: spikes.
        o: points.

    Timing: `latency` cycles.
    """

    latency = 4

    def __init__(self, factors: SpikeFactors, lanes: int) -> None:
        self._code, self._signs, self._lanes = factors.code, 1 + factors.signed_left, lanes
        pairs = 2 * phase_width(self._code) + self._signs
        self._pairs = pairs <= BLOCK_ADDRESS_BITS
        self._point_bits = pairs if self._pairs else bits_for(2 * self._code.steps - 2) + 1
        # How much of silence the table knows: whether each spike is active, whether both are, nothing
        self._active_bits = next(n for n in (2, 1, 0) if self._point_bits + n <= BLOCK_ADDRESS_BITS)
        self._point = signed(self._code.trace_bits + 2)
        super().__init__(
            {
                "left": In(data.ArrayLayout(factors.shapes[0], lanes)),
                "right": In(data.ArrayLayout(factors.shapes[1], lanes)),
                "o": Out(data.ArrayLayout(self._point, lanes)),
            }
        )

    def _table(self) -> Iterator[int]:
        """Points by address."""
        width, trace = phase_width(self._code), self._code.trace
        for address in range(1 << self._point_bits + self._active_bits):
            place, active = address % (1 << self._point_bits), address >> self._point_bits
            if self._pairs:
                steps = place % (1 << width) + (place >> width) % (1 << width)
                negative = (place >> 2 * width).bit_count() % 2
            else:
                steps, negative = place % (1 << self._point_bits - 1), place >> self._point_bits - 1
            point = int(trace[steps]) if steps < len(trace) else 0
            silent = active + 1 != 1 << self._active_bits
            yield 0 if silent else -point if negative else point

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for first in range(0, self._lanes, 2):
            table = list(self._table())
            m.submodules[f"table_{first}"] = memory = Memory(
                shape=self._point, depth=len(table), init=table, attrs=BLOCK
            )
            for n in range(first, min(first + 2, self._lanes)):
                read = memory.read_port()
                place, active = self._place(m, n)
                address = Signal(len(read.addr), name=f"address_{n}", reset_less=True)
                # A block RAM is slow from clock to output and far from most lanes
                point, addend = (
                    Signal.like(read.data, name=f"{part}_{n}", reset_less=True)
                    for part in ("point", "addend")
                )
                m.d.sync += [
                    address.eq(Cat(place, *([], [active.all()], active)[self._active_bits])),
                    point.eq(read.data),
                    addend.eq(point),
                ]
                if not self._active_bits:
                    both = delayed(m, active.all(), self.latency - 1, f"both_{n}")
                    with m.If(~both):
                        m.d.sync += addend.eq(0)
                m.d.comb += [read.addr.eq(address), self.o[n].eq(addend)]
        return m

    def _place(self, m: Module, n: int) -> tuple[Value, Value]:
        """Where the point of a lane is, and which of its spikes are active."""
        left, right = (spike(self._code)(pair[n]) for pair in (self.left, self.right))
        signs = [right.negative, left.negative][: self._signs]
        active = Cat(left.active, right.active)
        if self._pairs:
            return Cat(left.phase, right.phase, *signs), active
        steps = Signal(bits_for(2 * self._code.steps - 2), name=f"steps_{n}")
        m.d.comb += steps.eq(left.phase + right.phase)
        return Cat(steps, Cat(signs).xor()), active
