"""The page of a run of stochastic attention: trains, attention spikes beside what they stand for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studies.attention.page import activity, maps, overview, raster, shown_heads
from studies.page.page import Page, Section

if TYPE_CHECKING:
    from studies.attention.stochastic import StochasticResult


def page(result: "StochasticResult", report: Mapping[str, Any]) -> Page:
    """The page of a result and of its report."""
    job, config = result.job, result.job.config
    heads = shown_heads(job.heads, config.tokens)
    trains = {"q": job.q, "k": job.k, "v": job.v}
    q, k = (train[:, :heads].astype(np.float64) for train in (job.q, job.k))
    together = (q @ k.swapaxes(-1, -2) / config.head_dim * config.allowed).mean(axis=0)
    return Page(
        title=f"{result.title}: {job.heads} heads, {config.tokens} tokens, head_dim {config.head_dim}",
        remark=f"engine {result.engine}, {job.steps} time steps, seed {config.plan.seed}",
        report=report,
        heads=heads,
        sections=[
            overview(report, result.summary(report)),
            Section(
                name="spikes",
                title="Spikes",
                text="Bernoulli trains: the share of steps in which a neuron fires stands for its value.",
                parts=[
                    raster(
                        {name: _events(train) for name, train in trains.items()},
                        heads,
                        config.tokens,
                        config.head_dim,
                        job.steps,
                    )
                ],
            ),
            Section(
                name="attention",
                title="Attention",
                parts=[
                    maps(
                        result.spikes.score[:, :heads].mean(axis=0),
                        together,
                        ("rate of attention spikes", "its expectation"),
                        "Attention spikes per time step, against the share of features in which query and "
                        "key fire together, which is what a draw hits on average.",
                    )
                ],
            ),
            activity(report),
        ],
    )


def _events(train: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """A train [steps, heads, tokens, n] as `studies.attention.page.raster` takes it."""
    where = np.argwhere(train)[:, [1, 2, 3, 0]]
    return where, np.ones(len(where), np.int8)
