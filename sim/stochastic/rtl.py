"""The `rtl` engine of stochastic attention: a job through the generated engine, compiled by Verilator."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.attention import StochasticJob, StochasticSpikes
from golden.stochastic.config import StochasticConfig
from hw.stochastic.core import StochasticAttention, StochasticRateAttention
from sim.cycles import CycleReport
from sim.rtl.build import build
from sim.rtl.simulator import Pauses, Progress, Result, Simulator
from sim.stochastic.cycle_model import row_report

Fields = dict[str, Any]


def simulator(config: StochasticConfig) -> Simulator:
    """Simulator of the engine with its taps."""
    engine = StochasticAttention(config, taps=True)
    return build(engine, "stochastic_attention", parameters=asdict(config), latency={"head": engine.latency})


def rate_simulator(config: StochasticConfig) -> Simulator:
    """Simulator of the engine with its Bernoulli encoders."""
    engine = StochasticRateAttention(config)
    return build(
        engine, "stochastic_rate_attention", parameters=asdict(config), latency={"head": engine.latency}
    )


def column_beats(
    q: NDArray[np.integer], k: NDArray[np.integer], v: NDArray[np.integer], config: StochasticConfig
) -> Fields:
    """Input columns of trains or rates [steps, heads, tokens, head_dim].

    Order: heads, time steps, row groups, features. Keys and values are sent with row group 0.
    """
    steps, heads, tokens, head_dim = q.shape
    groups, rows = config.groups, config.rows
    queries = np.zeros((heads, steps, groups * rows, head_dim), dtype=np.int64)
    queries[:, :, :tokens] = q.swapaxes(0, 1)
    fields = {"q": queries.reshape(heads, steps, groups, rows, head_dim).swapaxes(3, 4).reshape(-1, rows)}
    for name, train in (("k", k), ("v", v)):
        sent = np.zeros((heads, steps, groups, head_dim, tokens), dtype=np.int64)
        sent[:, :, 0] = train.swapaxes(0, 1).swapaxes(2, 3)
        fields[name] = sent.reshape(-1, tokens)
    return fields


def by_token(slots: NDArray[np.integer], job: StochasticJob) -> NDArray[np.bool_]:
    """[heads * steps * groups, rows, n] -> [steps, heads, tokens, n]."""
    config = job.config
    by_row = slots.reshape(job.heads, job.steps, config.groups * config.rows, -1)
    return by_row[:, :, : config.tokens].swapaxes(0, 1).astype(np.bool_)


def simulate(
    job: StochasticJob,
    *,
    pauses: Pauses = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    progress: Progress | None = None,
    waves: Path | None = None,
) -> Result:
    """Run all heads of a job back to back; see `sim.rtl.simulator.Simulator.run`."""
    config = job.config
    slots = job.heads * job.steps * config.groups
    return simulator(config).run(
        {"i": column_beats(job.q, job.k, job.v, config)},
        {"o": slots * config.head_dim, "o_score": slots},
        pauses=pauses,
        seed=seed,
        reset_at=reset_at,
        progress=progress,
        waves=waves,
    )


def output_spikes(columns: NDArray[np.integer], job: StochasticJob) -> NDArray[np.bool_]:
    """Output columns [slots * d, rows] -> A [steps, heads, tokens, head_dim]."""
    config = job.config
    return by_token(columns.reshape(-1, config.head_dim, config.rows).swapaxes(1, 2), job)


def spikes(result: Result, job: StochasticJob) -> StochasticSpikes:
    """What the engine produced."""
    return StochasticSpikes(score=by_token(result["o_score"], job), out=output_spikes(result["o"], job))


def run(
    job: StochasticJob, *, waves: Path | None = None, progress: Progress | None = None
) -> tuple[StochasticSpikes, CycleReport]:
    """Run a job through the RTL; its generators start at the plan's seed, so first_head must be 0.

    Returns:
        The spikes the hardware produced, and the cycle in which each row was complete.

    Raises:
        InputError: there is no C++ compiler.
    """
    assert job.first_head == 0, "the hardware starts from reset"
    result = simulate(job, waves=waves, progress=progress)
    ends = result.outputs["o"].cycles.reshape(-1, job.config.head_dim)[:, -1]
    return spikes(result, job), row_report(ends, job)
