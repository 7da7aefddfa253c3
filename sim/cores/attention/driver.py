"""What goes over the streams of an attention core: jobs to beats, beats to spikes.

The order of beats is that of the docstring of `hw.attention.core.AttentionCore`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob
from golden.code import PhaseCode, Spikes
from sim.cores.marks import check_rows
from sim.timing.cycles import CycleReport
from sim.verilator.result import Result

Fields = dict[str, Any]


def groups_of(tokens: int, config: CoreConfig) -> list[range]:
    """Tokens of each group in use."""
    return [range(low, min(low + config.lanes, tokens)) for low in range(0, tokens, config.lanes)]


def head_beats(job: AttentionJob, config: CoreConfig) -> Fields:
    """One descriptor per head; ramp steps beyond the limit behave like the limit."""
    heads = job.heads
    return {
        "tokens": np.full(heads, job.tokens),
        "features": np.full(heads, job.head_dim),
        "terms": np.full(heads, int(uses_terms(job))),
        "window": np.full(heads, job.window),
        "step": np.minimum(job.ramp_step, config.step_limit),
        "ratio": job.ratio,
    }


def uses_terms(job: AttentionJob) -> bool:
    return job.bias is not None or job.allowed is not None


def spike_beats(spikes: Spikes) -> Fields:
    """Spike payloads of a flat array of spikes."""
    active = spikes.sign != 0
    return {
        "active": active.astype(np.int64),
        "negative": (spikes.sign < 0).astype(np.int64),
        "phase": np.where(active, spikes.phase, 0).astype(np.int64),
    }


def read_spikes(fields: Fields, code: PhaseCode, shape: tuple[int, ...]) -> Spikes:
    """Inverse of `spike_beats`, in a shape."""
    active = fields["active"] == 1
    sign = np.where(active, 1 - 2 * fields["negative"], 0)
    phase = np.where(active, fields["phase"], code.steps)
    return Spikes(*(a.reshape(shape).astype(np.int8) for a in (sign, phase)))


def trace_beats(spikes: Spikes, config: CoreConfig) -> Fields:
    """Keys or values [heads, tokens, features]: feature by feature, each group from its last token."""
    order = np.concatenate([np.array(group)[::-1] for group in groups_of(spikes.shape[1], config)])
    ordered = spikes[:, order]
    return spike_beats(Spikes(*(np.swapaxes(a, 1, 2).reshape(-1) for a in (ordered.sign, ordered.phase))))


def query_beats(spikes: Spikes) -> Fields:
    """Queries [heads, tokens, features]: rows without their silent spikes, at least one beat each."""
    features = spikes.shape[-1]
    sent = spikes.sign != 0
    sent[..., 0] |= ~sent.any(axis=-1)
    # the last feature sent of every row
    last = features - 1 - np.argmax(sent[..., ::-1], axis=-1)
    feature = np.broadcast_to(np.arange(features), spikes.shape)
    return {
        "feature": feature[sent],
        "spike": spike_beats(Spikes(spikes.sign[sent], spikes.phase[sent])),
        "last": (feature == last[..., None])[sent].astype(np.int64),
    }


def term_beats(job: AttentionJob, config: CoreConfig) -> Fields:
    """Bias and mask: row by row, each group from its last beat, padded to whole beats."""
    size = config.terms_per_beat
    fields: Fields = {}
    if config.bias:
        fields["bias"] = np.zeros((0, size), np.int64)
    if config.mask:
        fields["masked"] = np.zeros((0, size), np.int64)
    if not uses_terms(job):
        return fields
    shape = (job.heads, job.tokens, job.tokens)
    bias = np.zeros(shape, np.int64) if job.bias is None else job.bias
    masked = np.zeros(shape, np.int64) if job.allowed is None else (~job.allowed).astype(np.int64)

    def beats(values: NDArray[np.int64]) -> NDArray[np.int64]:
        parts = []
        for group in groups_of(job.tokens, config):
            part = values[..., group.start : group.stop]
            part = np.pad(part, ((0, 0), (0, 0), (0, -len(group) % size)))
            parts.append(part.reshape(*part.shape[:2], -1, size)[:, :, ::-1])
        return np.concatenate(parts, axis=2).reshape(-1, size)

    return {name: beats({"bias": bias, "masked": masked}[name]) for name in fields}


def input_beats(job: AttentionJob, config: CoreConfig) -> dict[str, Fields]:
    """Beats of every input stream of the core."""
    inputs = {
        "i_head": head_beats(job, config),
        "i_key": trace_beats(job.k, config),
        "i_value": trace_beats(job.v, config),
        "i_query": query_beats(job.q),
    }
    return inputs | ({"i_terms": term_beats(job, config)} if config.terms else {})


def output_beats(job: AttentionJob, config: CoreConfig) -> dict[str, int]:
    """Number of beats that a job brings on every output stream of the core."""
    rows = job.heads * job.tokens
    expect = {}
    if config.output != "context":
        expect["o_code"] = rows * job.head_dim
    if config.output != "codes":
        expect["o_context"] = rows * (job.head_dim + 1)
    if config.taps:
        expect["o_winner"] = rows
        expect |= {f"o_tap_{n}": rows * len(groups_of(job.tokens, config)) for n in range(config.clusters)}
    return expect


def taps(
    outputs: Mapping[str, Fields], job: AttentionJob, config: CoreConfig
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """(score, attn_phase) of the taps, each [heads, tokens, tokens]."""
    shape = (job.heads, job.tokens, len(groups_of(job.tokens, config)), config.cluster)

    def join(pick: Any) -> NDArray[np.int64]:
        # group, cluster and lane are the digits of the token
        parts = [pick(outputs[f"o_tap_{n}"]).reshape(shape) for n in range(config.clusters)]
        return np.stack(parts, axis=3).reshape(job.heads, job.tokens, -1)[..., : job.tokens]

    active = join(lambda fields: fields["attention"]["active"])
    phase = join(lambda fields: fields["attention"]["phase"])
    return join(lambda fields: fields["score"]), np.where(active == 1, phase, -1).astype(np.int8)


def shown(outputs: Mapping[str, Any], job: AttentionJob, config: CoreConfig) -> Fields:
    """Attributes of `AttentionSpikes` in the beats of a core's ports: no context and no normaliser with
    `output` "codes", no codes with "context", no scores, winners and phases without taps.

    Raises:
        SimulationError: a beat is not marked as what it is.
    """
    check_rows(outputs, job.head_dim)
    fields: Fields = {}
    if "o_winner" in outputs:
        fields["score"], fields["attn_phase"] = taps(outputs, job, config)
        fields["winner"] = outputs["o_winner"].reshape(job.heads, job.tokens)
    if "o_code" in outputs:
        fields["out"] = read_spikes(outputs["o_code"]["spike"], job.code, job.q.shape)
    if "o_context" in outputs:
        rows = outputs["o_context"]["value"].reshape(job.heads, job.tokens, job.head_dim + 1)
        fields["normaliser"], fields["context"] = rows[..., 0], rows[..., 1:]
    return fields


def completion(result: Result, job: AttentionJob) -> CycleReport:
    """Cycle of the last output beat of every row."""
    ends = []
    for name in ("o_code", "o_context"):
        if name in result.outputs:
            cycles = result.outputs[name].cycles
            ends.append(cycles.reshape(job.heads * job.tokens, -1)[:, -1])
    return CycleReport(np.maximum.reduce(ends).reshape(job.heads, job.tokens))
