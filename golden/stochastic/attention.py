"""Stochastic spiking attention of whole heads, spike-exact for a random-number plan.

Source: Stochastic Spiking Attention (AICAS 2024, arXiv 2402.09109), section III:

    S[i,j](t) ~ Bern( (1/d) * sum_l Q[i,l](t) AND K[j,l](t) )
    A[i,l](t) ~ Bern( (1/N) * sum_j S[i,j](t) AND V[j,l](t) )

A unit spikes when its count exceeds a draw that is uniform in 0..size-1 (size d or N):

    r = floor(u * size / 2**w),  u the w-bit draw;     spike where count > r

For a size that is a power of two r is the upper bits of u. For any other size nothing is rejected
and nothing is scaled at run time; each r has floor or ceil of 2**w/size values of u, so the
probability differs from count/size by less than 2**-w (1.6e-5 at w=16), plus 2**-W because a
register never shows zero. The exact distribution is enumerated in the tests.

Order of events: heads, in each the time steps, in each the row groups, in each the d features.
Every row group is one event of the score bank; every feature of a row group one event of the output
bank and the query encoder; every feature of a time step one of the key and value encoders. The
generators run on from head to head.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError, quoted
from golden.inputs import check_array
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import Bank

# Heads are computed in slices of about this many scores, to bound memory
SLICE_SCORES = 1 << 22


@dataclass(frozen=True, kw_only=True)
class StochasticJob:
    """Spike trains of several heads; the input of every stochastic engine.

    Attributes:
        config: the engine.
        q, k, v: bool [steps, heads, tokens, head_dim].
        first_head: heads that the generators have already served.
        rates: of q, k and v where the encoders made the trains, int64 [heads, tokens, head_dim] in units of
            2**-rate_bits; None where trains were given.
    """

    config: StochasticConfig
    q: NDArray[np.bool_]
    k: NDArray[np.bool_]
    v: NDArray[np.bool_]
    first_head: int = 0
    rates: tuple[NDArray[np.int64], ...] | None = None

    @property
    def steps(self) -> int:
        return self.q.shape[0]

    @property
    def heads(self) -> int:
        return self.q.shape[1]


@dataclass(frozen=True, kw_only=True)
class StochasticSpikes:
    """What an engine computes from a job.

    Attributes:
        score: S, bool [steps, heads, tokens, tokens].
        out: A, bool [steps, heads, tokens, head_dim].
    """

    score: NDArray[np.bool_]
    out: NDArray[np.bool_]

    @property
    def rate(self) -> NDArray[np.float64]:
        """Spikes per time step of the output, [heads, tokens, head_dim]."""
        return self.out.mean(axis=0)


def scale_draw(number: NDArray[np.uint64], size: int, draw_bits: int) -> NDArray[np.int64]:
    """r = floor(u * size / 2**w), uniform in 0..size-1."""
    return ((number * np.uint64(size)) >> np.uint64(draw_bits)).astype(np.int64)


def rate_units(rates: NDArray[np.floating], rate_bits: int) -> NDArray[np.int64]:
    """Rates 0..1 in units of 2**-rate_bits: floor(rate * 2**rate_bits + 1/2)."""
    return np.floor(rates * 2.0**rate_bits + 0.5).astype(np.int64)


def encode_rates(
    rates: NDArray[np.integer], bank: Bank, first: int, steps: int, rate_bits: int
) -> NDArray[np.bool_]:
    """Bernoulli trains: spike where the upper rate_bits of the draw are below the rate.

    Args:
        rates: integers [events per step, *bank.lanes] in units of 2**-rate_bits.
        bank: the encoder's generators.
        first: first event.
        steps: time steps.

    Returns:
        bool [steps, events per step, *bank.lanes]. A rate p spikes with probability
        (p*2**(W-rate_bits) - 1)/(2**W - 1), 0 < p; never at 0, always at 2**rate_bits.
    """
    events = len(rates)
    draws = bank.numbers(first, steps * events).reshape(steps, events, *bank.drawn)
    return (draws >> np.uint64(bank.plan.draw_bits - rate_bits)).astype(np.int64) < rates


def prepare(
    q: NDArray[np.generic],
    k: NDArray[np.generic],
    v: NDArray[np.generic],
    config: StochasticConfig,
    *,
    steps: int | None = None,
    first_head: int = 0,
) -> StochasticJob:
    """Turn rates or spike trains into a job.

    Args:
        q, k, v: rates in 0..1, [heads, tokens, head_dim] ([tokens, head_dim] for one head), which
            the Bernoulli encoders code; or trains of 0 and 1, [steps, heads, tokens, head_dim].
        config: the engine.
        steps: T, needed with rates; with trains it must be absent or agree.
        first_head: heads that the generators have already served.

    Raises:
        InputError: wrong type, shape, a rate outside 0..1, a train that is not binary, T outside
            1..config.steps.
    """
    given = {"q": np.asarray(q), "k": np.asarray(k), "v": np.asarray(v)}
    given = {n: a.astype(np.uint8) if a.dtype == np.bool_ else a for n, a in given.items()}
    arrays = {name: check_array(name, value, (2, 3, 4)) for name, value in given.items()}
    shape = arrays["q"].shape
    for name, array in arrays.items():
        if array.shape != shape:
            raise InputError(f"{name} must have the shape of q, {list(shape)}, not {list(array.shape)}")
        wanted = (config.tokens, config.head_dim)
        if shape[-2:] != wanted:
            raise InputError(f"{name} must end in the shape {list(wanted)}, not {list(shape[-2:])}")
    if len(shape) == 4:
        if steps not in (None, shape[0]):
            raise InputError(f"steps must agree with the trains ({shape[0]}), not {quoted(steps)}")
        steps = shape[0]
    elif steps is None:
        raise InputError("steps must be given with rates, it is absent")
    check_range("steps", steps, 1, config.steps)
    check_range("first_head", first_head, 0, 1 << 32)
    for name, array in arrays.items():
        bad = (array != 0) & (array != 1) if len(shape) == 4 else (array < 0) | (array > 1)
        if bad.any():
            where = tuple(int(n) for n in np.argwhere(bad)[0])
            rule = "a spike train of 0 and 1" if len(shape) == 4 else "rates in 0..1"
            raise InputError(f"{name} must hold {rule}, not {array[where]:g} at {list(where)}")
    rates = None
    if len(shape) == 4:
        trains = [array.astype(np.bool_) for array in arrays.values()]
    else:
        rates = tuple(
            rate_units(array.reshape((-1, *shape[-2:])), config.rate_bits) for array in arrays.values()
        )
        trains = [
            _encode(name, units, config, steps, first_head) for name, units in zip(arrays, rates, strict=True)
        ]
    return StochasticJob(
        config=config, q=trains[0], k=trains[1], v=trains[2], first_head=first_head, rates=rates
    )


def expectation(
    q: NDArray[np.generic], k: NDArray[np.generic], v: NDArray[np.generic], config: StochasticConfig
) -> NDArray[np.float64]:
    """Exact expectation of the output rate, float64 [heads, tokens, head_dim].

    Args:
        q, k, v: rates of independent trains [(heads,) tokens, head_dim], or the trains themselves
            [steps, heads, tokens, head_dim].
        config: sizes and mask.
    """
    q, k, v = (np.asarray(x, dtype=np.float64) for x in (q, k, v))
    score = q @ k.swapaxes(-1, -2) / config.head_dim * config.allowed
    out = score @ v / config.tokens
    return out.mean(axis=0) if out.ndim == 4 else out.reshape((-1, *out.shape[-2:]))


def _encode(
    name: str, rates: NDArray[np.int64], config: StochasticConfig, steps: int, first_head: int
) -> NDArray[np.bool_]:
    """Trains bool [steps, heads, tokens, head_dim] of one of q, k, v."""
    bank = config.bank(name)
    # Queries come in row groups of all d features, the last group padded; keys and values at once
    groups, lanes = (config.groups, config.rows) if name == "q" else (1, config.tokens)
    trains = np.empty((steps, *rates.shape), dtype=np.bool_)
    padded = np.zeros((groups * lanes, config.head_dim), dtype=np.int64)
    for head, head_rates in enumerate(rates):
        padded[: config.tokens] = head_rates
        columns = padded.reshape(groups, lanes, -1).swapaxes(1, 2).reshape(-1, lanes)
        first = (first_head + head) * steps * len(columns)
        coded = encode_rates(columns, bank, first, steps, config.rate_bits)
        coded = coded.reshape(steps, groups, -1, lanes).swapaxes(2, 3).reshape(steps, groups * lanes, -1)
        trains[:, head] = coded[:, : config.tokens]
    return trains


def compute(job: StochasticJob) -> StochasticSpikes:
    """All spikes of a job (the golden engine)."""
    config, steps = job.config, job.steps
    score = np.empty((steps, job.heads, config.tokens, config.tokens), dtype=np.bool_)
    out = np.empty(job.q.shape, dtype=np.bool_)
    size = max(1, SLICE_SCORES // (steps * config.groups * config.rows * config.tokens))
    for low in range(0, job.heads, size):
        part = slice(low, min(low + size, job.heads))
        first, heads = job.first_head + low, part.stop - low
        score_draw, output_draw = draws(config, first, heads, steps)
        score[:, part], out[:, part] = attend(
            job.q[:, part], job.k[:, part], job.v[:, part], score_draw, output_draw, config
        )
    return StochasticSpikes(score=score, out=out)


def draws(
    config: StochasticConfig, first_head: int, heads: int, steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Scaled draws of the score and the output comparators of some heads.

    Returns:
        (score, output), broadcastable to [steps, heads, tokens, tokens] and
        [steps, heads, tokens, head_dim].
    """
    slots = heads * steps * config.groups
    first = first_head * steps * config.groups
    bits, width = config.plan.draw_bits, config.head_dim
    score = scale_draw(config.bank("score").numbers(first, slots), width, bits)
    output = scale_draw(config.bank("output").numbers(first * width, slots * width), config.tokens, bits)
    # [slots, rows or 1, tokens or 1] and [slots, features, rows or 1] -> [steps, heads, token rows, ...]
    output = output.reshape(slots, width, -1).swapaxes(1, 2)
    return _by_token(score, config, heads, steps), _by_token(output, config, heads, steps)


