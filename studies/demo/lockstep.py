"""The trained network with its attention in the engine under test, beside golden and the cycle model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales
from golden.code import Spikes
from models.floating.engine import SpikingAttention, SpikingEngine
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


class LockstepEngine(SpikingEngine):
    """Attention that passes on what the engine under test computed; the rest in floats.

    Attributes:
        runs: what happened, one entry per layer so far.
    """

    def __init__(
        self,
        attentions: dict[str, SpikingAttention],
        core: SpikedAttentionCore,
        waves: Path | None = None,
        progress: Callable[[int, float], None] = lambda layer, share: None,
    ) -> None:
        """Args: every layer's attention; the core under test; folder for one waveform per layer, or None;
        told the layer and the share of its heads that are done, 0..1."""
        super().__init__({}, attentions, {})
        self.core, self.waves, self.progress = core, waves, progress
        self.runs: list[LayerRun] = []

    def attention(
        self,
        name: str,
        q: NDArray[np.floating],
        k: NDArray[np.floating],
        v: NDArray[np.floating],
        bias: NDArray[np.floating] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.floating]:
        flat = (-1, *q.shape[2:])
        self._floats = q.reshape(flat), k.reshape(flat)
        return super().attention(name, q, k, v, bias, allowed)

    def fire(self, job: AttentionJob, scales: HeadScales) -> tuple[NDArray[np.int8], Spikes]:
        layer, (q, k) = len(self.runs), self._floats
        self.core.check(job)
        core = self.core.tapped()
        waves = None if self.waves is None else self.waves / f"layer{layer}.fst"
        ran = core.run(
            job,
            waves=waves,
            progress=lambda cycle, received, expected: self.progress(layer, received / expected),
        )
        if waves is not None:
            core.write_views(waves)
        self.runs.append(
            LayerRun(
                layer=layer,
                q=q,
                k=k,
                job=job,
                spikes=ran.integers,
                comparison=self.core.compare(job, vars(ran.integers)),
                predicted=self.core.predict(job),
                measured=ran.cycles,
                activity=self.core.activity(job, ran.integers),
            )
        )
        return ran.integers.attn_phase, ran.integers.out
