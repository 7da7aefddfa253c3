"""What is counted: events of attention heads and of dense layers."""

from dataclasses import dataclass, replace

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob
from sim.timing.attention import predict
from sim.timing.attention_activity import activity


@dataclass(frozen=True, kw_only=True)
class AttentionEvents:
    """What an attention core does, as counted by golden, by the cycle model or in the RTL.

    Attributes:
        heads, tokens, head_dim: shape of the job.
        query_spikes: spikes of q.
        score_additions: pairs of a query and a key spike of one feature.
        context_additions: pairs of an attention and a value spike, and the attention spikes themselves.
        window: steps of the WOSS ramp.
        cycles: from the first input to the last output; None where no one counted.
    """

    heads: int
    tokens: int
    head_dim: int
    query_spikes: float = 0
    score_additions: float = 0
    context_additions: float = 0
    window: int
    cycles: int | None = None

    @property
    def rows(self) -> int:
        return self.heads * self.tokens


def attention_events(job: AttentionJob, config: CoreConfig) -> AttentionEvents:
    """Events of a job as the cycle model counts them.

    Raises:
        InputError: the core cannot hold the job.
    """
    counted = activity(job, config)
    return AttentionEvents(
        heads=job.heads,
        tokens=job.tokens,
        head_dim=job.head_dim,
        query_spikes=job.q.count(),
        score_additions=counted.events["synaptic_additions"],
        context_additions=counted.events["context_additions"],
        window=job.window,
        cycles=predict(job, config).total + 1,
    )


def at_density(events: AttentionEvents, survivors: float, density: float) -> AttentionEvents:
    """The same job if a share `density` of q, k and v fired, independently, `survivors` keys per row."""
    rows = events.rows
    return replace(
        events,
        query_spikes=rows * events.head_dim * density,
        score_additions=rows * events.tokens * events.head_dim * density**2,
        context_additions=rows * survivors * (events.head_dim * density + 1),
    )


@dataclass(frozen=True, kw_only=True)
class LinearEvents:
    """What a dense layer does: rows, sizes, and how many of its inputs fire.

    Attributes:
        rows, inputs, outputs: shape.
        results: rows of results: fewer than `rows` where a layer sums over them.
        spikes: input spikes of all rows.
        skipped: share of the weights, and of the spikes that meet one, that passes leave out: they are zero.
    """

    rows: int
    inputs: int
    outputs: int
    results: int
    spikes: float
    skipped: tuple[float, float] = (0.0, 0.0)
