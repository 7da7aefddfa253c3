"""Points of the trace as what the lanes of a vector unit multiply to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from amaranth.hdl import Cat, Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.key_serial import KeySerialConfig
from golden.code import PhaseCode
from hw.attention.trace import BLOCK_ADDRESS_BITS
from hw.integer.product import Factors
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

    def products(self, config: KeySerialConfig) -> wiring.Component:
        return TracePoints(self, config.cluster)

    def latency(self, config: KeySerialConfig) -> int:
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
        self._tabulated = self._point_bits + 1 <= BLOCK_ADDRESS_BITS
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
        for address in range(1 << self._point_bits + self._tabulated):
            place, silent = address % (1 << self._point_bits), address >> self._point_bits
            if self._pairs:
                steps = place % (1 << width) + (place >> width) % (1 << width)
                negative = (place >> 2 * width).bit_count() % 2
            else:
                steps, negative = place % (1 << self._point_bits - 1), place >> self._point_bits - 1
            point = int(trace[steps]) if steps < len(trace) else 0
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
                place, silent = self._place(m, n)
                address = Signal(len(read.addr), name=f"address_{n}", reset_less=True)
                # A block RAM is slow from clock to output and far from most lanes
                point, addend = (
                    Signal.like(read.data, name=f"{part}_{n}", reset_less=True) for part in ("point", "addend")
                )
                m.d.sync += [
                    address.eq(Cat(place, silent) if self._tabulated else place),
                    point.eq(read.data),
                    addend.eq(point),
                ]
                if not self._tabulated:
                    waiting = Signal(3, name=f"silent_{n}")
                    m.d.sync += waiting.eq(Cat(silent, waiting))
                    with m.If(waiting[2]):
                        m.d.sync += addend.eq(0)
                m.d.comb += [read.addr.eq(address), self.o[n].eq(addend)]
        return m

    def _place(self, m: Module, n: int) -> tuple[Value, Value]:
        """Where the point of a lane is, and whether it is silent."""
        left, right = (spike(self._code)(pair[n]) for pair in (self.left, self.right))
        signs = [right.negative, left.negative][: self._signs]
        silent = ~(left.active & right.active)
        if self._pairs:
            return Cat(left.phase, right.phase, *signs), silent
        steps = Signal(bits_for(2 * self._code.steps - 2), name=f"steps_{n}")
        m.d.comb += steps.eq(left.phase + right.phase)
        return Cat(steps, Cat(signs).xor()), silent
