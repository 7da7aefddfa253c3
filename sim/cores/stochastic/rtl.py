"""The `rtl` engine of stochastic attention: a job through the generated engine, compiled by Verilator."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from golden.stochastic.attention import StochasticJob, StochasticSpikes, compute
from golden.stochastic.config import StochasticConfig
from hw.stochastic.core import StochasticAttention
from sim.cores.stochastic.beats import by_token, job_beats, output_spikes
from sim.timing.cycles import CycleReport
from sim.timing.stochastic import row_report, slots_of
from sim.verilator.build import build
from sim.verilator.payload import Fields
from sim.verilator.simulator import Pauses, Progress, Result, Simulator


def simulator(config: StochasticConfig, *, quick: bool = False) -> Simulator:
    """Simulator of the engine with its taps; `quick` as in `sim.verilator.build.build`."""

    def make() -> StochasticAttention:
        return StochasticAttention(config, taps=True)

    return build(make, "stochastic_attention", parameters=asdict(config), quick=quick)


def simulate(
    job: StochasticJob,
    *,
    pauses: Pauses = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    quick: bool = False,
    progress: Progress | None = None,
    waves: Path | None = None,
) -> Result:
    """Run all heads of a job back to back; see `sim.verilator.simulator.Simulator.run`."""
    assert job.first_head == 0, "the hardware starts from reset"
    config = job.config
    slots = slots_of(job)
    return simulator(config, quick=quick).run(
        {"i": job_beats(job)},
        {"o": slots * config.head_dim, "o_score": slots},
        pauses=pauses,
        seed=seed,
        reset_at=reset_at,
        progress=progress,
        waves=waves,
    )


def spikes(outputs: Mapping[str, Fields], job: StochasticJob) -> StochasticSpikes:
    """What the engine produced; without taps its scores are golden's."""
    score = by_token(outputs["o_score"], job) if "o_score" in outputs else compute(job).score
    return StochasticSpikes(score=score, out=output_spikes(outputs["o"], job))


def completion(result: Result, job: StochasticJob) -> CycleReport:
    """Cycle of the last output of every row."""
    return row_report(result.outputs["o"].cycles.reshape(-1, job.config.head_dim)[:, -1], job)


def run(
    job: StochasticJob, *, waves: Path | None = None, progress: Progress | None = None
) -> tuple[StochasticSpikes, CycleReport]:
    """Run a job through the RTL; its generators start at the plan's seed, so first_head must be 0.

    Returns:
        The spikes the hardware produced, and the cycle in which each row was complete.

    Raises:
        InputError: there is no C++ compiler.
    """
    result = simulate(job, waves=waves, progress=progress)
    return spikes(result, job), completion(result, job)
