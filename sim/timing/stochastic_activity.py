"""What a stochastic engine does during a job: events, cycles at work, use of its units."""

import numpy as np

from golden.stochastic.attention import StochasticJob, StochasticSpikes
from sim.timing.cycles import StageActivity
from sim.timing.stochastic import predict, slots_of


def activity(job: StochasticJob, spikes: StochasticSpikes) -> StageActivity:
    """Events, busy cycles per stage and utilisation of the units.

    A coincidence is an AND gate whose output is 1; a draw decides one score or one output. The
    utilisation is the share of coincidences in what the AND gates of all units, two each, could
    see in the cycles from the first input to the last output.
    """
    config, scores, outputs = job.config, spikes.score.size, spikes.out.size
    # Of every feature the queries and keys that spike; of every key the scores and values
    score = int((job.q.sum(axis=2) * job.k.sum(axis=2)).sum())
    output = int((spikes.score.sum(axis=2) * job.v.sum(axis=3)).sum())
    columns = slots_of(job) * config.head_dim
    cycles = predict(job).total + 1
    return StageActivity(
        events={
            "input_spikes": sum(int(np.count_nonzero(train)) for train in (job.q, job.k, job.v)),
            "score_coincidences": score,
            "score_draws": scores,
            "score_spikes": int(np.count_nonzero(spikes.score)),
            "output_coincidences": output,
            "output_draws": outputs,
            "output_spikes": int(np.count_nonzero(spikes.out)),
        },
        busy={"score": columns, "output": columns},
        lane_utilisation=(score + output) / (2 * config.rows * config.tokens * cycles),
    )
