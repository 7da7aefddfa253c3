"""What the stages of a core do during a job: events, cycles at work, use of the lanes."""

import numpy as np

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, compute
from sim.timing.attention import group_sizes, predict, row_beats
from sim.timing.cycles import StageActivity


def activity(job: AttentionJob, config: CoreConfig) -> StageActivity:
    """Events per stage, busy cycles per stage and lane utilisation of a job.

    An addition counts where both spikes are there: silent partners are not added. The lane
    utilisation is the share of such additions in what the two adders of every lane could do in the
    cycles from the first input to the last output.

    Raises:
        InputError: the core cannot hold the job.
    """
    spikes = compute(job)
    groups = len(group_sizes(job.tokens, config.lanes))
    rows = job.heads * job.tokens
    beats = int(row_beats(job).sum())
    terms = int(job.bias is not None or job.allowed is not None)
    query, key = (np.count_nonzero(s.sign, axis=1).astype(np.int64) for s in (job.q, job.k))
    attention = np.count_nonzero(spikes.attn_phase >= 0, axis=1).astype(np.int64)
    # every pair of a query and a key spike of the same feature, of an attention and a value spike
    # of the same key, and the column of ones
    synaptic = int((query * key).sum())
    values_per_key = np.count_nonzero(job.v.sign, axis=2).astype(np.int64)
    context = int((attention * values_per_key).sum() + attention.sum())
    columns = job.head_dim + (config.output != "codes")
    busy = {
        "score": groups * (beats + rows * (1 + terms)),
        "winner": rows * groups * (config.score_width + 1),
        "ramp": rows * groups * job.window,
        "context": rows * groups * (job.head_dim + 1),
        "output": rows * columns,
    }
    events = {
        "query_spikes_broadcast": groups * job.q.count(),
        "synaptic_additions": synaptic,
        "winner_bits": busy["winner"],
        "ramp_steps": busy["ramp"],
        "attention_spikes": int(attention.sum()),
        "context_additions": context,
        "codes_fired": spikes.out.count(),
    }
    cycles = predict(job, config).total + 1
    return StageActivity(
        events=events,
        busy=busy,
        lane_utilisation=(synaptic + context) / (2 * config.lanes * cycles),
    )
