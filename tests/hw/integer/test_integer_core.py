"""Integer core in Verilog against golden: integers and cycles, over cores, workloads, pauses, reset."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.integer.config import IntegerConfig
from golden.integer.job import IntegerJob, prepare
from sim.cores.integer.core import IntegerAttentionCore
from sim.timing.integer import predict, predict_in_turn
from tests.hw.attention.random_jobs import Checked
from tests.hw.integer.random_jobs import check_core, check_run, random_job, random_run

SMALL = IntegerConfig(lanes=4, cluster=2, tokens=10, head_dim=6, taps=True)
CORES = {
    "dsp": SMALL,
    "squares": replace(SMALL, multiplier="table"),
    "partial products": replace(SMALL, multiplier="logic", bits=7, output="codes"),
    "table of products": replace(SMALL, multiplier="table", bits=4, bias=False, output="context"),
    "one lane and head": replace(
        SMALL, multiplier="table", lanes=1, cluster=1, tokens=5, head_dim=1, mask=False, queued_heads=1
    ),
    "no terms": replace(SMALL, bits=2, lanes=8, cluster=8, tokens=8, head_dim=9, bias=False, mask=False),
}
WORKLOADS = 12  # per core


def workload(seed: int, config: IntegerConfig) -> IntegerJob:
    return random_job(np.random.default_rng(seed), config)


@pytest.mark.parametrize("name", CORES)
def test_integers_and_cycles(name: str) -> None:
    """At full rate: random heads back to back, of one size and of many, equal to golden and to the model."""
    for seed in range(WORKLOADS):
        check_run([workload(seed, CORES[name])], CORES[name], Checked())
        check_run(random_run(seed, CORES[name]), CORES[name], Checked())


@pytest.mark.parametrize("name", CORES)
def test_pauses(name: str) -> None:
    """{idle or not} x {backpressure or not}: the integers do not depend on the pace."""
    config = CORES[name]
    component = IntegerAttentionCore(config).component()
    inputs, outputs = (
        [port for port in component.signature.members if port.startswith(kind) and port != "o_tap"]
        for kind in ("i_", "o_")
    )
    for seed in range(4):
        job = workload(100 + seed, config)
        for streams in (inputs, outputs, inputs + outputs):
            check_run([job], config, Checked(), pauses=dict.fromkeys(streams, 0.15 + 0.2 * seed), seed=seed)


@pytest.mark.parametrize("name", CORES)
def test_standstill(name: str) -> None:
    """An output is taken so seldom that every stage waits for the next, with all of its buffers full."""
    config = CORES[name]
    job = random_job(np.random.default_rng(9), config, full=True)
    for port in (f"o_{form}" for form in ("code", "context") if config.output in ("both", form + "s", form)):
        check_run([job], config, Checked(), pauses={port: 0.95}, seed=1)


@pytest.mark.parametrize("name", ["squares", "partial products"])
def test_reset_in_the_middle(name: str) -> None:
    """A reset in any phase of a head, even one cycle long, leaves nothing behind."""
    job = workload(7, CORES[name])
    total = predict(job, CORES[name]).total
    for cycle in np.linspace(1, total - 1, 100).astype(int):
        check_run([job], CORES[name], Checked(), reset_at=int(cycle))


@pytest.mark.parametrize("name", ["squares", "partial products"])
def test_reset_in_any_cycle(name: str) -> None:
    """Nor does one in any cycle of small heads, while tags are on their way whose `valid` alone is reset."""
    config = CORES[name]
    jobs = random_run(2, config)[:2]
    total = max(int(report.rows.max()) for report in predict_in_turn(jobs, config))
    for cycle in range(1, total):
        check_run(jobs, config, Checked(), reset_at=cycle)


def constant(value: int) -> np.ndarray:
    return np.full((1, 10, 6), value)


def corner(**changes: Any) -> IntegerJob:
    """A plain job of one head with changes."""
    q, k, v = np.random.default_rng(1).standard_normal((3, 1, 10, 6))
    return replace(prepare(q, k, v, SMALL.bits).job, **changes)


@pytest.mark.parametrize("name", ["dsp", "squares"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"q": constant(127), "k": constant(127), "v": constant(127)}, id="saturated"),
        pytest.param({"q": constant(-127), "k": constant(127), "v": constant(-127)}, id="negative"),
        pytest.param({"q": constant(0), "k": constant(0), "v": constant(0)}, id="all zero"),
        pytest.param({"mantissa": np.array([0])}, id="all keys weigh the same"),
        pytest.param({"mantissa": np.array([255]), "shift": np.array([0])}, id="steepest"),
        pytest.param({"ratio": np.array([4])}, id="smallest ratio, all outputs limited"),
        pytest.param({"ratio": np.array([2**15 - 1])}, id="largest ratio"),
        pytest.param({"bias": np.full((1, 10, 10), SMALL.bias_limit)}, id="largest bias"),
        pytest.param({"bias": np.full((1, 10, 10), -SMALL.bias_limit), "k": constant(0)}, id="smallest bias"),
        pytest.param({"allowed": np.eye(10, dtype=bool)[None]}, id="one key each"),
        pytest.param({"allowed": np.tri(10, dtype=bool)[None]}, id="causal"),
    ],
)
def test_corners(changes: dict[str, Any], name: str) -> None:
    check_run([corner(**changes)], CORES[name], Checked())


def test_every_pair_of_codes() -> None:
    """Every code of 8 bits against every other, as the only product of a score, through the squares."""
    config = CORES["squares"]
    codes = np.arange(-127, 128)
    keys = np.resize(codes, (26, 10))
    for q in (codes[::5], codes[1::5], codes[2::5], codes[3::5], codes[4::5]):
        job = corner()
        heads = len(keys)
        wide = {
            "q": np.zeros((heads, 10, 6), np.int64),
            "k": np.zeros((heads, 10, 6), np.int64),
            "v": np.zeros((heads, 10, 6), np.int64),
        }
        wide["k"][..., 0] = wide["v"][..., 0] = keys
        for start in range(0, len(q), 10):
            part = np.resize(q[start : start + 10], 10)
            wide["q"][..., 0] = part
            per_head = {name: np.repeat(getattr(job, name), heads) for name in ("mantissa", "shift", "ratio")}
            check_run([replace(job, **wide, **per_head)], config, Checked())


def test_rows_follow_each_other_at_the_pace_of_the_longest_stage() -> None:
    """On the sizes of the default preset, in fewer lanes: a row takes as many cycles as it has keys."""
    config = replace(SMALL, lanes=8, cluster=8, tokens=32, head_dim=8)
    rng = np.random.default_rng(5)
    job = prepare(*rng.standard_normal((3, 2, 32, 8)), config.bits).job
    check_run([job], config, Checked())
    report = predict(job, config)
    groups = 4
    assert (np.diff(report.rows, axis=1) <= 32 + groups).all()


@pytest.mark.parametrize("seed", range(4))
def test_random_cores(seed: int) -> None:
    """A sample of everything that `IntegerConfig` accepts; `make soak-integer` goes on from here."""
    check_core(seed, 6, Checked(), most_lanes=6)
