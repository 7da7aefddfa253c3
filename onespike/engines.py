"""The engines behind one call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, AttentionSpikes, compute
from sim.timing.cycles import CycleReport, StageActivity

if TYPE_CHECKING:
    from sim.board.board import Board


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an engine says of a job.

    Attributes:
        spikes: integers of golden (golden, model) or of the hardware (rtl, board).
        cycles: predicted (model), measured (rtl), or None (golden knows no time, a board tells none).
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
    board: "Board[CoreConfig, AttentionJob, AttentionSpikes] | None" = None,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> Outcome:
    """Run a job.

    Args:
        engine: one of `studies.attention.report.ENGINES`.
        job: the job.
        config: the core; golden does not look at it.
        waves: where the rtl engine writes a waveform.
        board: an open board; board engine only.
        progress: told by rtl and board what they have done, in words and as a share.

    Raises:
        InputError: the configuration cannot hold the job (all but golden), or there is no C++
            compiler (rtl).
        LinkError: the board stopped answering.
    """
    if engine == "golden":
        return Outcome(spikes=compute(job))
    config.check_job(job)
    from sim.timing.attention import predict
    from sim.timing.attention_activity import activity

    done = activity(job, config)
    if engine == "model":
        return Outcome(spikes=compute(job), cycles=predict(job, config), activity=done)
    if engine == "board":
        assert board is not None
        spikes = board.run(job, lambda sent, got: progress(f"{got} bytes received", 0.0))
        return Outcome(spikes=spikes, activity=done)
    from sim.cores.attention import engine as rtl

    spikes, cycles = rtl.run(
        job,
        config,
        waves=waves,
        progress=lambda cycle, beats, expected: progress(f"cycle {cycle}", beats / expected),
    )
    return Outcome(spikes=spikes, cycles=cycles, activity=done)
