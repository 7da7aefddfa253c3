"""Ratios of speed of attention in tensors: golden against it, and it against PyTorch's own attention.

Floats to floats on both sides, one thread each.
"""

from collections.abc import Callable
from functools import partial, update_wrapper

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from golden.attention import job as golden_job
from golden.code import PhaseCode
from onespike.torch.interface import spiking_attention
from onespike.torch.job import exact_attention
from studies.bench.ratios import Call, Ratio, median_seconds
from studies.data.random import random_heads

# Samples, heads, tokens, features
WORKLOADS = {"ViT-Base, one image": (1, 12, 197, 64), "MiniLM, eight sentences": (8, 12, 128, 32)}
ROUNDS = 5
SPIKES, FROZEN, SOFTMAX = "tensors in spikes", "tensors in spikes, frozen scales", "softmax of PyTorch"


class _Attention(torch.nn.Module):
    """A module, for which scales are remembered."""

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v)


def golden_against_tensors(workload: str, seed: int) -> Ratio:
    """Golden, with scales of the data, against tensors with the same."""
    return _measured(workload, seed, "golden", SPIKES)


def tensors_against_softmax(workload: str, seed: int) -> Ratio:
    """Tensors with scales of the data, which need exact attention beside the spikes."""
    return _measured(workload, seed, SPIKES, SOFTMAX)


def frozen_against_softmax(workload: str, seed: int) -> Ratio:
    """Tensors with scales that are known."""
    return _measured(workload, seed, FROZEN, SOFTMAX)


def _measured(workload: str, seed: int, slow: str, fast: str) -> Ratio:
    samples, heads, tokens, features = WORKLOADS[workload]
    arrays = random_heads(samples * heads, tokens, features, seed)
    tensors = [torch.tensor(arrays[name]).view(samples, heads, tokens, features) for name in "qkv"]
    attention = _Attention()

    def golden() -> None:
        job, scales = golden_job.prepare(arrays["q"], arrays["k"], arrays["v"], PhaseCode())
        golden_job.decode_outputs(job, golden_job.compute(job), scales)

    def spikes() -> None:
        with spiking_attention(report=False):
            attention(*tensors)

    with spiking_attention(scales="calibrated", report=False) as run:
        attention(*tensors)

    def frozen() -> None:
        with spiking_attention(scales=run.calibration, report=False):
            attention(*tensors)

    calls: dict[str, Call] = {
        "golden": golden, SPIKES: spikes, FROZEN: frozen, SOFTMAX: lambda: exact_attention(*tensors)
    }  # fmt: skip
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            seconds = median_seconds(calls[slow], calls[fast], ROUNDS)
    finally:
        torch.set_num_threads(threads)
    return Ratio(
        what=f"{workload}: {samples * heads} heads, {tokens} tokens, head_dim {features}",
        slow=slow,
        fast=fast,
        slow_seconds=seconds[0],
        fast_seconds=seconds[1],
    )


RATIOS: tuple[Callable[[int], Ratio], ...] = tuple(
    update_wrapper(partial(measure, workload), measure)
    for workload in WORKLOADS
    for measure in (golden_against_tensors, tensors_against_softmax, frozen_against_softmax)
)
