"""Octave encoder: the place of an integer on the fine global trace."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.network.octave import NOWHERE, ROOT_FRACTION_BITS, resolution, roots
from golden.network.program import NetworkConfig
from hw.neuron.layouts import MANTISSA_BITS
from hw.neuron.shift_add import times

PLACE_BITS = bits_for(-NOWHERE) + 1


class OctaveEncoder(wiring.Component):
    """L of a magnitude (`golden.network.octave`): leading one, mantissa against R constants.

    Members:
        value: signed integer.
        place, negative: L and the sign of the value `latency` cycles ago; `NOWHERE` for zero.
        octave, residue, some: L = octave*R + residue where the value is not zero (`some`).

    Timing: one value per cycle, 5 cycles later.
    """

    latency = 5

    def __init__(self, config: NetworkConfig, value_bits: int) -> None:
        self._points = resolution(config.code.log2_base)
        self._bits = value_bits
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
        negative = Signal(4, reset_less=True)
        m.d.sync += [
            magnitude.eq(Mux(self.value < 0, -self.value, self.value)),
            negative.eq(Cat(self.value < 0, negative)),
            self.negative.eq(negative[3]),
        ]
        # leading one
        octave = Signal(range(bits), reset_less=True)
        some = Signal(reset_less=True)
        found = Signal(bits, reset_less=True)
        m.d.sync += [found.eq(magnitude), some.eq(magnitude.any())]
        for position in range(bits):
            with m.If(magnitude[position]):
                m.d.sync += octave.eq(position)
        # mantissa: the bits from the leading one down
        mantissa = Signal(MANTISSA_BITS, reset_less=True)
        octave_2, some_2 = Signal.like(octave), Signal(reset_less=True)
        padded = Signal(bits + ROOT_FRACTION_BITS)
        m.d.comb += padded.eq(found << ROOT_FRACTION_BITS)
        m.d.sync += [mantissa.eq(padded >> octave), octave_2.eq(octave), some_2.eq(some)]
        # how many constants it reaches
        constants = roots(self._points)
        reached = Signal(self._points, reset_less=True)
        octave_3, some_3 = Signal.like(octave), Signal(reset_less=True)
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
