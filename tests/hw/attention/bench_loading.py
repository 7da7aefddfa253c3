"""Loaders with trace memories and terms chains: what was sent is in the right lane; queue of heads."""

import dataclasses

import numpy as np

from golden.code import Spikes
from sim.cores.attention.driver import groups_of, head_beats, spike_beats, term_beats, trace_beats
from tests.hw.attention.core_cases import random_job
from tests.hw.attention.scenario import UnitBench, random_spikes, scenario


@scenario("heads")
async def heads_in_order(bench: UnitBench, rng: np.random.Generator) -> None:
    heads = head_beats(random_job(int(rng.integers(1 << 30)), bench.config), bench.config)
    for _ in range(30):
        bench.send("i", heads)
        bench.expect("o", heads)


@scenario("memories")
async def words_of_every_head(bench: UnitBench, rng: np.random.Generator) -> None:
    """Heads of different size; one is read while the next one loads."""
    config = bench.config
    sizes = [(config.tokens, config.head_dim), (1, 1), (config.lanes, 2)]
    sizes += [(rng.integers(1, config.tokens + 1), rng.integers(1, config.head_dim + 1)) for _ in range(3)]
    heads = [random_spikes(rng, config.code, 1, *size) for size in sizes]
    for keys, (tokens, features) in zip(heads, sizes, strict=True):
        bench.send("i_head", {"tokens": np.array([tokens]), "features": np.array([features])})
        bench.send("i", trace_beats(keys, config))
    for number, (keys, (tokens, features)) in enumerate(zip(heads, sizes, strict=True)):
        groups = groups_of(tokens, config)
        group, feature = (a.ravel() for a in np.indices((len(groups), features)))
        address = {"feature": feature, "bank": np.full(group.shape, number % 2)}
        address |= {"group": group} if config.groups > 1 else {}
        present = np.array([len(tokens) for tokens in groups])[group]
        words = Spikes(*(np.zeros((len(group), config.lanes), np.int8) for _ in range(2)))
        for n in range(len(group)):
            for field in ("sign", "phase"):
                column = getattr(keys, field)[0, groups[group[n]], feature[n]]
                getattr(words, field)[n, : present[n]] = column
        await bench.until("full")
        bench.send("i_read", {"address": address, "present": present})
        bench.expect("o_word", spike_beats(words))
        await bench.received("o_word")
        await bench.pulse("release")


@scenario("terms")
async def terms_of_every_pass(bench: UnitBench, rng: np.random.Generator) -> None:
    """Heads of different size, some without terms; every bias that the score has room for."""
    config = bench.config
    for seed in rng.integers(1 << 30, size=6):
        job = random_job(int(seed), config)
        shape, with_terms = (job.heads, job.tokens, job.tokens), bool(rng.random() < 0.8)
        if with_terms:
            bias = rng.integers(-config.bias_limit, config.bias_limit + 1, shape)
            job = dataclasses.replace(job, bias=bias, allowed=rng.random(shape) < 0.5)
            bench.send("i", term_beats(job, config))
        heads = np.ones(job.heads, int)
        bench.send("i_head", {"tokens": job.tokens * heads, "terms": with_terms * heads})
        if not with_terms:
            continue
        for head, row, tokens in np.ndindex(*shape[:2], len(groups_of(job.tokens, config))):
            group = groups_of(job.tokens, config)[tokens]
            lanes = np.zeros((2, 1, config.lanes), int)
            lanes[0, 0, : len(group)] = job.bias[head, row, group]
            lanes[1, 0, : len(group)] = ~job.allowed[head, row, group]
            bench.send("i_consume", np.array([len(group)]))
            bench.expect("o_terms", {"bias": lanes[0], "masked": lanes[1]})
