"""A job in tensors as the square job that golden takes, and the comparison of all integers."""

from typing import Any

import numpy as np

from golden.attention import job as golden
from golden.code import PhaseCode, Spikes


def square(job: Any) -> golden.AttentionJob:
    """Golden's job with the same rows: silent queries, keys that no row attends, and features are added.

    A row without any key may attend all in it; golden has no such rows, and they are not compared.
    """
    queries, keys = job.q.sign.shape[1], job.k.sign.shape[1]
    tokens, features = max(queries, keys), max(job.q.sign.shape[2], job.v.sign.shape[2])
    heads = job.q.sign.shape[0]
    allowed = np.zeros((heads, tokens, tokens), bool)
    allowed[:, :, :keys] = True
    if job.allowed is not None:
        given = job.allowed.numpy()
        allowed[:, :queries, :keys] = given | ~given.any(-1, keepdims=True)
    bias = None
    if job.bias is not None:
        bias = np.zeros((heads, tokens, tokens), np.int64)
        bias[:, :queries, :keys] = job.bias.numpy()
    q, k, v = (_padded(x, tokens, features, job.code) for x in (job.q, job.k, job.v))
    return golden.AttentionJob(
        code=job.code, window=job.window, q=q, k=k, v=v, bias=bias,
        allowed=None if allowed.all() else allowed,
        ramp_step=job.ramp_step.numpy(), ratio=job.ratio.numpy(),
    )  # fmt: skip


def _padded(spikes: Any, tokens: int, features: int, code: PhaseCode) -> Spikes:
    sign, phase = spikes.sign.numpy(), spikes.phase.numpy()
    more = ((0, 0), (0, tokens - sign.shape[1]), (0, features - sign.shape[2]))
    return Spikes(np.pad(sign, more), np.pad(phase, more, constant_values=code.steps))


def assert_equal(job: Any, spikes: Any) -> golden.AttentionSpikes:
    """Every integer of a job in tensors is golden's; a row without any key fires nothing."""
    twin = golden.compute(square(job))
    heads, queries, keys = spikes.score.shape
    values = spikes.context.shape[-1]
    allowed = np.ones((heads, queries, keys), bool) if job.allowed is None else job.allowed.numpy()
    row = allowed.any(-1)
    phase = np.where(spikes.attention.sign.numpy() > 0, spikes.attention.phase.numpy(), -1)
    assert (spikes.attention.phase.numpy()[phase < 0] == job.code.steps).all()
    assert np.array_equal(spikes.score.numpy()[allowed], twin.score[:, :queries, :keys][allowed])
    for ours, theirs in (
        (spikes.winner.numpy(), twin.winner[:, :queries]),
        (phase, twin.attn_phase[:, :queries, :keys]),
        (spikes.normaliser.numpy(), twin.normaliser[:, :queries]),
        (spikes.context.numpy(), twin.context[:, :queries, :values]),
        (spikes.out.sign.numpy(), twin.out.sign[:, :queries, :values]),
        (spikes.out.phase.numpy()[spikes.out.sign.numpy() != 0],
         twin.out.phase[:, :queries, :values][spikes.out.sign.numpy() != 0]),
    ):  # fmt: skip
        if ours.shape[:2] == row.shape:
            ours, theirs = ours[row], theirs[row]
        assert np.array_equal(ours, theirs)
    assert (spikes.out.phase.numpy()[spikes.out.sign.numpy() == 0] == job.code.steps).all()
    for silent in (phase[~row] + 1, spikes.normaliser.numpy()[~row], spikes.out.sign.numpy()[~row]):
        assert not silent.any()
    return twin
