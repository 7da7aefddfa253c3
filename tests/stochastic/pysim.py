"""Runs a stochastic engine in Amaranth's own simulator."""

from collections.abc import Iterable

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


def dut_bits(ctx, payload) -> int:
    return ctx.get(payload.as_value())


def run_engine(
    dut,
    columns: Iterable,
    outputs: int,
    pause_in=lambda: False,
    pause_out=lambda: False,
    payload=lambda q, k, v: {"q": [int(b) for b in q], "k": [int(b) for b in k], "v": [int(b) for b in v]},
):
    """Drive a component and collect its outputs.

    Returns:
        (output payloads, cycles of input transfers, cycles of output transfers, tapped scores).
    """
    received, accepted, emitted, scores = [], [], [], []
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    cycle = 0

    async def count(ctx):
        nonlocal cycle
        async for _ in ctx.tick():
            cycle += 1

    async def feed(ctx):
        for column in columns:
            while pause_in():
                await ctx.tick()
            ctx.set(dut.i.payload, payload(*column))
            ctx.set(dut.i.valid, 1)
            while True:
                ready = ctx.get(dut.i.ready)
                now = cycle
                await ctx.tick()
                if ready:
                    break
            accepted.append(now)
            ctx.set(dut.i.valid, 0)

    async def drain(ctx):
        while len(received) < outputs:
            ready = not pause_out()
            ctx.set(dut.o.ready, ready)
            valid, value, now = ctx.get(dut.o.valid), dut_bits(ctx, dut.o.payload), cycle
            await ctx.tick()
            if ready and valid:
                received.append(value)
                emitted.append(now)

    async def watch(ctx):
        while True:
            if ctx.get(dut.o_score.valid):
                scores.append(dut_bits(ctx, dut.o_score.payload))
            await ctx.tick()

    sim.add_process(count)
    sim.add_testbench(feed, background=True)
    if hasattr(dut, "o_score"):
        sim.add_testbench(watch, background=True)
    sim.add_testbench(drain)
    sim.run()
    return received, accepted, emitted, scores


def unpack(received, job) -> np.ndarray:
    """Output payloads -> bool [steps, heads, tokens, head_dim]."""
    config = job.config
    words = np.array(received, dtype=object).reshape(job.heads, job.steps, config.groups, config.head_dim)
    out = np.empty(job.q.shape, dtype=bool)
    for i in range(config.tokens):
        group, row = divmod(i, config.rows)
        out[:, :, i] = ((words[:, :, group] >> row) & 1).astype(bool).swapaxes(0, 1)
    return out
