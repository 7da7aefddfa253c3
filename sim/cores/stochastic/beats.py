"""What goes over the streams of a stochastic engine: jobs to columns, columns to spikes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.attention import StochasticJob, StochasticSpikes
from golden.stochastic.config import StochasticConfig

Fields = dict[str, Any]


def job_beats(job: StochasticJob) -> Fields:
    """Input columns of a job as its engine takes them: rates where it has encoders, trains elsewhere.

    To encoders a train is a rate of 0 or 1 that changes with time: the one never spikes, the other always.
    """
    config = job.config
    if not config.encoders:
        return input_beats(job.q, job.k, job.v, config)
    if job.rates is not None:
        q, k, v = (np.broadcast_to(rates, job.q.shape) for rates in job.rates)
    else:
        q, k, v = (train.astype(np.int64) << config.rate_bits for train in (job.q, job.k, job.v))
    return input_beats(q, k, v, config)


def input_beats(
    q: NDArray[np.generic], k: NDArray[np.generic], v: NDArray[np.generic], config: StochasticConfig
) -> Fields:
    """Input columns of trains or rates [steps, heads, tokens, head_dim].

    Order: heads, time steps, row groups, features. Keys and values are sent with row group 0.
    """
    fields = {"q": _by_slot(q.swapaxes(0, 1), config).swapaxes(1, 2).reshape(-1, config.rows)}
    steps, heads, tokens, head_dim = q.shape
    for name, train in (("k", k), ("v", v)):
        sent = np.zeros((heads, steps, config.groups, head_dim, tokens), dtype=np.int64)
        sent[:, :, 0] = train.swapaxes(0, 1).swapaxes(2, 3)
        fields[name] = sent.reshape(-1, tokens)
    return fields


def output_beats(spikes: StochasticSpikes, config: StochasticConfig) -> Fields:
    """Beats of every output stream that show these spikes."""
    out = _by_slot(spikes.out.swapaxes(0, 1), config)
    return {
        "o": out.swapaxes(1, 2).reshape(-1, config.rows),
        "o_score": _by_slot(spikes.score.swapaxes(0, 1), config),
    }


def output_spikes(columns: NDArray[np.integer], job: StochasticJob) -> NDArray[np.bool_]:
    """Output columns [slots * d, rows] -> A [steps, heads, tokens, head_dim]."""
    config = job.config
    return by_token(columns.reshape(-1, config.head_dim, config.rows).swapaxes(1, 2), job)


def by_token(slots: NDArray[np.integer], job: StochasticJob) -> NDArray[np.bool_]:
    """[heads * steps * groups, rows, n] -> [steps, heads, tokens, n]."""
    config = job.config
    by_row = slots.reshape(job.heads, job.steps, config.groups * config.rows, -1)
    return by_row[:, :, : config.tokens].swapaxes(0, 1).astype(np.bool_)


def _by_slot(values: NDArray[np.generic], config: StochasticConfig) -> NDArray[np.int64]:
    """[heads, steps, tokens, n] -> [heads * steps * groups, rows, n]; rows past the last token are 0."""
    heads, steps, tokens, size = values.shape
    padded = np.zeros((heads, steps, config.groups * config.rows, size), dtype=np.int64)
    padded[:, :, :tokens] = values
    return padded.reshape(-1, config.rows, size)
