"""Lanes measured beside the cores: those that multiply in a dense layer."""

from fractions import Fraction

import numpy as np
import pytest
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from golden.code import PhaseCode
from golden.integer.config import MULTIPLIERS, IntegerConfig
from studies.rival.mac_cluster import MacCluster
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


def simulate(unit: wiring.Component, bench: object) -> None:
    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
