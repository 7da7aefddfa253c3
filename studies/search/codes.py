"""Error of a code on captured activations, node by node."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from golden.attention.exact import softmax_attention
from golden.attention.job import compute, decode_outputs, prepare
from golden.code import MAX_DENOMINATOR, PhaseCode, decode, encode
from models.conversion.scales import attention_of, linear_scales
from models.conversion.scheme import Scheme
from models.floating.recording import Ranges
from studies.search.capture import Captured


@dataclass(frozen=True, kw_only=True)
class CodeError:
    """Relative RMSE over all nodes of what a code makes of real activations.

    Attributes:
        steps, log2_base: the code.
        attention: of attention outputs, decoded codes.
        inputs: of dense inputs, decoded.
        density: share of dense inputs that fire.
    """

    steps: int
    log2_base: str
    attention: float
    inputs: float
    density: float


def bases(low: float, high: float) -> list[Fraction]:
    """Every a/b with b at most 8 in low..high, rising."""
    found = {Fraction(a, b) for b in range(1, MAX_DENOMINATOR + 1) for a in range(1, 2 * b + 1)}
    return sorted(f for f in found if low <= f <= high)


def scales_of(ranges: Ranges) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Scales of attention [4, heads] and of dense inputs [inputs], by node; per head and per channel."""
    scheme = Scheme()
    attention = {name: attention_of(values, scheme).scales for name, values in ranges.attention.items()}
    return attention, {name: linear_scales(name, ranges, scheme) for name in ranges.linear}


def code_error(captured: Captured, ranges: Ranges, code: PhaseCode, window: int | None = None) -> CodeError:
    """Errors of `code` on the captured activations at the scales of the recorded ranges."""
    attention, inputs = scales_of(ranges)
    squares, totals = np.zeros(2), np.zeros(2)
    fired = neurons = 0
    for name, heads in captured.heads.items():
        q, k, v, o = attention[name]
        for qs, ks, vs in heads:
            job, scales = prepare(qs, ks, vs, code, window=window, scale_q=q, scale_k=k, scale_v=v, scale_o=o)
            out, _ = decode_outputs(job, compute(job), scales)
            exact, _ = softmax_attention(qs, ks, vs)
            squares[0] += np.square(out - exact).sum()
            totals[0] += np.square(exact).sum()
    for name, rows in captured.inputs.items():
        for x in rows:
            spikes = encode(x, inputs[name], code)
            squares[1] += np.square(decode(spikes, inputs[name], code) - x).sum()
            totals[1] += np.square(x, dtype=np.float64).sum()
            fired += spikes.count()
            neurons += x.size
    error = np.sqrt(squares / np.maximum(totals, 1e-30))
    return CodeError(
        steps=code.steps,
        log2_base=str(code.log2_base),
        attention=float(error[0]),
        inputs=float(error[1]),
        density=fired / max(neurons, 1),
    )


def survivors(
    captured: Captured, ranges: Ranges, code: PhaseCode, window: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(keys that fire, keys) of every attention row captured."""
    attention, _ = scales_of(ranges)
    counts, keys = [], []
    for name, heads in captured.heads.items():
        q, k, v, o = attention[name]
        for qs, ks, vs in heads:
            job = prepare(qs, ks, vs, code, window=window, scale_q=q, scale_k=k, scale_v=v, scale_o=o).job
            counts.append((compute(job).attn_phase >= 0).sum(axis=-1).ravel())
            keys.append(np.full_like(counts[-1], job.tokens))
    return np.concatenate(counts), np.concatenate(keys)
