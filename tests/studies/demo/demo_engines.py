"""Golden in the place of the hardware, so that the logic of the main job itself is what is tested."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.attention.config import preset
from golden.attention.job import AttentionJob, AttentionSpikes
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.rtl import Run
from sim.cores.waves import views_of
from sim.timing.cycles import CycleReport

Found = tuple[AttentionSpikes, CycleReport]
# Told the job, golden's integers and the cycle model's times; and waves and progress of the run
Change = Callable[..., Found]


def golden_run(job: AttentionJob, spikes: AttentionSpikes, cycles: CycleReport, **how: Any) -> Found:
    """Golden's integers at the cycle model's times."""
    return spikes, cycles


def wrong_run(job: AttentionJob, spikes: AttentionSpikes, cycles: CycleReport, **how: Any) -> Found:
    """As `golden_run`, but for one score and one completion time, of the second image's first head."""
    spikes.score[4, 7, 3] += 1
    rows = np.array(cycles.rows)
    rows[4, 9] += 1
    return spikes, CycleReport(rows)


@dataclass(frozen=True)
class StandIn(SpikedAttentionCore):
    """A core whose RTL is `change`."""

    change: Change = golden_run

    def tapped(self) -> "StandIn":
        return self

    def run(self, job: AttentionJob, **how: Any) -> Run[AttentionSpikes]:
        spikes, cycles = self.change(job, self.compute(job), self.predict(job), **how)
        return Run(integers=spikes, cycles=cycles, result=None)  # type: ignore[arg-type]

    def write_views(self, waves: Path) -> None:
        views_of(waves).mkdir()


def core(change: Change = golden_run) -> StandIn:
    return StandIn(preset("digits"), change)
