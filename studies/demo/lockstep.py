"""The trained network with its attention in the engine under test, beside golden and the cycle model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales, compute
from models.conversion.small_vit import SpikedAttention
from sim.cores.attention.compare import Comparison, compare
from sim.timing.cycles import CycleReport, StageActivity


class RunEngine(Protocol):
    """Runs a job on the engine under test.

    `waves` is where it writes a waveform; `progress` is told now and then the cycle, the output
    beats so far and the output beats of the whole job.
    """

    def __call__(
        self,
        job: AttentionJob,
        config: CoreConfig,
        *,
        waves: Path | None,
        progress: Callable[[int, int, int], None] | None,
    ) -> tuple[AttentionSpikes, CycleReport]: ...


class PredictCycles(Protocol):
    """Predicts the completion times of a job."""

    def __call__(self, job: AttentionJob, config: CoreConfig) -> CycleReport: ...


class CountActivity(Protocol):
    """Counts the events of a job and the utilisation of the lanes."""

    def __call__(self, job: AttentionJob, config: CoreConfig) -> StageActivity: ...


@dataclass(frozen=True, kw_only=True)
class Engines:
    """What is compared with golden: the hardware, and the cycle model with the hardware.

    Attributes:
        run: the engine under test (RTL).
        predict, activity: the cycle model.
    """

    run: RunEngine
    predict: PredictCycles
    activity: CountActivity


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """One layer's heads, all images back to back, on the engine under test.

    Attributes:
        layer: index of the layer.
        q, k: float inputs of the job's heads, [heads, tokens, head_dim].
        job: the job; head h of image n is head n*heads_per_layer + h.
        spikes: what the engine under test computed.
        comparison: with golden.
        predicted, measured: completion times by the cycle model and by the engine.
        activity: events and utilisation by the cycle model.
    """

    layer: int
    q: NDArray[np.floating]
    k: NDArray[np.floating]
    job: AttentionJob
    spikes: AttentionSpikes
    comparison: Comparison
    predicted: CycleReport
    measured: CycleReport
    activity: StageActivity


@dataclass(kw_only=True)
class LockstepAttention:
    """Attention (`models.floating.small_vit.Attention`) that passes on what the engine under test computed.

    Attributes:
        scales: of every layer.
        config: the core.
        engines: the engine under test and the cycle model.
        waves: folder for one waveform per layer, or None.
        progress: told the layer and the share of its heads that are done, 0..1.
        runs: what happened, one entry per layer so far.
    """

    scales: list[HeadScales]
    config: CoreConfig
    engines: Engines
    waves: Path | None = None
    progress: Callable[[int, float], None] = lambda layer, share: None
    runs: list[LayerRun] = field(default_factory=list)

    def __call__(
        self, layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        def engine(job: AttentionJob) -> AttentionSpikes:
            self.config.check_job(job)
            waves = None if self.waves is None else self.waves / f"layer{layer}.fst"
            spikes, measured = self.engines.run(
                job,
                self.config,
                waves=waves,
                progress=lambda cycle, received, expected: self.progress(layer, received / expected),
            )
            flat = (-1, *q.shape[2:])
            self.runs.append(
                LayerRun(
                    layer=layer,
                    q=q.reshape(flat),
                    k=k.reshape(flat),
                    job=job,
                    spikes=spikes,
                    comparison=compare(job, compute(job), spikes),
                    predicted=self.engines.predict(job, self.config),
                    measured=measured,
                    activity=self.engines.activity(job, self.config),
                )
            )
            return spikes

        return SpikedAttention(scales=self.scales, code=self.config.code, engine=engine)(layer, q, k, v)
