"""The integer core: every kind of multiplier, groups of tokens, terms, heads back to back."""

from typing import Any

import cocotb
import numpy as np

from golden.integer.config import IntegerConfig
from golden.integer.job import IntegerJob, compute
from hw.integer.core import IntegerCore
from sim.cores.integer.driver import input_beats
from tests.hw.cocotb.streams import PACES, Bench
from tests.hw.integer.random_jobs import random_job

SIZES = {"lanes": 4, "cluster": 2, "tokens": 7, "head_dim": 5}
CASES: dict[str, dict[str, Any]] = {
    "dsp": SIZES,
    "squares": SIZES | {"multiplier": "table", "mask": False},
    "partial products": SIZES | {"multiplier": "logic", "bits": 5, "bias": False, "output": "codes"},
    "table of products": SIZES | {"multiplier": "table", "bits": 4, "output": "context"},
}


def core(parameters: dict[str, Any]) -> IntegerCore:
    return IntegerCore(IntegerConfig(**parameters))


def play(bench: Bench, job: IntegerJob, config: IntegerConfig) -> None:
    for name, fields in input_beats(job, config).items():
        bench.send(name, fields)
    found = compute(job)
    last = np.arange(1, job.head_dim + 1) == job.head_dim
    rows = job.heads * job.tokens
    if config.output != "context":
        bench.expect("o_code", {"value": found.out.ravel(), "last": np.tile(last, rows)})
    if config.output != "codes":
        row = np.concatenate([found.normaliser[..., None], found.context], axis=-1)
        tags = {"normaliser": np.append(True, 0 * last), "last": np.append(False, last)}
        tags = {name: np.tile(tag, rows).astype(int) for name, tag in tags.items()}
        bench.expect("o_context", {"value": row.ravel()} | tags)


@cocotb.test()
@PACES
async def heads_back_to_back(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        config = IntegerConfig(**bench.manifest.parameters)
        rng = np.random.default_rng(cocotb.RANDOM_SEED)
        for _ in range(4):
            play(bench, random_job(rng, config), config)


@cocotb.test()
@PACES
async def reset_in_the_middle(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        config = IntegerConfig(**bench.manifest.parameters)
        rng = np.random.default_rng(3)
        for run in range(2):
            play(bench, random_job(rng, config), config)
            if run == 0:
                await bench.run(61)
                await bench.reset()
