"""The engines behind one call, whatever the core."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from golden.errors import InputError, quoted
from sim.timing.cycles import CycleReport, StageActivity

if TYPE_CHECKING:
    from sim.board.board import Board
    from sim.cores.core import Core

Config = TypeVar("Config")
Job = TypeVar("Job")
Integers = TypeVar("Integers")
ENGINES = ("golden", "model", "rtl", "board")
# Told what an engine has done, in words and as a share
Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Integers]):
    """What an engine says of a job.

    Attributes:
        spikes: integers of golden (golden, model) or of the hardware (rtl, board).
        cycles: predicted (model), measured (rtl), or None (golden knows no time, a board tells none).
        activity: events per stage and lane utilisation; None for golden.
    """

    spikes: Integers
    cycles: CycleReport | None = None
    activity: StageActivity | None = None


def check_engine(engine: str, board: object | None, waves: Path | None) -> None:
    """Raise InputError unless there is such an engine, and it takes the board and the waveform given."""
    if engine not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, not {quoted(engine)}")
    if (engine == "board") != (board is not None):
        raise InputError(f"engine board needs an open board, and a board that engine, not {quoted(engine)}")
    if waves is not None and engine != "rtl":
        raise InputError(f"waves needs engine rtl, not {engine}, which has no signals to show")


def run_engine(
    engine: str,
    job: Job,
    core: "Core[Config, Job, Integers]",
    *,
    waves: Path | None = None,
    board: "Board[Config, Job, Integers] | None" = None,
    progress: Progress = lambda what, share: None,
) -> Outcome[Integers]:
    """Run a job.

    Args:
        engine: one of `ENGINES`.
        job: the job.
        core: that is to run it; to golden its size does not matter.
        waves: where the rtl engine writes a waveform; see `sim.cores.core.Core.write_views` for what lies
            beside it.
        board: an open board; board engine only.
        progress: told by rtl and board.

    Raises:
        InputError: the core cannot hold the job (all but golden), or there is no C++ compiler (rtl).
        LinkError: the board stopped answering.
    """
    if engine == "golden":
        return Outcome(spikes=core.compute(job))
    core.check(job)
    cycles: CycleReport | None = None
    if engine == "model":
        spikes, cycles = core.compute(job), core.predict(job)
    elif engine == "board":
        assert board is not None, "opened by the caller"
        spikes = board.run(job, lambda sent, got: progress(f"{got} bytes received", 0.0))
    else:
        tapped = core.tapped()
        ran = tapped.run(
            job,
            waves=waves,
            progress=lambda cycle, beats, expected: progress(f"cycle {cycle}", beats / expected),
        )
        if waves is not None:
            tapped.write_views(waves)
        spikes, cycles = ran.integers, ran.cycles
    return Outcome(spikes=spikes, cycles=cycles, activity=core.activity(job, spikes))
