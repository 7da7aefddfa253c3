"""Octave encoder: the place of an integer on the fine global trace."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, ceil_log2

from golden.network.config import NetworkConfig
from golden.network.octave import NOWHERE, resolution, roots
from hw.network.payloads import MANTISSA_BITS
from hw.parts.shift_add import times

PLACE_BITS = bits_for(-NOWHERE) + 1
# Values of more bits are wide
WIDE = 40


class OctaveEncoder(wiring.Component):
    """L of a magnitude (`golden.network.octave`): leading one, mantissa against R constants.

    Members:
        value: signed integer.
        place, negative: L and the sign of the value `latency` cycles ago; `NOWHERE` for zero.
        octave, residue, some: L = octave*R + residue where the value is not zero (`some`).

    Timing: one value per cycle, 5 cycles later; of a wide value 6.
    """

    def __init__(self, config: NetworkConfig, value_bits: int) -> None:
        self._points = resolution(config.code.log2_base)
        self._bits = value_bits
        self.latency = 6 if value_bits > WIDE else 5
        super().__init__(
            {
                "value": In(signed(value_bits)),
                "place": Out(signed(PLACE_BITS)),
                "negative": Out(1),
                "octave": Out(range(value_bits)),
                "residue": Out(range(self._points)),
                "some": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self._bits
        magnitude = Signal(bits, reset_less=True)
        negative = Signal(self.latency - 1, reset_less=True)
        m.d.sync += [
            magnitude.eq(Mux(self.value < 0, -self.value, self.value)),
            negative.eq(Cat(self.value < 0, negative)),
            self.negative.eq(negative[-1]),
        ]
        # the leading one moves to the top by halves: large steps in one stage or two, small ones in the next
        steps = [1 << n for n in reversed(range(ceil_log2(bits)))]
        middle = len(steps) // 2
        if self.latency > 5:
            half = middle // 2
            largest, value = self._normalised(magnitude, steps[:half])
            largest_2, magnitude = Signal(len(largest)), Signal(bits, name="magnitude_2", reset_less=True)
            m.d.sync += [largest_2.eq(largest), magnitude.eq(value)]
            large, value = self._normalised(magnitude, steps[half:middle])
            large = Cat(large, largest_2)
        else:
            large, value = self._normalised(magnitude, steps[:middle])
        large_2, value_2, some = Signal(len(large)), Signal(bits, reset_less=True), Signal(reset_less=True)
        m.d.sync += [large_2.eq(large), value_2.eq(value), some.eq(magnitude.any())]
        small, value = self._normalised(value_2, steps[middle:])
        mantissa = Signal(MANTISSA_BITS, reset_less=True)
        octave_2, some_2 = Signal(range(bits), reset_less=True), Signal(reset_less=True)
        m.d.sync += [
            mantissa.eq((value << MANTISSA_BITS) >> bits),
            octave_2.eq(bits - 1 - Cat(small, large_2)),
            some_2.eq(some),
        ]
        # how many constants it reaches
        constants = roots(self._points)
        reached = Signal(self._points, reset_less=True)
        octave_3, some_3 = Signal.like(octave_2), Signal(reset_less=True)
        m.d.sync += [octave_3.eq(octave_2), some_3.eq(some_2)]
        for r in range(self._points):
            m.d.sync += reached[r].eq(mantissa >= Const(int(constants[r]), MANTISSA_BITS))
        # the flags are a thermometer: the highest one counts
        residue = Signal(range(self._points))
        for r in range(self._points):
            with m.If(reached[r]):
                m.d.comb += residue.eq(r)
        m.d.sync += [
            self.place.eq(Mux(some_3, times(octave_3, self._points) + residue, NOWHERE)),
            self.octave.eq(octave_3),
            self.residue.eq(residue),
            self.some.eq(some_3),
        ]
        return m

    def _normalised(self, value: Value, steps: list[int]) -> tuple[Value, Value]:
        """Steps taken, the smallest first, and the value moved up by them."""
        # where ones are, from the top in parts of the smallest step: all steps are known at once
        least, top = min(steps, default=1), Value.cast(value)[::-1]
        ones: Value = Cat(top[n : n + least].any() for n in range(0, min(sum(steps), len(top)), least))
        taken: list[Value] = []
        for step in steps:
            parts = step // least
            empty = ~ones[:parts].any()
            ones, value = Mux(empty, ones >> parts, ones), Mux(empty, value << step, value)[: self._bits]
            taken.insert(0, empty)
        return Cat(*taken), value
