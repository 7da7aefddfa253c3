"""Attention core in Verilog against golden: integers and cycles, over cores, workloads, pauses, reset."""

import dataclasses

import numpy as np
import pytest

from golden.attention.config import PRESETS, CoreConfig
from golden.attention.job import AttentionJob, compute, prepare
from golden.code import Spikes
from sim.cores.attention.core import SpikedAttentionCore
from sim.timing.attention import predict, predict_in_turn
from studies.data.random import random_heads
from tests.hw.attention.core_cases import CORES, full_job, random_job
from tests.hw.attention.random_jobs import Checked, check_run, check_runs, random_config

WORKLOADS = 40  # per core


def check(job: AttentionJob, config: CoreConfig, **how: object) -> None:
    """Every integer equals golden's, at full rate every completion cycle the prediction."""
    core = SpikedAttentionCore(config).tapped()
    ran = core.run(job, quick=True, **how)
    difference = core.compare(job, vars(ran.integers)).first_difference
    assert difference is None, difference
    if not how:
        measured, predicted = ran.cycles.rows, core.predict(job).rows
        late = np.argwhere(measured != predicted)
        assert not len(late), (
            f"head, row {late[0].tolist()}: measured {measured[tuple(late[0])]}, "
            f"predicted {predicted[tuple(late[0])]}"
        )


@pytest.mark.parametrize("name", CORES)
def test_integers_and_cycles(name: str) -> None:
    """At full rate: random heads back to back, equal to golden and to the cycle model."""
    for seed in range(WORKLOADS):
        check(random_job(seed, CORES[name]), CORES[name])


@pytest.mark.parametrize("name", CORES)
def test_pauses(name: str) -> None:
    """{idle or not} x {backpressure or not}: the integers do not depend on the pace."""
    inputs = ["i_head", "i_key", "i_value", "i_query"] + (["i_terms"] if CORES[name].terms else [])
    outputs = [
        f"o_{form}" for form in ("code", "context") if CORES[name].output in ("both", form + "s", form)
    ]
    for seed in range(6):
        job = random_job(100 + seed, CORES[name])
        for streams in (inputs, outputs, inputs + outputs):
            check(job, CORES[name], pauses=dict.fromkeys(streams, 0.15 + 0.12 * seed), seed=seed)


@pytest.mark.parametrize("name", CORES)
def test_standstill(name: str) -> None:
    """An output is taken so seldom that every stage waits for the next, with all of its buffers full."""
    config = CORES[name]
    job = full_job(9, config)
    for port in (f"o_{form}" for form in ("code", "context") if config.output in ("both", form + "s", form)):
        check(job, config, pauses={port: 0.95}, seed=1)


@pytest.mark.parametrize("name", ["two-clusters", "two-groups", "three-groups"])
def test_reset_in_the_middle(name: str) -> None:
    """A reset in any phase of a head, even one cycle long, leaves nothing behind."""
    job = random_job(7, CORES[name])
    total = predict(job, CORES[name]).total
    for cycle in np.linspace(1, total - 1, 40).astype(int):
        check(job, CORES[name], reset_at=int(cycle))


@pytest.mark.parametrize("name", ["two-groups", "eleven-groups"])
def test_reset_in_a_search(name: str) -> None:
    """A bit of a score that is on its way leaves no key out: behind the reset a head has one only."""
    config = dataclasses.replace(CORES[name], taps=True)
    job = random_job(7, config)
    jobs = [cut(job, 1), job]
    total = max(int(report.rows.max()) for report in predict_in_turn(jobs, config))
    for cycle in np.linspace(1, total - 1, 40).astype(int):
        check_run(jobs, config, Checked(), reset_at=int(cycle))


CORNERS = CORES["two-clusters"]


def corner(**changes: object) -> AttentionJob:
    """A plain job of one head, 8 tokens and 16 features, with changes."""
    q, k, v = np.random.default_rng(1).standard_normal((3, 1, 8, 16))
    return dataclasses.replace(prepare(q, k, v, CORNERS.code).job, **changes)