def _by_token(
    drawn: NDArray[np.int64], config: StochasticConfig, heads: int, steps: int
) -> NDArray[np.int64]:
    """[slots, rows or 1, columns or 1] -> [steps, heads, tokens or 1, columns or 1]."""
    if config.groups == 1 and drawn.shape[1] == 1:
        return drawn.reshape(heads, steps, 1, -1).swapaxes(0, 1)
    rows = np.broadcast_to(drawn, (len(drawn), config.rows, drawn.shape[2]))
    by_token = rows.reshape(heads, steps, config.groups * config.rows, -1)[:, :, : config.tokens]
    return by_token.swapaxes(0, 1)


def attend(
    q: NDArray[np.bool_],
    k: NDArray[np.bool_],
    v: NDArray[np.bool_],
    score_draw: NDArray[np.int64],
    output_draw: NDArray[np.int64],
    config: StochasticConfig,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Spikes (S, A) of trains [steps, heads, tokens, head_dim] for given draws 0..d-1 and 0..N-1."""
    # Counts are at most 256, so float32 products are exact and use the fast matrix product
    counts = q.astype(np.float32) @ k.astype(np.float32).swapaxes(-1, -2)
    score = (counts > score_draw) & config.allowed
    sums = score.astype(np.float32) @ v.astype(np.float32)
    return score, sums > output_draw
