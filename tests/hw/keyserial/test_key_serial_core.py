"""Key-serial core in Verilog against golden: integers and cycles, over cores, workloads, pauses, reset."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, prepare
from golden.attention.key_serial import KeySerialConfig
from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from sim.timing.key_serial import predict, predict_in_turn
from tests.hw.attention.random_jobs import KEY_SERIAL, Checked, check_run, random_job, random_run

# Between them every way of addressing the table of points, at scores and at the context, and every output
SMALL = KeySerialConfig(lanes=4, cluster=2, tokens=10, head_dim=6, taps=True)
CORES = {
    "both signs and no room for silence": SMALL,
    "silence of each spike": replace(
        SMALL,
        code=PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=7),
        cluster=4,
        tokens=7,
        head_dim=8,
        bias=False,
        output="codes",
    ),
    "sum of phases": replace(
        SMALL,
        code=PhaseCode(steps=24, log2_base=Fraction(2, 7)),
        cluster=1,
        tokens=4,
        mask=False,
        output="context",
    ),
    "one step, lane, feature and head": replace(
        SMALL,
        code=PhaseCode(steps=1),
        lanes=1,
        cluster=1,
        tokens=5,
        head_dim=1,
        bias=False,
        mask=False,
        queued_heads=1,
    ),
}
WORKLOADS = 12  # per core


def run_all(jobs: list[AttentionJob], config: KeySerialConfig, **how: Any) -> None:
    check_run(jobs, config, Checked(), KEY_SERIAL, **how)


def workload(seed: int, config: KeySerialConfig) -> AttentionJob:
    return random_job(np.random.default_rng(seed), config)


@pytest.mark.parametrize("name", CORES)
def test_integers_and_cycles(name: str) -> None:
    """At full rate: random heads back to back, of one size and of many, equal to golden and to the model."""
    for seed in range(WORKLOADS):
        run_all([workload(seed, CORES[name])], CORES[name])
        run_all(random_run(seed, CORES[name]), CORES[name])


@pytest.mark.parametrize("name", CORES)
def test_pauses(name: str) -> None:
    """{idle or not} x {backpressure or not}: the integers do not depend on the pace."""
    config = CORES[name]
    component = KeySerialAttentionCore(config).component()
    inputs, outputs = (
        [port for port in component.signature.members if port.startswith(kind) and port != "o_tap"]
        for kind in ("i_", "o_")
    )
    for seed in range(4):
        job = workload(100 + seed, config)
        for streams in (inputs, outputs, inputs + outputs):
            run_all([job], config, pauses=dict.fromkeys(streams, 0.15 + 0.2 * seed), seed=seed)


@pytest.mark.parametrize("name", CORES)
def test_standstill(name: str) -> None:
    """An output is taken so seldom that every stage waits for the next, with all of its buffers full."""
    config = CORES[name]
    job = random_job(np.random.default_rng(9), config, full=True)
    for port in (f"o_{form}" for form in ("code", "context") if config.output in ("both", form + "s", form)):
        run_all([job], config, pauses={port: 0.95}, seed=1)


@pytest.mark.parametrize("name", ["both signs and no room for silence", "silence of each spike"])
def test_reset_in_the_middle(name: str) -> None:
    """A reset in any phase of a head, even one cycle long, leaves nothing behind."""
    job = workload(7, CORES[name])
    total = predict(job, CORES[name]).total
    for cycle in np.linspace(1, total - 1, 100).astype(int):
        run_all([job], CORES[name], reset_at=int(cycle))


@pytest.mark.parametrize("name", [name for name, config in CORES.items() if config.queued_heads > 1])
def test_reset_in_any_cycle(name: str) -> None:
    """Nor does one in any cycle of a few heads, while tags are on their way whose `valid` alone is reset: of
    small ones at full rate, and of longer ones that wait to be loaded."""
    config = CORES[name]
    held_up = {"o_context" if config.output == "context" else "o_code": 0.8}
    for seed, pauses in ((2, {}), (3, held_up)):
        jobs = random_run(seed, config)[:2]
        total = max(int(report.rows.max()) for report in predict_in_turn(jobs, config))
        for cycle in range(1, total):
            run_all(jobs, config, reset_at=cycle, pauses=pauses, seed=cycle)


@pytest.mark.parametrize("name", CORES)
def test_steep_ramps(name: str) -> None:
    """Steps of the ramp as large as a core takes them, whose highest bit is alone, and one less."""
    config = CORES[name]
    job = workload(8, config)
    for step in (config.step_limit, config.step_limit - 1):
        run_all([replace(job, ramp_step=np.full(job.heads, step))], config)


def full(sign: int, phase: int) -> Spikes:
    return Spikes(np.full((1, 10, 6), sign, np.int8), np.full((1, 10, 6), phase, np.int8))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(dict.fromkeys("qkv", full(1, 0)), id="saturated"),
        pytest.param({"q": full(-1, 0), "k": full(1, 0), "v": full(-1, 0)}, id="negative"),
        pytest.param(dict.fromkeys("qkv", full(0, 16)), id="silent"),
        pytest.param({"ramp_step": np.array([0])}, id="winners alone"),
        pytest.param({"ramp_step": np.array([1])}, id="steepest"),
        pytest.param({"ramp_step": np.array([SMALL.step_limit])}, id="all at once"),
        pytest.param({"window": 1}, id="window of one step"),
        pytest.param({"bias": np.full((1, 10, 10), SMALL.bias_limit)}, id="largest bias"),
        pytest.param({"bias": np.full((1, 10, 10), -SMALL.bias_limit)}, id="smallest bias"),
        pytest.param({"allowed": np.eye(10, dtype=bool)[None]}, id="itself alone"),
    ],
)
def test_corners(changes: dict[str, Any]) -> None:
    q, k, v = np.random.default_rng(1).standard_normal((3, 1, 10, 6))
    run_all([replace(prepare(q, k, v, SMALL.code).job, **changes)], SMALL)


def test_cycles_of_a_row_beside_those_of_the_lane_parallel_core() -> None:
    """Every feature once per group; the lane-parallel core takes one cycle more for each."""
    config = replace(SMALL, lanes=8, cluster=8, tokens=64, head_dim=32)
    parallel = CoreConfig(
        lanes=8, cluster=8, tokens=64, head_dim=32, terms_per_beat=config.terms_per_beat,
        trace_store=config.trace_store,
    )  # fmt: skip
    q, k, v = np.random.default_rng(1).standard_normal((3, 1, 64, 32))
    job = prepare(q, k, v, config.code).job
    assert set(np.diff(predict(job, config).rows[0])[8:]) == {8 * 32}
    assert set(np.diff(SpikedAttentionCore(parallel).predict(job).rows[0])[8:]) == {8 * 33}


def test_a_core_takes_its_own_configuration_only() -> None:
    """That of the key-serial core is a lane-parallel one with less to choose, so it would make that core."""
    with pytest.raises(InputError, match=r"an attention core must be a CoreConfig, not a KeySerialConfig$"):
        SpikedAttentionCore(SMALL)
    with pytest.raises(InputError, match="a key-serial attention core must be a KeySerialConfig, not a Core"):
        KeySerialAttentionCore(CoreConfig())  # type: ignore[arg-type]