def constant(sign: int, phase: int) -> Spikes:
    shape = (1, 8, 16)
    return Spikes(np.full(shape, sign, np.int8), np.full(shape, phase, np.int8))


SILENT = constant(0, CORNERS.code.steps)
STEP = np.array([1 << 16])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"q": constant(1, 3), "k": constant(1, 3)}, id="equal phases, ties for the winner"),
        pytest.param({"q": constant(1, 5), "k": constant(-1, 2)}, id="all scores negative"),
        pytest.param({"q": constant(1, 0), "k": constant(1, 0), "v": constant(1, 0)}, id="saturated"),
        pytest.param(
            {"q": constant(-1, 0), "k": constant(1, 0), "v": constant(-1, 0)}, id="saturated, negative"
        ),
        pytest.param({"q": SILENT}, id="silent q"),
        pytest.param({"k": SILENT}, id="silent k"),
        pytest.param({"v": SILENT}, id="silent v"),
        pytest.param({"q": SILENT, "k": SILENT, "v": SILENT}, id="all silent"),
        pytest.param({"ramp_step": np.array([0])}, id="ramp that does not fall: winners only"),
        pytest.param({"ramp_step": np.array([1])}, id="all but the winner beyond the ramp"),
        pytest.param({"ramp_step": STEP}, id="all keys inside the ramp"),
        pytest.param({"ramp_step": np.array([1 << 40])}, id="step beyond the register"),
        pytest.param({"window": 1}, id="window of one step"),
        pytest.param({"ratio": np.array([[1, 1]])}, id="smallest output ratio"),
        pytest.param({"ratio": np.array([[(1 << 19) - 1, 370727]])}, id="largest output ratio"),
        pytest.param({"bias": np.full((1, 8, 8), CORNERS.bias_limit)}, id="largest bias"),
        pytest.param({"bias": np.full((1, 8, 8), -CORNERS.bias_limit), "k": SILENT}, id="smallest bias"),
        pytest.param({"allowed": np.eye(8, dtype=bool)[None]}, id="one key each"),
        pytest.param({"allowed": np.arange(8)[None, None, :] <= np.arange(8)[None, :, None]}, id="causal"),
    ],
)
def test_corners(changes: dict[str, object]) -> None:
    check(corner(**changes), CORNERS)


