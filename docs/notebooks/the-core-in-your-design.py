# %% [markdown]
# # The core in your own design
#
# The attention core is an Amaranth component with streams; in a design of yours it is a submodule
# like any other. For Verilog there are AXI4-Stream ports ([the core as an IP](../ip.md)). All on a
# core of two lanes, so that the simulator of Amaranth, which is written in Python, is done in
# seconds.

# %%
import json
from pathlib import Path

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from amaranth.sim import Simulator

import onespike
from sim.cores.attention.driver import input_beats

config = onespike.CoreConfig(
    code=onespike.PhaseCode(steps=4, trace_bits=6),
    lanes=2, cluster=2, tokens=2, head_dim=2, terms_per_beat=2,
    bias=False, mask=False, output="codes", trace_store="logic",
)  # fmt: skip
core = onespike.SpikedAttentionCore(config)
q, k, v = np.random.default_rng(1).normal(size=(3, 1, 2, 2))
job = core.prepare(q, k, v)
golden = core.compute(job)

# %% [markdown]
# ## In Amaranth
#
# A design that counts the output spikes of the core. Its other ports go to the outside as they are.


# %%
class Counting(wiring.Component):
    """An attention core, and how many of its output neurons have fired."""

    def __init__(self, inner):
        self.inner = inner
        members = dict(inner.signature.members.items())
        super().__init__({**members, "fired": Out(16)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.attention = self.inner
        for name in self.inner.signature.members:
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(self.inner, name))
        code = self.inner.o_code
        with m.If(code.valid & code.ready & code.p.spike.active):
            m.d.sync += self.fired.eq(self.fired + 1)
        return m


design = Counting(core.component())

# %% [markdown]
# `input_beats` turns a job into the beats of every stream. A test bench offers them; streams do not
# wait for each other.


# %%
def beat(fields, number):
    """One beat of a stream, field by field."""
    return {
        name: beat(part, number) if isinstance(part, dict) else part[number].tolist()
        for name, part in fields.items()
    }


def length(fields):
    part = next(iter(fields.values()))
    return length(part) if isinstance(part, dict) else len(part)


def source(stream, fields):
    """A test bench that offers all beats of a stream."""

    async def bench(ctx):
        for number in range(length(fields)):
            ctx.set(stream.payload, beat(fields, number))
            ctx.set(stream.valid, 1)
            await ctx.tick().until(stream.ready)
            ctx.set(stream.valid, 0)

    return bench


fired = []


async def sink(ctx):
    """Takes every code of the output."""
    ctx.set(design.o_code.ready, 1)
    while len(fired) < golden.out.sign.size:
        (payload,) = await ctx.tick().sample(design.o_code.payload).until(design.o_code.valid)
        spike = payload.spike
        fired.append((1 - 2 * spike.negative) * spike.active)


simulator = Simulator(design)
simulator.add_clock(1e-8)
for name, fields in input_beats(job, config).items():
    simulator.add_testbench(source(getattr(design, name), fields), background=True)
simulator.add_testbench(sink)
simulator.run()
print("signs of the output spikes:", fired)
assert fired == golden.out.sign.ravel().tolist()

# %% [markdown]
# ## In Verilog
#
# `write(axi=True)` makes Verilog with AXI4-Stream ports, a manifest that says what is in `tdata`, and
# a core file for FuseSoC. An instance, written from the manifest:

# %%
paths = {path.suffix: path for path in core.write(Path("ip"), axi=True)}
manifest = json.loads(paths[".json"].read_text())
ends = ("tdata", "tvalid", "tready", "tlast")
print(f"{manifest['name']} attention (")
print(f"    .{manifest['clock']}(clk), .{manifest['reset']}(rst_n)", end="")
for port in manifest["streams"]:
    for end in ends if port["tlast"] else ends[:-1]:
        print(f",\n    .{port['name']}_{end}({port['name']}_{end})", end="")
print("\n);")
for port in manifest["streams"]:
    print(port["name"], port["tdata_bytes"], "bytes:", json.dumps(port["layout"])[:100])
