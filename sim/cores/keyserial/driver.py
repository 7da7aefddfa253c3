"""What goes over the streams of a key-serial attention core: jobs to beats, beats to spikes.

The order of beats is that of the docstring of `hw.keyserial.core.KeySerialCore`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from golden.attention.job import AttentionJob
from golden.attention.key_serial import KeySerialConfig
from golden.code import Spikes
from sim.cores.attention.driver import Fields, head_beats, spike_beats, uses_terms
from sim.cores.attention.driver import shown as shown_at_outputs
from sim.cores.integer.driver import term_beats


def flat(spikes: Spikes) -> Fields:
    """Spike payloads in the order of the array."""
    return spike_beats(Spikes(spikes.sign.reshape(-1), spikes.phase.reshape(-1)))


def input_beats(job: AttentionJob, config: KeySerialConfig) -> dict[str, Fields]:
    """Beats of every input stream of the core."""
    last = np.broadcast_to(np.arange(job.head_dim) == job.head_dim - 1, job.q.shape)
    inputs = {
        "i_head": head_beats(job, config),
        "i_key": flat(job.k),
        "i_value": flat(Spikes(*(a.swapaxes(1, 2) for a in (job.v.sign, job.v.phase)))),
        "i_query": {"spike": flat(job.q), "last": last.reshape(-1).astype(np.int64)},
    }
    return inputs | ({"i_terms": term_beats(job, config, uses_terms(job))} if config.terms else {})


def shown(outputs: Mapping[str, Any], job: AttentionJob, config: KeySerialConfig) -> Fields:
    """Attributes of `AttentionSpikes` in the beats of a core's ports."""
    fields = shown_at_outputs(outputs, job, config)
    if "o_tap" in outputs:
        tap, pairs = outputs["o_tap"], (job.heads, job.tokens, job.tokens)
        phase = np.where(tap["attention"]["active"] == 1, tap["attention"]["phase"], -1)
        fields |= {
            "score": tap["score"].reshape(pairs),
            "winner": tap["winner"].reshape(pairs)[..., 0],
            "attn_phase": phase.reshape(pairs).astype(np.int8),
        }
    return fields
