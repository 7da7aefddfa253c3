"""The key-serial core: groups of tokens, terms, heads back to back."""

from typing import Any

import cocotb
import numpy as np

from golden.attention.job import AttentionJob, compute
from golden.attention.key_serial import KeySerialConfig, from_table
from hw.keyserial.core import KeySerialCore
from sim.cores.keyserial.driver import input_beats
from tests.hw.attention.core_cases import random_job
from tests.hw.cocotb.streams import PACES, Bench

# Raw context: the phase of a silent code is open, and codes are compared in test_key_serial_core
SIZES = {"lanes": 4, "cluster": 2, "tokens": 7, "head_dim": 5, "output": "context"}
CASES: dict[str, dict[str, Any]] = {
    "both signs and no room for silence": SIZES,
    "silence of each spike": SIZES | {"steps": 8, "log2_base": "3/4", "trace_bits": 7, "bias": False},
    "sum of phases": SIZES | {"steps": 24, "log2_base": "2/7", "mask": False},
}


def configuration(parameters: dict[str, Any]) -> KeySerialConfig:
    return from_table(parameters, "bench")


def core(parameters: dict[str, Any]) -> KeySerialCore:
    return KeySerialCore(configuration(parameters))


def play(bench: Bench, job: AttentionJob, config: KeySerialConfig) -> None:
    for name, fields in input_beats(job, config).items():
        bench.send(name, fields)
    found = compute(job)
    rows = job.heads * job.tokens
    row = np.concatenate([found.normaliser[..., None], found.context], axis=-1)
    places = np.tile(np.arange(job.head_dim + 1), rows)
    tags = {"normaliser": places == 0, "last": places == job.head_dim}
    bench.expect("o_context", {"value": row.ravel()} | {name: tag.astype(int) for name, tag in tags.items()})


@cocotb.test()
@PACES
async def heads_back_to_back(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        config = configuration(bench.manifest.parameters)
        rng = np.random.default_rng(cocotb.RANDOM_SEED)
        for seed in rng.integers(1 << 30, size=4):
            play(bench, random_job(int(seed), config), config)


@cocotb.test()
@PACES
async def reset_in_the_middle(dut, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        config = configuration(bench.manifest.parameters)
        for run in range(2):
            play(bench, random_job(run, config), config)
            if run == 0:
                await bench.run(61)
                await bench.reset()
