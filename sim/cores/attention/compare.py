"""Two engines' spikes of one job, integer by integer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, AttentionSpikes

FIELDS = ("score", "winner", "attn_phase", "normaliser", "context", "out_sign", "out_phase")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the comparison of two engines found.

    Attributes:
        compared: integers compared.
        different: integers that differ.
        first_divergence: one line that names head, row, field, index and both values, for the
            first row that differs and the first field of it in the order of computation; None
            when nothing differs.
    """

    compared: int
    different: int
    first_divergence: str | None


def fields(spikes: AttentionSpikes) -> dict[str, NDArray[np.integer]]:
    """The integers of `spikes` in the order of computation, each [heads, tokens, ...]."""
    return {
        name: getattr(spikes.out, name.removeprefix("out_"))
        if name.startswith("out_")
        else getattr(spikes, name)
        for name in FIELDS
    }


def compare(job: AttentionJob, expected: AttentionSpikes, actual: AttentionSpikes) -> Comparison:
    """Compare every integer of two engines; scores of masked keys are left out, they are undefined.

    Args:
        job: what both computed.
        expected: golden.
        actual: the engine under test.
    """
    compared = different = 0
    first: tuple[int, int, int] | None = None
    text = None
    for order, (name, want) in enumerate(fields(expected).items()):
        got = fields(actual)[name]
        if got.shape != want.shape:
            raise ValueError(f"{name} has the shape {got.shape}, golden {want.shape}")
        defined = np.ones(want.shape, dtype=bool)
        if name == "score" and job.allowed is not None:
            defined &= job.allowed
        wrong = (want != got) & defined
        compared += int(defined.sum())
        different += int(wrong.sum())
        if wrong.any():
            head, row, *index = (int(i) for i in np.argwhere(wrong)[0])
            if first is None or (head, row, order) < first:
                first = (head, row, order)
                at = (head, row, *index)
                where = f"{name}{index}" if index else name
                text = f"head {head}, row {row}, {where}: golden {want[at]}, engine {got[at]}"
    return Comparison(compared=compared, different=different, first_divergence=text)
