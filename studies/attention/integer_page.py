"""The page of a run of integer attention: maps, errors, the stages of the core."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from studies.attention.page import activity, maps, overview, shown_heads
from studies.page.page import Page, Section

if TYPE_CHECKING:
    from studies.attention.integer import IntegerResult


def page(result: "IntegerResult", report: Mapping[str, Any]) -> Page:
    """The page of a result and of its report."""
    job, found = result.job, result.integers
    heads = shown_heads(job.heads, job.tokens)
    weights = found.weight[:heads] / found.normaliser[:heads, :, None]
    return Page(
        title=f"{result.title}: {job.heads} heads, {job.tokens} tokens, head_dim {job.head_dim}",
        remark=f"engine {result.engine}, codes of {result.config.bits} bits",
        report=report,
        heads=heads,
        sections=[
            overview(report, result.summary(report)),
            Section(
                name="attention",
                title="Attention",
                parts=[
                    maps(
                        weights,
                        result.exact_map[:heads],
                        ("attention in integers", "exact softmax"),
                        "The weight of each key in each row over their sum, against the softmax in floats.",
                    )
                ],
            ),
            activity(report),
        ],
    )
