"""The two names that users call: a block, and attention itself."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction

from torch import Tensor

from golden.attention.job import HeadScales
from golden.code import PhaseCode, read_fraction
from onespike.torch.patches import active, current, spiking
from onespike.torch.run import ScaleMode, SpikingRun


@contextmanager
def spiking_attention(
    *,
    steps: int = 16,
    log2_base: str | Fraction = "1/2",
    trace_bits: int = 12,
    ramp_bits: int = 4,
    window: int | None = None,
    scales: ScaleMode | Mapping[str, HeadScales] = "dynamic",
    batches: int = 1,
    report: bool = True,
) -> Iterator[SpikingRun]:
    """A block in which attention is computed in spikes, in the thread that opened it.

    It holds for torch's `scaled_dot_product_attention`, so for timm, torchvision, transformers with "sdpa"
    and `torch.nn.MultiheadAttention`, and for transformers with "onespike". Blocks nest, the innermost
    counts; what was before is back after it, also where it ends by an exception.

    Source: SpikedAttention (NeurIPS 2024), section 3.

    Args:
        steps, log2_base, trace_bits, ramp_bits: the code; see `golden.code.PhaseCode`.
        window: Ts, steps of the WOSS ramp, 1..T; T when absent.
        scales: what a spike of phase 0 stands for. "dynamic": of every sample and head by itself, the
            largest magnitude; the output depends on the sample alone. "calibrated": the largest
            magnitudes of the first `batches` calls of a layer, then frozen, as in a conversion. Or the
            `calibration` of another run, by layer.
        batches: calls of each layer that calibrate it.
        report: count what a report tells; costs exact attention beside the one in spikes.

    Yields:
        The run, whose `report()` tells what happened.

    Raises:
        InputError: an option out of its range.
    """
    base = log2_base if isinstance(log2_base, Fraction) else read_fraction("log2_base", log2_base)
    code = PhaseCode(steps=steps, log2_base=base, trace_bits=trace_bits, ramp_bits=ramp_bits)
    run = SpikingRun(
        code=code,
        window=steps if window is None else window,
        scales=scales,
        batches=batches,
        counting=report,
    )
    with active(run):
        yield run
    if not run.calls:
        warnings.warn(
            "no attention was computed in spikes in this block: the model computes its own "
            'softmax (transformers: attn_implementation="onespike")',
            stacklevel=3,
        )


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Attention in spikes, by the options of the block it is in, else by their defaults.

    Args:
        query, key, value: [..., heads, tokens, features] of any floating-point type; as those of torch.
        attn_mask: bool, True = may be attended, or numbers added to the logits, of which -5000 or less
            masks; broadcastable to [..., heads, queries, keys]. A row without any key gives zero.
        dropout_p: must be 0.
        is_causal: a row attends the keys up to its own number.
        scale: of the logits; 1/sqrt(features) when absent.
        enable_gqa: key and value may have fewer heads, each for a group of query's.

    Returns:
        In the shape and type of the query, with the features of the values: decoded output spikes.

    Raises:
        InputError: dropout, shapes that do not fit, a number that is not finite, a device without float64.
    """
    return spiking(
        current() or default_run(), query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa
    )


def default_run() -> SpikingRun:
    """The options of attention outside of any block; nothing is remembered."""
    code = PhaseCode()
    return SpikingRun(code=code, window=code.steps, scales="dynamic", batches=1, counting=False)
