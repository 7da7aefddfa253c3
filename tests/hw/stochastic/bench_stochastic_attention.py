"""The stochastic engine: full array, row groups, sizes that are no power of two, encoders, plans."""

import cocotb
import numpy as np

from golden.stochastic.attention import StochasticJob, compute, prepare
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from hw.stochastic.core import StochasticAttention
from sim.cores.stochastic.beats import job_beats, output_beats
from sim.timing.stochastic import predict, replay
from tests.hw.cocotb.streams import PACES, Bench


def config_of(parameters: dict) -> StochasticConfig:
    sizes = {name: value for name, value in parameters.items() if name != "plan"}
    return StochasticConfig(**sizes, plan=RandomPlan(**parameters["plan"]))


def engine(**parameters) -> StochasticAttention:
    return StochasticAttention(config_of(parameters), taps=True)


CASES = {
    "full": (engine, {"tokens": 4, "head_dim": 8, "rows": 4, "plan": {}}),
    "groups": (engine, {"tokens": 7, "head_dim": 5, "rows": 3, "mask": "causal", "plan": {"score": "row"}}),
    "encoders": (engine, {"tokens": 9, "head_dim": 5, "rows": 4, "encoders": True, "plan": {}}),
}


def job_of(bench: Bench, steps: int, heads: int, seed: int) -> StochasticJob:
    config = config_of(bench.manifest.parameters)
    rng = np.random.default_rng(seed)
    return prepare(*(rng.random((3, steps, heads, config.tokens, config.head_dim)) < 0.7), config)


def play(bench: Bench, job: StochasticJob) -> None:
    bench.send("i", job_beats(job))
    for stream, fields in output_beats(compute(job), job.config).items():
        bench.expect(stream, fields)


@cocotb.test()
@PACES
async def equals_golden(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        job = job_of(bench, steps=4, heads=2, seed=cocotb.RANDOM_SEED)
        play(bench, job)
    if not backpressure:
        accepted, delivered = bench.inputs["i"].accepted, bench.outputs["o"].cycles
        predicted = replay(job.config, [int(n) for n in np.diff(accepted, prepend=-1) - 1], [])
        assert accepted == predicted.accepted.tolist()
        assert delivered == predicted.delivered.tolist()
        if not idle:
            assert delivered[-1] == predict(job).total


@cocotb.test()
@PACES
async def one_step(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        play(bench, job_of(bench, steps=1, heads=1, seed=1))


@cocotb.test()
@PACES
async def reset_in_the_middle(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        for seed in (1, 2):
            play(bench, job_of(bench, steps=5, heads=1, seed=seed))
            if seed == 1:
                await bench.run(17)
                await bench.reset()
