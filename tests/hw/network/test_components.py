"""Units of the network core in Amaranth's simulator, each against golden."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator, SimulatorContext
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.code import PhaseCode, Spikes
from golden.network.config import NetworkConfig
from golden.network.descriptors import Target
from golden.network.limits import MAX_SHIFT
from golden.network.neuron import residue_constants, spike_values
from golden.network.octave import fire, geometric_levels, octave_code, resolution
from hw.network.drain import Drain
from hw.network.falling_threshold import FallingThreshold
from hw.network.feeders import QueryFeeder
from hw.network.neuron_cluster import NeuronCluster
from hw.network.octave_encoder import WIDE, OctaveEncoder
from hw.network.spike_list import COUNT_REGISTERS, SpikeList

CODES = [
    PhaseCode(),
    PhaseCode(steps=8, log2_base=Fraction(3, 4)),
    PhaseCode(steps=24, log2_base=Fraction(2, 7)),
]
IDS = [f"T={code.steps},{code.log2_base}" for code in CODES]


def config(code: PhaseCode, lanes: int = 6, cluster: int = 2) -> NetworkConfig:
    core = CoreConfig(code=code, lanes=8, tokens=4, head_dim=4, bias=False, mask=False, output="codes")
    return NetworkConfig(
        code=code, lanes=lanes, cluster=cluster, tokens=4, features=16, weights=32, table=8, offsets=8,
        lists=2, linear_ops=2, norm_ops=2, heads=2, accumulator_bits=26, potential_bits=34, stream_bits=20,
        attention=core,
    )  # fmt: skip


def simulate(unit: Any, bench: Any) -> None:
    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def values_of(bits: int) -> NDArray[np.int64]:
    """Every integer of few bits; of more bits some of every octave, its first and its last too."""
    if bits <= 12:
        return np.arange(-(1 << bits - 1), 1 << bits - 1)
    rng = np.random.default_rng(bits)
    octaves = 1 << np.arange(bits - 1)
    some = np.concatenate([octaves, 2 * octaves - 1, rng.integers(octaves, 2 * octaves)])
    return np.concatenate([[0], some, -some, [-(1 << bits - 1)]])


@pytest.mark.parametrize(
    ("code", "bits"),
    [
        *[pytest.param(code, 12, id=name) for code, name in zip(CODES, IDS, strict=True)],
        *[pytest.param(CODES[1], bits, id=f"{bits} bits") for bits in (2, 3, 34, 37, 45)],
    ],
)
def test_octave_encoder(code: PhaseCode, bits: int) -> None:
    values = values_of(bits)
    expected = octave_code(values, resolution(code.log2_base))
    unit = OctaveEncoder(config(code), bits)
    assert unit.latency == (6 if bits > WIDE else 5)

    async def bench(ctx: SimulatorContext) -> None:
        for cycle in range(len(values) + unit.latency):
            if cycle < len(values):
                ctx.set(unit.value, int(values[cycle]))
            if cycle >= unit.latency:
                n = cycle - unit.latency
                assert ctx.get(unit.place) == expected[n], values[n]
                assert ctx.get(unit.negative) == (values[n] < 0)
            await ctx.tick()

    simulate(unit, bench)


@pytest.mark.parametrize("code", CODES, ids=IDS)
@pytest.mark.parametrize("signed", [True, False])
def test_falling_threshold(code: PhaseCode, signed: bool) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(-(1 << 16), 1 << 16, 400)
    values[::50] = 0
    offset, shift = rng.integers(100, 250, 400), rng.integers(0, 90, 400)
    levels = geometric_levels(code)
    expected = fire(values, levels, offset + shift, code, signed=signed)
    place = octave_code(values, resolution(code.log2_base))
    unit = FallingThreshold(config(code))

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(unit.both, signed)
        ctx.set(unit.levels, [int(level) for level in levels])
        for cycle in range(len(values) + unit.latency):
            if cycle < len(values):
                ctx.set(unit.place, int(place[cycle]))
                ctx.set(unit.negative, int(values[cycle] < 0))
                ctx.set(unit.offset, int(offset[cycle]))
                ctx.set(unit.shift, int(shift[cycle]))
            if cycle >= unit.latency:
                n = cycle - unit.latency
                assert ctx.get(unit.spike.active) == (expected.sign[n] != 0)
                if expected.sign[n]:
                    assert ctx.get(unit.spike.negative) == (expected.sign[n] < 0)
                    assert ctx.get(unit.spike.phase) == expected.phase[n]
            await ctx.tick()

    simulate(unit, bench)


@pytest.mark.parametrize("code", CODES, ids=IDS)
def test_clusters_accumulate_and_queue_up(code: PhaseCode) -> None:
    """Three clusters of two neurons: two rows at the shortest distance, results without a gap."""
    size = config(code)
    rng = np.random.default_rng(4)
    weights = rng.integers(-127, 128, (size.weights, size.lanes))
    m = Module()
    clusters = [NeuronCluster(size, n) for n in range(size.clusters)]
    for n, cluster in enumerate(clusters):
        m.submodules[f"cluster_{n}"] = cluster
    for left, right in itertools.pairwise(clusters):
        m.d.comb += [
            right.i.eq(left.o),
            right.i_load.eq(left.o_load),
            right.i_write.eq(left.o_write),
            right.i_sums.eq(left.o_sums),
        ]
    rows = [rng.permutation(size.weights)[: size.lanes] for _ in range(2)]
    signs = rng.choice([-1, 1], (2, size.lanes))
    phases = rng.integers(0, code.steps, (2, size.lanes))
    most = code.octave(code.steps - 1)[0]
    received: list[list[int]] = []
    times: list[int] = []

    async def bench(ctx: SimulatorContext) -> None:
        first, last = clusters[0], clusters[-1]
        for address in range(size.weights):
            for n in range(size.clusters):
                word = weights[address, n * size.cluster : (n + 1) * size.cluster]
                packed = sum((int(w) & 255) << (8 * lane) for lane, w in enumerate(word))
                ctx.set(first.i_write, 1)
                ctx.set(first.i_load.cluster, n)
                ctx.set(first.i_load.address, address)
                ctx.set(first.i_load.data[0], packed)
                await ctx.tick()
        ctx.set(first.i_write, 0)
        for cycle in range(2 * size.lanes + 30):
            row, place = divmod(cycle, size.lanes)
            busy = row < 2
            ctx.set(first.i.valid, busy)
            if busy:
                octaves, residue = code.octave(int(phases[row, place]))
                ctx.set(first.i.first, place == 0)
                ctx.set(first.i.last, place == size.lanes - 1)
                ctx.set(first.i.active, 1)
                ctx.set(first.i.negative, int(signs[row, place] < 0))
                ctx.set(first.i.shift, most - octaves)
                ctx.set(first.i.residue, 1 << residue)
                ctx.set(first.i.address, int(rows[row][place]))
            if ctx.get(last.o_sums.valid):
                received.append([ctx.get(last.o_sums.sum[r]) for r in range(code.log2_base.denominator)])
                times.append(cycle)
            await ctx.tick()

    simulate(m, bench)
    constants = residue_constants(code)
    values = spike_values(code)
    for row in range(2):
        expected = (signs[row] * values[phases[row]]) @ weights[rows[row]]
        got = np.array(received[row * size.lanes : (row + 1) * size.lanes]) @ constants
        assert got.tolist() == expected.tolist()
    assert np.diff(times).tolist() == [1] * (2 * size.lanes - 1)


def test_terms_of_the_stream_are_rounded_at_any_shift() -> None:
    """floor((V + 2**(s-1)) / 2**s), also where half of a step is more than a potential can be."""
    size = replace(config(PhaseCode(), lanes=1, cluster=1), table=256, potential_bits=8, accumulator_bits=2)
    cases = list(itertools.product((-128, -127, -3, -1, 0, 1, 64, 127), range(MAX_SHIFT + 1)))
    unit = Drain(size)
    got = []

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(unit.i_write, 1)
        for number, (bias, shift) in enumerate(cases):
            ctx.set(unit.i_load.address, number)
            ctx.set(unit.i_load.data[0], bias & 255 | shift << 8)
            await ctx.tick()
        ctx.set(unit.i_write, 0)
        beat = unit.i_pass.payload
        for name, value in (("target", Target.stream), ("fresh", 1), ("outputs", 1), ("last", 1)):
            ctx.set(getattr(beat, name), value)
        for cycle in range(len(cases) + 10):
            ctx.set(unit.i_pass.valid, cycle < len(cases))
            ctx.set(beat.table, cycle % len(cases))
            ctx.set(unit.i_sums.valid, 1 <= cycle <= len(cases))  # accumulators of zero
            if ctx.get(unit.stream_write):
                got.append(ctx.get(unit.stream_new))
            await ctx.tick()

    simulate(unit, bench)
    assert got == [(bias + (1 << shift >> 1)) >> shift for bias, shift in cases]


@pytest.mark.parametrize(("tokens", "lists"), [(4, 1), (COUNT_REGISTERS + 1, 1), (3, 2)])
def test_spike_list_leaves_silence_out(tokens: int, lists: int) -> None:
    """Counts in registers or in a memory; one list, or two whose number is the high bit of the row."""
    unit = SpikeList(replace(config(PhaseCode()), tokens=tokens), config(PhaseCode()).features, lists)
    rows = [0, 1, 2, (tokens if lists == 1 else 8) - 1]
    rng = np.random.default_rng(5)
    active = rng.random((4, 16)) < 0.5
    active[2] = False
    active[3] = True

    async def bench(ctx: SimulatorContext) -> None:
        for row, feature in itertools.product(range(4), range(16)):
            ctx.set(unit.i.valid, 1)
            ctx.set(unit.i.payload.row, rows[row])
            ctx.set(unit.i.payload.first, feature == 0)
            ctx.set(unit.i.payload.entry.feature, feature)
            ctx.set(unit.i.payload.entry.spike.active, int(active[row, feature]))
            ctx.set(unit.i.payload.entry.spike.phase, feature)
            await ctx.tick()
        ctx.set(unit.i.valid, 0)
        for row in range(4):
            ctx.set(unit.count_row, rows[row])
            features = np.flatnonzero(active[row])
            assert ctx.get(unit.count) == len(features)
            for position, feature in enumerate(features):
                ctx.set(unit.read_row, rows[row])
                ctx.set(unit.position, position)
                await ctx.tick().repeat(2)
                assert ctx.get(unit.entry.feature) == feature
                assert ctx.get(unit.entry.spike.phase) == feature

    simulate(unit, bench)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("busy", [0.0, 0.5])
@pytest.mark.parametrize("features", [1, 2, 4])
def test_query_feeder(seed: int, busy: float, features: int) -> None:
    """Rows without their silent spikes, the last one marked, whatever the pauses of the core: of two heads,
    then of one from an earlier feature on, taken some cycles before it starts.

    With one feature a silent row may arrive while the last spike of the row before leaves.
    """
    size = config(PhaseCode())
    unit = QueryFeeder(size)
    rng = np.random.default_rng(seed)
    sign = np.where(rng.random((size.features, 4)) < [0.1, 0.5, 0.9][seed % 3], 1, 0)  # [features, tokens]
    codes = Spikes(sign.astype(np.int8), rng.integers(0, 16, sign.shape).astype(np.int8))
    got: list[tuple[int, int, int, int]] = []

    async def memory(ctx: SimulatorContext) -> None:
        feature = row = 0
        while True:
            ctx.set(unit.code.active, int(codes.sign[feature, row]))
            ctx.set(unit.code.phase, int(codes.phase[feature, row]))
            _, _, enable, feature_, row_ = await ctx.tick().sample(
                unit.enable, unit.read_feature, unit.read_row
            )
            if enable:
                feature, row = feature_, row_

    async def bench(ctx: SimulatorContext) -> None:
        for group in (unit.group, unit.following):
            ctx.set(group.features, features)
            ctx.set(group.tokens, 4)
        for earlier, base, heads in ((0, 5, 2), (3, 2, 1)):
            ctx.set(unit.following.base, base)
            ctx.set(unit.following.span, heads * features)
            ctx.set(unit.take, 1)
            await ctx.tick()
            ctx.set(unit.take, 0)
            for _ in range(earlier):
                await ctx.tick()
            ctx.set(unit.start, 1)
            assert ctx.get(unit.enable), "heads start where nothing is held up"
            await ctx.tick()
            ctx.set(unit.start, 0)
            for _ in range(120):
                ctx.set(unit.o.ready, int(rng.random() >= busy))
                beat = unit.o.payload
                sampled = await ctx.tick().sample(
                    unit.o.valid, unit.o.ready, beat.feature, beat.spike.active, beat.spike.phase, beat.last
                )
                _, _, valid, ready, feature, active, phase, last = sampled
                if valid and ready:
                    got.append((int(feature), int(active), int(phase) if active else 0, int(last)))
            assert got == list(rows(base, heads))
            got.clear()

    def rows(base: int, heads: int) -> Iterator[tuple[int, int, int, int]]:
        for head, row in itertools.product(range(base, base + heads * features, features), range(4)):
            firing = [f for f in range(features) if codes.sign[head + f, row]]
            if not firing:
                yield features - 1, 0, 0, 1
            for f in firing:
                yield f, 1, int(codes.phase[head + f, row]), int(f == firing[-1])

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(memory, background=True)
    simulator.add_testbench(bench)
    simulator.run()
