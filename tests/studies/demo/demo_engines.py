"""Golden in the place of the hardware, so that the logic of the main job itself is what is tested."""

from pathlib import Path

import numpy as np

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, AttentionSpikes, compute
from sim.timing import attention as cycle_model
from sim.timing import attention_activity as activity
from sim.timing.cycles import CycleReport
from studies.demo.lockstep import Engines


def golden_run(
    job: AttentionJob, config: CoreConfig, *, waves: Path | None, progress: object
) -> tuple[AttentionSpikes, CycleReport]:
    """Golden's integers at the cycle model's times."""
    return compute(job), cycle_model.predict(job, config)


def wrong_run(
    job: AttentionJob, config: CoreConfig, *, waves: Path | None, progress: object
) -> tuple[AttentionSpikes, CycleReport]:
    """As `golden_run`, but for one score and one completion time, of the second image's first head."""
    spikes, cycles = golden_run(job, config, waves=waves, progress=progress)
    spikes.score[4, 7, 3] += 1
    rows = np.array(cycles.rows)
    rows[4, 9] += 1
    return spikes, CycleReport(rows)


def engines(run: object) -> Engines:
    return Engines(run=run, predict=cycle_model.predict, activity=activity.activity)  # type: ignore[arg-type]