@pytest.mark.parametrize("name", ["two-clusters", "long-window", "no-terms", "three-groups"])
def test_every_pair_of_codes(name: str) -> None:
    """Every phase and sign of q against every phase and sign of k, and of v."""
    config = CORES[name]
    steps = config.code.steps
    rng = np.random.default_rng(3)
    # pairs are dealt out over heads: in each head a column of q has one code and k and v all others
    codes = [(sign, phase) for sign in (-1, 1) for phase in range(steps)] + [(0, steps)]
    tokens, features = config.tokens, config.head_dim
    pairs = rng.permutation(len(codes) ** 2)
    heads = -(-len(pairs) // (tokens * features))
    pairs = np.resize(pairs, (heads, tokens, features))
    table = np.array(codes, dtype=np.int8)
    left, right = table[pairs // len(codes)], table[pairs % len(codes)]
    q = Spikes(left[..., 0], left[..., 1])
    k = Spikes(right[..., 0], right[..., 1])
    base = prepare(*rng.standard_normal((3, heads, tokens, features)), config.code).job
    job = dataclasses.replace(
        base, q=Spikes(q.sign[:, :1].repeat(tokens, 1), q.phase[:, :1].repeat(tokens, 1)), k=k, v=k
    )
    check(job, config)
    # the same token's q and k: the pairs as dealt
    check(dataclasses.replace(base, q=q, k=k, v=q), config)
    check(at_every_lane(config), config)


def at_every_lane(config: CoreConfig) -> AttentionJob:
    """Every code of q meets every code of k at every lane, and keys that fire at every step of the ramp
    have every code of v."""
    steps, tokens, features = config.code.steps, config.tokens, config.head_dim
    codes = np.array([(sign, phase) for sign in (-1, 1) for phase in range(steps)] + [(0, steps)], np.int8)
    groups = tokens // config.lanes
    # in each column q has one code, and each lane as many of k as it has keys
    parts = -(-len(codes) // groups)
    heads = 3 * -(-len(codes) * parts // features)
    column = np.arange(heads * features).reshape(heads, 1, features) % (len(codes) * parts)
    key, group = np.arange(tokens)[:, None], np.arange(tokens)[:, None] // config.lanes
    q = np.broadcast_to(column // parts, (heads, tokens, features))
    k = (column % parts * groups + group) % len(codes)
    # the farthest key fires at step 1, 2, ..., in turn; each time round v goes on to its next codes
    turn, late = np.divmod(np.arange(heads), max(1, steps - 1))
    v = (np.arange(features) + features * turn[:, None, None] + 5 * key) % len(codes)
    spikes = {name: Spikes(*np.moveaxis(codes[part], -1, 0)) for name, part in (("q", q), ("k", k), ("v", v))}
    floats = np.random.default_rng(4).standard_normal((3, heads, tokens, features))
    job = dataclasses.replace(prepare(*floats, config.code).job, **spikes)
    found = compute(job)
    away = (found.winner[..., None] - found.score).max(axis=(1, 2)) << config.code.ramp_bits
    step = -(-2 * away // (2 * late + 3))
    return dataclasses.replace(job, ramp_step=np.clip(step + step % 2, 1, config.step_limit).astype(np.int64))


@pytest.mark.parametrize("name", ["two-groups", "four-groups", "sixteen-groups", "eleven-groups"])
def test_heads_of_different_size_back_to_back(name: str) -> None:
    """Descriptors change from head to head while both are in the core; a head of one token, whose winner
    is known before its scores have moved through all slots, follows and precedes long ones."""
    config = CORES[name]
    for seed in range(4):
        jobs = [random_job(seed * 10 + n, config) for n in range(6)]
        jobs.insert(2, cut(jobs[0], 1))
        jobs.insert(4, cut(jobs[1], 1))
        check_run(jobs, dataclasses.replace(config, taps=True), Checked())


def test_short_head_in_a_deep_core() -> None:
    """8 tokens on 8 lanes that could hold 128: the winner is known before its scores arrive."""
    config = dataclasses.replace(PRESETS["default"], lanes=8)
    arrays = random_heads(2, 8, 4, seed=1)
    check(prepare(arrays["q"], arrays["k"], arrays["v"], config.code).job, config)


def cut(job: AttentionJob, tokens: int) -> AttentionJob:
    """The first tokens of a job, every key allowed."""
    parts = {name: getattr(job, name) for name in "qkv"}
    parts = {n: Spikes(s.sign[:, :tokens], s.phase[:, :tokens]) for n, s in parts.items()}
    return dataclasses.replace(job, **parts, bias=None, allowed=None)


def test_full_size_core() -> None:
    """The default preset on dense spikes: rows follow each other at the pace of the longest stage."""
    config = PRESETS["default"]
    rng = np.random.default_rng(5)
    heads, tokens, features = 2, 64, 32
    q, k, v = np.sign(rng.standard_normal((3, heads, tokens, features))) * rng.uniform(
        0.2, 1, (3, heads, tokens, features)
    )
    job = prepare(q, k, v, config.code).job
    assert job.q.count() == job.q.sign.size
    check(job, config)
    report = predict(job, config)
    longest = features + 1  # score and context; the search takes score_width + 1, the ramp T
    assert (np.diff(report.rows, axis=1) <= longest + 2).all()
    # the second head loads while the first computes; its rows fill at least 90 % of its cycles
    assert tokens * longest >= 0.9 * report.durations[1]


@pytest.mark.parametrize("seed", range(6))
def test_random_cores(seed: int) -> None:
    """A sample of everything that `CoreConfig` accepts; `make soak-attention` goes on from here."""
    check_runs(random_config(seed, most_lanes=6), seed, 6, Checked())
