"""What the stages of the key-serial core do during a job: events, cycles at work, use of the lanes."""

import numpy as np

from golden.attention.job import AttentionJob, compute
from golden.attention.key_serial import KeySerialConfig
from sim.timing.attention import group_sizes
from sim.timing.cycles import StageActivity
from sim.timing.key_serial import predict


def activity(job: AttentionJob, config: KeySerialConfig) -> StageActivity:
    """Events per stage, busy cycles per stage and lane utilisation of a job.

    Lookups are dense: a lane looks the point of every pair up, and adds 0 where a spike is silent. Additions
    are those where both are there, and the lane utilisation is their share in what all score and value lanes
    could do in the cycles from the first input to the last output.

    Raises:
        InputError: the core cannot hold the job.
    """
    spikes = compute(job)
    rows = job.heads * job.tokens
    pairs = rows * job.tokens
    query, key = (np.count_nonzero(s.sign, axis=1).astype(np.int64) for s in (job.q, job.k))
    attention = np.count_nonzero(spikes.attn_phase >= 0, axis=1).astype(np.int64)
    synaptic = int((query * key).sum())
    context = int((attention * np.count_nonzero(job.v.sign, axis=2)).sum())
    events = {
        "trace_lookups": 2 * pairs * job.head_dim,
        "synaptic_additions": synaptic,
        "attention_spikes": int(attention.sum()),
        "context_additions": context,
        "codes_fired": spikes.out.count(),
    }
    busy = {
        "score": pairs,
        "shift": pairs,
        "context": rows * job.head_dim * len(group_sizes(job.tokens, config.lanes)),
        "output": rows * (job.head_dim + (config.output != "codes")),
    }
    lanes = config.lanes + -(-config.head_dim // config.cluster) * config.cluster
    possible = (predict(job, config).total + 1) * lanes
    return StageActivity(events=events, busy=busy, lane_utilisation=(synaptic + context) / possible)
