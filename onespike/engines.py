"""The three engines behind one call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from golden.attention import AttentionJob, AttentionSpikes, compute
from golden.config import CoreConfig
from sim.cycles import CycleReport, StageActivity

ENGINES = ("golden", "model", "rtl")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an engine says of a job.

    Attributes:
        spikes: integers of golden (golden, model) or of the hardware (rtl).
        cycles: predicted (model), measured (rtl), or None (golden knows no time).
        activity: events per stage and lane utilisation; None for golden.
    """

    spikes: AttentionSpikes
    cycles: CycleReport | None = None
    activity: StageActivity | None = None


def run_engine(
    engine: str,
    job: AttentionJob,
    config: CoreConfig,
    *,
    waves: Path | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> Outcome:
    """Run a job.

    Args:
        engine: one of ENGINES.
        job: the job.
        config: the core; golden does not look at it.
        waves: where the rtl engine writes a waveform.
        progress: told by the rtl engine of cycle, beats received and beats expected.

    Raises:
        InputError: the configuration cannot hold the job (model, rtl), or there is no C++ compiler
            (rtl).
    """
    if engine == "golden":
        return Outcome(spikes=compute(job))
    config.check_job(job)
    from sim.activity import activity
    from sim.cycle_model import predict

    done = activity(job, config)
    if engine == "model":
        return Outcome(spikes=compute(job), cycles=predict(job, config), activity=done)
    from sim.rtl import engine as rtl

    spikes, cycles = rtl.run(job, config, waves=waves, progress=progress)
    return Outcome(spikes=spikes, cycles=cycles, activity=done)
