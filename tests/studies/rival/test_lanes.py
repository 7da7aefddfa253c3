"""Lanes measured beside the cores: those that multiply in a dense layer, and spikes in vector units."""

from fractions import Fraction

import numpy as np
import pytest
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from golden.code import PhaseCode
from golden.integer.config import MULTIPLIERS, IntegerConfig
from hw.attention.trace import pairs_fit
from hw.parts.payloads import spike
from studies.rival.contest import CODES
from studies.rival.mac_cluster import MacCluster
from studies.rival.spike_vector import lanes
from tests.hw.network.test_components import config


@pytest.mark.parametrize("multiplier", MULTIPLIERS)
def test_lanes_that_multiply(multiplier: str) -> None:
    """Two rows of values through a cluster of two lanes."""
    size = config(PhaseCode(log2_base=Fraction(1)), lanes=2)
    integers = IntegerConfig(bits=8, multiplier=multiplier, cluster=2)
    cluster = MacCluster(size, 0, integers)
    rng = np.random.default_rng(6)
    weights = rng.integers(-127, 128, (size.weights, 2))
    values = rng.integers(-127, 128, (2, size.weights))
    received: list[int] = []

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(cluster.i_write, 1)
        for address, (low, high) in enumerate(weights.tolist()):
            ctx.set(cluster.i_load.address, address)
            ctx.set(cluster.i_load.data[0], (low & 255) | (high & 255) << 8)
            await ctx.tick()
        ctx.set(cluster.i_write, 0)
        for cycle in range(2 * size.weights + 20):
            row, place = divmod(cycle, size.weights)
            ctx.set(cluster.i.valid, row < 2)
            if row < 2:
                ctx.set(cluster.i.first, place == 0)
                ctx.set(cluster.i.last, place == size.weights - 1)
                ctx.set(cluster.i.value, int(values[row, place]))
                ctx.set(cluster.i.address, place)
            if ctx.get(cluster.o_sums.valid):
                received.append(ctx.get(cluster.o_sums.sum[0]))
            await ctx.tick()

    simulate(cluster, bench)
    expected = values @ weights
    if integers.squares:
        expected = 2 * expected + (values**2).sum(axis=1)[:, None] + (weights**2).sum(axis=0)
    assert received == expected.ravel().tolist()


@pytest.mark.parametrize(
    "code", [code for code in CODES if pairs_fit(code)], ids=lambda code: f"T={code.steps}"
)
@pytest.mark.parametrize("half", [0, 1], ids=["scores", "context"])
def test_spikes_in_vector_units(code: PhaseCode, half: int) -> None:
    """Sums of the points that a held vector makes with words of the memory."""
    cluster = lanes(code)[half]
    rng = np.random.default_rng(7)
    size, words = 8, 12
    active = rng.random((words + 1, size)) < 0.7
    negative = rng.random((words + 1, size)) < 0.5
    phase = rng.integers(0, code.steps, (words + 1, size))
    layout = spike(code)
    bits = [
        [
            layout.const({"active": int(a), "negative": int(n), "phase": int(p)}).as_bits()
            for a, n, p in zip(*row, strict=True)
        ]
        for row in zip(active, negative, phase, strict=True)
    ]
    received: list[int] = []

    async def bench(ctx: SimulatorContext) -> None:
        # what comes first ends in the highest lane; a value enters a cycle behind its command
        for lane in reversed(range(size)):
            ctx.set(cluster.i_shift, 1)
            await ctx.tick()
            ctx.set(cluster.i_vector, bits[0][lane])
        ctx.set(cluster.i_shift, 0)
        await ctx.tick()
        for word in range(words):
            for lane in reversed(range(size)):
                ctx.set(cluster.i_load.shift, 1)
                await ctx.tick()
                ctx.set(cluster.i_word, bits[word + 1][lane])
            ctx.set(cluster.i_load.shift, 0)
            ctx.set(cluster.i_load.write, 1)
            ctx.set(cluster.i_load.address, word)
            await ctx.tick()
            ctx.set(cluster.i_load.write, 0)
        for word in range(words):
            ctx.set(cluster.i_dot.take, word == 0)
            ctx.set(cluster.i_dot.address, word)
            await ctx.tick()
            ctx.set(cluster.i_dot.take, 0)
            await ctx.tick().repeat(15)
            received.append(ctx.get(cluster.o_sum))

    simulate(cluster, bench)
    sign = np.where(negative[0] ^ negative[1:], -1, 1) * (active[0] & active[1:])
    assert received == (sign * code.trace[phase[0] + phase[1:]]).sum(axis=1).tolist()


def simulate(unit: wiring.Component, bench: object) -> None:
    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
