"""What the stages of the integer core do during a job: events, cycles at work, use of the lanes."""

from golden.integer.config import IntegerConfig
from golden.integer.job import IntegerJob
from sim.timing.attention import group_sizes
from sim.timing.cycles import StageActivity
from sim.timing.integer import predict


def activity(job: IntegerJob, config: IntegerConfig) -> StageActivity:
    """Events per stage, busy cycles per stage and lane utilisation of a job.

    Products are dense: each is taken, whatever its factors. The lane utilisation is their share in what all
    score and value lanes could do in the cycles from the first input to the last output.

    Raises:
        InputError: the core cannot hold the job.
    """
    groups = len(group_sizes(job.tokens, config.lanes))
    rows = job.heads * job.tokens
    pairs, results = rows * job.tokens, rows * job.head_dim
    events = {
        "score_products": pairs * job.head_dim,
        "exponentials": pairs,
        "context_products": pairs * job.head_dim,
        "divisions": results,
    }
    busy = {
        "score": pairs,
        "softmax": pairs,
        "context": results * groups,
        "output": results + rows * (config.output != "codes"),
    }
    lanes = config.lanes + -(-config.head_dim // config.cluster) * config.cluster
    possible = (predict(job, config).total + 1) * lanes
    return StageActivity(
        events=events,
        busy=busy,
        lane_utilisation=(events["score_products"] + events["context_products"]) / possible,
    )
