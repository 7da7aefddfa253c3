from math import prod

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from golden.stochastic.attention import scale_draw
from golden.stochastic.plan import SCORE_SHARINGS, Banks, RandomPlan
from hw.stochastic.generator import GeneratorBank, times_constant


def draws_of(bank, size, cycles, advance):
    """Draws that the hardware shows in each cycle, [cycles, drawn]."""
    dut, shown = GeneratorBank(bank, size), []

    async def bench(ctx):
        for cycle in range(cycles):
            ctx.set(dut.advance, advance(cycle))
            shown.append([ctx.get(dut.draws[n]) for n in range(prod(bank.drawn))])
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    return np.array(shown)


@pytest.mark.parametrize("size", [1, 2, 5, 8, 13])
@pytest.mark.parametrize("score", SCORE_SHARINGS)
def test_draws_equal_golden(score, size):
    plan = RandomPlan(width=20, draw_bits=10, leap=7, seed=5, score=score)
    bank = Banks(plan=plan, rows=2, tokens=3).all["score"]
    # Two events in a row, then one cycle without
    advance = [cycle % 3 < 2 for cycle in range(60)]
    events = np.cumsum([0, *advance])[:60]
    expected = scale_draw(bank.numbers(0, 60), size, 10).reshape(60, -1)
    np.testing.assert_array_equal(draws_of(bank, size, 60, lambda c: advance[c]), expected[events])


@pytest.mark.parametrize("leap", [1, 2, 16])
def test_period_in_hardware(leap):
    # 255 events visit every state but zero once; then the sequence starts again
    plan = RandomPlan(width=8, draw_bits=8, leap=leap, output="broadcast", allow_dependent=True)
    bank = Banks(plan=plan, rows=1, tokens=1).all["output"]
    shown = draws_of(bank, 256, 300, lambda cycle: True)[:, 0]
    assert sorted(shown[:255]) == list(range(1, 256))
    np.testing.assert_array_equal(shown[255:], shown[:45])


class Times(wiring.Component):
    def __init__(self, factor):
        self.factor = factor
        super().__init__({"x": In(6), "y": Out(20)})

    def elaborate(self, platform):
        m = Module()
        product = Signal(20)
        m.d.comb += [product.eq(times_constant(self.x, self.factor)), self.y.eq(product)]
        return m


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 12, 29, 49, 100, 197, 255])
def test_times_constant(factor):
    dut = Times(factor)

    async def bench(ctx):
        for x in range(64):
            ctx.set(dut.x, x)
            assert ctx.get(dut.y) == x * factor

    sim = Simulator(dut)
    sim.add_testbench(bench)
    sim.run()
