"""Timeline of a job on the attention core: in which cycles each stage works on which row."""

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob
from sim.timing.attention import CoreTiming, advance, group_sizes, row_beats
from sim.timing.image_times import Segment

STAGES = ("score", "winner", "ramp", "context", "output")


def timeline(job: AttentionJob, config: CoreConfig) -> list[Segment]:
    """Stretches of work, a row's by stage and group of keys; what they add up to is the busy cycles of
    `sim.timing.attention_activity.activity`.

    Raises:
        InputError: the core cannot hold the job.
    """
    core = CoreTiming(config)
    advance(core, job)
    groups = len(group_sizes(job.tokens, config.lanes))
    terms = int(job.bias is not None or job.allowed is not None)
    beats = row_beats(job).ravel().tolist()
    count = len(beats) * groups
    taken, copied, ramped = (times[-count:] for times in (core.taken, core.copied, core.slots_dropped))
    contexts, rows = (times[-len(beats) :] for times in (core.contexts, core.contexts_dropped))
    columns = job.head_dim + (config.output != "codes")
    found = []
    for number, spikes in enumerate(beats):
        what = f"head {number // job.tokens}, row {number % job.tokens}"
        for group in range(number * groups, (number + 1) * groups):
            # Each list holds the cycle after the last of a stretch, but for the winner's bits
            found += [
                _ending("score", what, taken[group], spikes + 1 + terms),
                _ending("winner", what, copied[group], config.score_width + 1),
                _ending("ramp", what, ramped[group], job.window),
            ]
        found += [
            _ending("context", what, contexts[number], groups * (job.head_dim + 1)),
            _ending("output", what, rows[number], columns),
        ]
    return found


def _ending(stage: str, what: str, end: int, cycles: int) -> Segment:
    return Segment(stage, what, end - cycles, end - 1)
