"""Conversion of a trained vision transformer to spiked attention, without retraining.

Source: SpikedAttention (NeurIPS 2024), section 3: weights stay as they were trained; scales, one
of each kind per head, are calibrated on training images and fixed afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.attention.calibrate import calibrate
from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales, compute, decode_outputs, prepare
from golden.attention.normaliser import calibrate_output
from golden.code import PhaseCode
from models.floating.small_vit import VisionTransformer, exact_attention

Engine = Callable[[AttentionJob], AttentionSpikes]


def calibrate_scales(network: VisionTransformer, images: NDArray[np.floating]) -> list[HeadScales]:
    """Scales of every head: the largest magnitudes that exact attention shows on `images`.

    Args:
        network: the trained network.
        images: calibration images, as for `VisionTransformer.logits`; not those of the test.

    Returns:
        One entry per layer.
    """
    scales: list[HeadScales] = []

    def observe(
        layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        out = exact_attention(layer, q, k, v)
        scale_v = calibrate(v)
        scale_o = calibrate_output(out, scale_v)
        scales.append(HeadScales(q=calibrate(q), k=calibrate(k), v=scale_v, o=scale_o))
        return out

    network.logits(images, observe)
    return scales


@dataclass(frozen=True, kw_only=True)
class SpikedAttention:
    """Spiked attention of one layer, an `Attention`: every head of every image in one job.

    Attributes:
        scales: one entry per layer, from `calibrate_scales`.
        code: the phase code.
        engine: what turns a job into spikes; golden when absent.
    """

    scales: list[HeadScales]
    code: PhaseCode
    engine: Engine = compute

    def __call__(
        self, layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """Decoded output codes; see `Attention`. Head h of image n is head n*heads + h of the job."""
        scales = self.scales[layer]
        flat = (-1, *q.shape[2:])
        job, used = prepare(
            q.reshape(flat),
            k.reshape(flat),
            v.reshape(flat),
            self.code,
            scale_q=np.tile(scales.q, len(q)),
            scale_k=np.tile(scales.k, len(q)),
            scale_v=np.tile(scales.v, len(q)),
            scale_o=np.tile(scales.o, len(q)),
        )
        out, _ = decode_outputs(job, self.engine(job), used)
        return out.reshape(q.shape)
