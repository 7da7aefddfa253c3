"""The trained network with its attention in the engine under test, beside golden and the cycle model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales
from models.conversion.small_vit import SpikedAttention
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.compare import Comparison
from sim.timing.cycles import CycleReport, StageActivity


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
        core: under test, and its cycle model.
        waves: folder for one waveform per layer, or None.
        progress: told the layer and the share of its heads that are done, 0..1.
        runs: what happened, one entry per layer so far.
    """

    scales: list[HeadScales]
    core: SpikedAttentionCore
    waves: Path | None = None
    progress: Callable[[int, float], None] = lambda layer, share: None
    runs: list[LayerRun] = field(default_factory=list)

    def __call__(
        self, layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        def engine(job: AttentionJob) -> AttentionSpikes:
            self.core.check(job)
            ran = self.core.tapped().run(
                job,
                waves=None if self.waves is None else self.waves / f"layer{layer}.fst",
                progress=lambda cycle, received, expected: self.progress(layer, received / expected),
            )
            flat = (-1, *q.shape[2:])
            self.runs.append(
                LayerRun(
                    layer=layer,
                    q=q.reshape(flat),
                    k=k.reshape(flat),
                    job=job,
                    spikes=ran.integers,
                    comparison=self.core.compare(job, vars(ran.integers)),
                    predicted=self.core.predict(job),
                    measured=ran.cycles,
                    activity=self.core.activity(job, ran.integers),
                )
            )
            return ran.integers

        code = self.core.config.code
        return SpikedAttention(scales=self.scales, code=code, engine=engine)(layer, q, k, v)
