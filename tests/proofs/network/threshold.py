"""Proofs of the output neuron of the network's linear unit."""

from fractions import Fraction

from amaranth.hdl import Array, Assert, Const, Cover, Mux, Signal

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from golden.network.config import NetworkConfig
from golden.network.octave import NOWHERE, ROOT_FRACTION_BITS, resolution
from hw.network import falling_threshold, octave_encoder
from tests.proofs.property import Fault, Property


def config(code: PhaseCode) -> NetworkConfig:
    core = CoreConfig(
        code=code, lanes=1, cluster=1, tokens=1, head_dim=1, terms_per_beat=1, bias=False, mask=False,
        output="codes",
    )  # fmt: skip
    sizes = dict.fromkeys(
        ("lanes", "cluster", "tokens", "features", "weights", "table", "offsets", "lists", "linear_ops",
         "norm_ops", "heads"), 1,
    )  # fmt: skip
    return NetworkConfig(
        code=code, attention=core, accumulator_bits=12, potential_bits=16, stream_bits=16, **sizes
    )


def root(r: int, points: int) -> int:
    """The integer nearest to 2**M * 2**(r/R), by powers of integers alone."""
    one = 1 << (ROOT_FRACTION_BITS + 1) * points + r
    low, high = 0, 2 << ROOT_FRACTION_BITS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if (2 * middle - 1) ** points <= one else (low, middle - 1)
    return low


class PlaceIsTheHighestPointReached(Property):
    """`latency` cycles after a value, its place o*R + r is that of the highest point ROOT[r] << o of the grid
    that |value| * 2**M reaches, for every value; zero has the place `NOWHERE`.

    Assumes: nothing."""

    component = "network/octave_encoder"
    cases = tuple(
        {"code": PhaseCode(steps=4, log2_base=base), "bits": bits}
        for bits in (12, 20)
        for base in (Fraction(1, 2), Fraction(1, 3), Fraction(2, 7))
    )
    faults = (
        Fault(module=octave_encoder, old="mantissa >= Const", new="mantissa > Const"),
        Fault(module=octave_encoder, old="bits - 1 - Cat", new="bits - 2 - Cat"),
        Fault(module=octave_encoder, old="Mux(self.value < 0, -self.value, self.value)", new="self.value"),
    )

    def build(self, code: PhaseCode, bits: int) -> None:
        m = self.m
        unit = self.unit("unit", octave_encoder.OctaveEncoder(config(code), bits))
        points = resolution(code.log2_base)
        latency = unit.latency
        value = self.later(unit.value, latency)
        magnitude = Signal(bits)
        m.d.comb += magnitude.eq(Mux(value < 0, -value, value))
        roots = Array(Const(root(r, points), ROOT_FRACTION_BITS + 2) for r in range(points + 1))
        scaled = magnitude << ROOT_FRACTION_BITS
        settled = self.later(Const(1), latency)
        some = settled & (magnitude != 0)
        m.d.comb += [
            Assert(~some | ((roots[unit.residue] << unit.octave) <= scaled)),
            Assert(~some | ((roots[unit.residue + 1] << unit.octave) > scaled)),
            Assert(~some | (unit.residue < points)),
            Assert(~some | (unit.place == unit.octave * points + unit.residue)),
            Assert(~settled | (magnitude != 0) | (unit.place == NOWHERE)),
            Assert(~settled | (unit.some == (magnitude != 0))),
            Assert(~settled | (unit.negative == (value < 0))),
            Cover(some & (unit.octave == bits - 2) & (unit.residue == points - 1)),
            Cover(settled & (value < 0) & (unit.residue == 1)),
        ]


class FiresAtTheFirstLevelReached(Property):
    """`latency` cycles after a place, the spike has the first phase p with place >= level[p] + offset +
    shift, as `golden.network.octave.fire` says; there is none where no level is reached, or where the
    potential is negative and negative ones stay silent. One spike per neuron.

    Assumes: the levels are there one cycle after the place."""

    component = "network/falling_threshold"
    cases = ({"steps": 5},)
    faults = (
        Fault(module=falling_threshold, old="above >= self.levels", new="above > self.levels"),
        Fault(module=falling_threshold, old="in reversed(range(steps))", new="in range(steps)"),
        Fault(module=falling_threshold, old="(both_2 | ~negative_2)", new="(both | ~negative_2)"),
        Fault(module=falling_threshold, old="PLACE_BITS + 2", new="PLACE_BITS"),
    )

    def build(self, steps: int) -> None:
        m = self.m
        unit = self.unit("unit", falling_threshold.FallingThreshold(config(PhaseCode(steps=steps))))
        place, offset, shift, both, negative = (
            self.later(getattr(unit, name), 3) for name in ("place", "offset", "shift", "both", "negative")
        )
        levels = self.later(unit.levels, 2)
        reached = [place - offset - shift >= levels[p] for p in range(steps)]
        active, phase = Signal(), Signal(range(steps))
        for p in reversed(range(steps)):
            with m.If(reached[p]):
                m.d.comb += [active.eq(both | ~negative), phase.eq(p)]
        settled = self.later(Const(1), unit.latency)
        m.d.comb += [
            Assert(~settled | (unit.spike.active == active)),
            Assert(~settled | ~active | (unit.spike.phase == phase)),
            Assert(~settled | (unit.spike.negative == negative)),
            Cover(settled & active & (phase == steps - 1)),
            Cover(settled & ~active & negative),
        ]
