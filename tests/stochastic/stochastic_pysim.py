"""Runs a stochastic engine in Amaranth's own simulator."""

from collections.abc import Iterable, Sequence

import numpy as np
from amaranth.sim import Simulator

from golden.stochastic.config import StochasticConfig


def columns_of(q, k, v, config: StochasticConfig):
    """Input columns of trains or rates [steps, heads, tokens, head_dim] in the engine's order.

    Keys and values outside row group 0 are garbage on purpose: the engine must not read them.
    """
    steps, heads, tokens, head_dim = q.shape
    garbage = np.random.default_rng(0).integers(0, 2, size=(2, tokens))
    padded = np.zeros((steps, heads, config.groups * config.rows, head_dim), dtype=q.dtype)
    padded[:, :, :tokens] = q
    for h in range(heads):
        for t in range(steps):
            for group in range(config.groups):
                rows = slice(group * config.rows, (group + 1) * config.rows)
                for c in range(head_dim):
                    kv = (k[t, h, :, c], v[t, h, :, c]) if group == 0 else garbage
                    yield padded[t, h, rows, c], kv[0], kv[1]


def run_engine(
    dut, columns: Iterable, outputs: int, gaps: Sequence[int] = (), ready: Sequence[bool] = ()
) -> tuple[list[int], list[int], list[int]]:
    """Drive a component and collect its outputs.

    Args:
        dut: the component.
        columns: (q, k, v) of each input column.
        outputs: number of output columns.
        gaps: cycles between the transfer before and the offer of each column; 0 where absent.
        ready: whether outputs are taken in cycle n; true after the end.

    Returns:
        (output payloads, cycles of input transfers, cycles of output transfers).
    """
    received: list[int] = []
    accepted: list[int] = []
    emitted: list[int] = []
    sim = Simulator(dut)
    sim.add_clock(1e-6)

    async def feed(ctx):
        cycle = 0
        for number, column in enumerate(columns):
            for _ in range(gaps[number] if number < len(gaps) else 0):
                await ctx.tick()
                cycle += 1
            names = ("q", "k", "v")
            values = {name: [int(x) for x in part] for name, part in zip(names, column, strict=True)}
            ctx.set(dut.i.payload, values)
            ctx.set(dut.i.valid, 1)
            taken = False
            while not taken:
                taken = ctx.get(dut.i.ready)
                await ctx.tick()
                cycle += 1
            accepted.append(cycle - 1)
            ctx.set(dut.i.valid, 0)

    async def drain(ctx):
        cycle = 0
        while len(received) < outputs:
            take = cycle >= len(ready) or ready[cycle]
            ctx.set(dut.o.ready, take)
            valid, value = ctx.get(dut.o.valid), ctx.get(dut.o.payload.as_value())
            await ctx.tick()
            if take and valid:
                received.append(value)
                emitted.append(cycle)
            cycle += 1

    sim.add_testbench(feed, background=True)
    sim.add_testbench(drain)
    sim.run()
    return received, accepted, emitted


def unpack(received, job) -> np.ndarray:
    """Output payloads -> bool [steps, heads, tokens, head_dim]."""
    config = job.config
    words = np.array(received, dtype=object).reshape(job.heads, job.steps, config.groups, config.head_dim)
    out = np.empty(job.q.shape, dtype=bool)
    for i in range(config.tokens):
        group, row = divmod(i, config.rows)
        out[:, :, i] = ((words[:, :, group] >> row) & 1).astype(bool).swapaxes(0, 1)
    return out
