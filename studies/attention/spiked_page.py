"""The page of a run of SpikedAttention: rasters, the ramp on a row, maps, the stages of the core."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.woss import thresholds
from golden.code import Spikes
from sim.timing.attention_timeline import STAGES, timeline
from studies.attention.page import activity, maps, overview, raster, shown_heads
from studies.page.page import Figure, Page, Section, packed
from studies.page.plots import timeline as timeline_figure

if TYPE_CHECKING:
    from studies.attention.spiked import AttentionResult

COLOURS = dict(zip(STAGES, ("--blue", "--orange", "--vermilion", "--green", "--purple"), strict=True))
# Stretches of work that a timeline shows
STRETCHES = 1500


def page(result: "AttentionResult", report: Mapping[str, Any]) -> Page:
    """The page of a result and of its report."""
    job, code = result.job, result.job.code
    heads = shown_heads(job.heads, job.tokens)
    shown = "" if heads == job.heads else f"; the views show the first {heads} of {job.heads} heads"
    inputs = {name: _events(getattr(job, name)) for name in "qkv"}
    return Page(
        title=f"{result.title}: {job.heads} heads, {job.tokens} tokens, head_dim {job.head_dim}",
        remark=f"engine {result.engine}, T = {code.steps}, B = 2^({code.log2_base}), "
        f"window {job.window}{shown}",
        report=report,
        heads=heads,
        sections=[
            overview(report, result.summary(report)),
            Section(
                name="spikes",
                title="Spikes",
                text="Every neuron fires at most once; a spike at time step t stands for B^-t of the scale.",
                parts=[raster(inputs, heads, job.tokens, job.head_dim, code.steps)],
            ),
            Section(
                name="softmax",
                title="Softmax in spikes",
                text="The winner-oriented spike shift: the key with the largest score fires first, and a "
                "threshold that falls linearly from it turns the distance of every other score into a "
                "phase. A key that fires at step t weighs B^-t.",
                parts=[_ramp(result, heads)],
            ),
            Section(
                name="attention",
                title="Attention",
                parts=[
                    maps(
                        _weights(result)[:heads],
                        result.exact_map[:heads],
                        ("attention in spikes", "exact softmax"),
                        "The weight of each key in each row, B^-t over their sum in the row, against the "
                        "softmax in floats of the same inputs.",
                    )
                ],
            ),
            activity(report, [] if result.cycles is None else [_timeline(result)]),
        ],
    )


def _events(spikes: Spikes) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Spikes [heads, tokens, head_dim] as `studies.attention.page.raster` takes them."""
    where = np.argwhere(spikes.sign)
    at = tuple(where.T)
    return np.column_stack([where, spikes.phase[at]]), spikes.sign[at]


def _ramp(result: "AttentionResult", heads: int) -> Figure:
    job, spikes = result.job, result.spikes
    fallen = thresholds(spikes.winner[:heads], job.ramp_step[:heads], job.code, job.window)
    return Figure(
        name="ramp",
        title="The ramp on a row",
        kind="ramp",
        spec={
            "score": packed(result.arrays()["score"][:heads]),
            "phase": packed(spikes.attn_phase[:heads]),
            "winner": packed(spikes.winner[:heads]),
            "threshold": packed(fallen),
            "allowed": None if job.allowed is None else packed(job.allowed[:heads]),
        },
        caption="Bars are the scores of the keys, the line is the threshold, the star the winner.",
    )


def _weights(result: "AttentionResult") -> NDArray[np.float64]:
    """Share of each key in its row, [heads, tokens, tokens]: the trace at its phase over the normaliser."""
    spikes = result.spikes
    trace = np.where(spikes.attn_phase < 0, 0, result.job.code.trace[spikes.attn_phase])
    return trace / spikes.normaliser[..., None]


def _timeline(result: "AttentionResult") -> Figure:
    segments = timeline(result.job, result.config)
    cut = "" if len(segments) <= STRETCHES else f"; the first {STRETCHES:,} of {len(segments):,} stretches"
    return timeline_figure(
        "timeline",
        "What each stage does when",
        [(s.unit, s.what, s.first, s.last) for s in segments[:STRETCHES]],
        COLOURS,
        f"By the cycle model, from the first cycle in which inputs are offered{cut}.",
    )
