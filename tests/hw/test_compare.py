"""Comparisons with constants, against numbers."""

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hw.parts.compare import above


def test_above_every_constant() -> None:
    value, m = Signal(5), Module()
    results = []
    for constant in range(40):
        result = Signal(name=f"above_{constant}")
        m.d.comb += result.eq(above(value, constant))
        results.append(result)

    async def bench(ctx) -> None:  # type: ignore[no-untyped-def]
        for number in range(32):
            ctx.set(value, number)
            assert [ctx.get(result) for result in results] == [number > constant for constant in range(40)]

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
