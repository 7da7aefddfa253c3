"""Whole core: heads of different size back to back."""

import numpy as np

from golden.attention.job import compute
from sim.cores.attention.driver import input_beats, spike_beats
from tests.hw.attention.core_cases import random_job
from tests.hw.attention.scenario import UnitBench, scenario


@scenario("core", cut=250)
async def heads_back_to_back(bench: UnitBench, rng: np.random.Generator) -> None:
    config = bench.config
    for seed in rng.integers(1 << 30, size=5):
        job = random_job(int(seed), config)
        for name, fields in input_beats(job, config).items():
            bench.send(name, fields)
        spikes = compute(job)
        last = np.arange(1, job.head_dim + 1) == job.head_dim
        rows = job.heads * job.tokens
        if config.output != "context":
            flat = type(spikes.out)(spikes.out.sign.ravel(), spikes.out.phase.ravel())
            bench.expect("o_code", {"spike": spike_beats(flat), "last": np.tile(last, rows)})
        if config.output != "codes":
            row = np.concatenate([spikes.normaliser[..., None], spikes.context], axis=-1)
            tags = {"normaliser": np.append(True, 0 * last), "last": np.append(False, last)}
            tags = {name: np.tile(tag, rows).astype(int) for name, tag in tags.items()}
            bench.expect("o_context", {"value": row.ravel()} | tags)
