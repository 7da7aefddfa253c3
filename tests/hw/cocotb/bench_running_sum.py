"""How a bench is written: a component, the cases to build, and cocotb tests that compare with `==`."""

from typing import Any

import cocotb
import numpy as np
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tests.hw.cocotb.streams import PACES, Bench


class RunningSum(wiring.Component):
    """Sum of the values since the last one marked `first`; latency 1 cycle, one beat per cycle.

    Args:
        width: bits of a value, signed.
        lanes: sums side by side.
        fault: for the tests of the benches themselves; "none" outside them.
    """

    def __init__(self, *, width: int, lanes: int, fault: str = "none") -> None:
        self._fault = fault
        values = data.ArrayLayout(signed(width), lanes)
        sums = data.ArrayLayout(signed(width + 8), lanes)
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"first": 1, "values": values}))),
                "o": Out(stream.Signature(sums)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        free, beats = Signal(), Signal(4)
        m.d.comb += [free.eq(~self.o.valid | self.o.ready), self.i.ready.eq(free)]
        with m.If(free):
            m.d.sync += self.o.valid.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += beats.eq(beats + 1)
                for total, value in zip(self.o.payload, self.i.payload.values, strict=True):
                    with m.If(self.i.payload.first):
                        m.d.sync += total.eq(value)
                    with m.Else():
                        m.d.sync += total.eq(total + value)
        seventh = self.o.valid & (beats == 7)
        if self._fault == "value":
            m.d.sync += self.o.payload[-1][3].eq(seventh)
        elif self._fault == "drop":
            with m.If(seventh & free):
                m.d.sync += self.o.valid.eq(0)
        elif self._fault == "withdraw":
            with m.If(seventh & ~free):
                m.d.sync += self.o.valid.eq(0)
        elif self._fault == "repeat":
            with m.If(seventh & free):
                m.d.sync += [self.o.valid.eq(1), beats.eq(0)]
                m.d.comb += self.i.ready.eq(0)
        return m


# One Verilog module and one run of the simulator per case; the tests find the parameters in the manifest.
CASES = {
    "narrow": (RunningSum, {"width": 5, "lanes": 1}),
    "wide": (RunningSum, {"width": 13, "lanes": 7}),
}


def workload(bench: Bench, count: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    limit = 1 << bench.manifest.parameters["width"] - 1
    first = rng.random(count) < 0.1
    first[0] = True
    values = rng.integers(-limit, limit, (count, bench.manifest.parameters["lanes"]))
    return {"first": first, "values": values}


def golden(fields: dict[str, Any]) -> np.ndarray:
    sums = np.array(fields["values"])
    for n in np.flatnonzero(~fields["first"]):
        sums[n] += sums[n - 1]
    return sums


@cocotb.test()
@PACES
async def equals_golden(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        fields = workload(bench, 100, seed=cocotb.RANDOM_SEED)
        bench.send("i", fields)
        bench.expect("o", golden(fields))
    if not idle and not backpressure:
        assert bench.outputs["o"].cycles == list(range(1, 101))


@cocotb.test()
@PACES
async def reset_in_the_middle(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        for seed in (1, 2):
            fields = workload(bench, 40, seed)
            bench.send("i", fields)
            bench.expect("o", golden(fields))
            if seed == 1:
                await bench.run(17)
                await bench.reset()
