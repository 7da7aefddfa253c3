"""What became of each node of a model: its verdict, and a model that is refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from golden.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a node.

    Attributes:
        node: its name; of a refused model, that of its tensors in the file.
        outcome: exact, approximate, float; of a refused model, refused or readable.
        error: relative RMSE of what the node makes on the calibration samples: in a network of integers in
            place, its inputs being those of the integers before it; in a study its input being the float
            network's. None where that is not measured.
        worst: largest error over the largest output, likewise.
        code: of a network of integers, relative RMSE of the nearest code of what the node fires; None of what
            makes no spikes.
        density: share of its neurons that fire, likewise.
        reason: why, in a sentence.
        hardware: of a network of integers, "yes", or why the network core does not compute the node; "" where
            that was not asked, or another node is in the way.
    """

    node: str
    outcome: Literal["exact", "approximate", "float", "refused", "readable"]
    error: float | None
    worst: float | None
    reason: str
    hardware: str = ""
    code: float | None = None
    density: float | None = None


def kept(node: str, reason: str) -> Verdict:
    """Of a node that stays in floats."""
    return Verdict(node=node, outcome="float", error=None, worst=None, reason=reason)


def exact(node: str, reason: str) -> Verdict:
    """Of a node that rounds nothing."""
    return Verdict(node=node, outcome="exact", error=None, worst=None, reason=reason)


class RefusedModel(InputError):
    """A model that cannot be converted.

    Attributes:
        verdicts: one per node, refused or readable.
    """

    def __init__(self, message: str, nodes: Iterable[str], problems: Sequence[tuple[str, str]]) -> None:
        """Args: the one line; all nodes; (node, reason) of those that are refused."""
        super().__init__(message)
        reasons: dict[str, list[str]] = {}
        for node, reason in problems:
            reasons.setdefault(node, []).append(reason)
        self.verdicts = [
            Verdict(
                node=node,
                outcome="refused" if node in reasons else "readable",
                error=None,
                worst=None,
                reason="; ".join(reasons.get(node, ["not converted, since others are refused"])),
            )
            for node in dict.fromkeys([*nodes, *reasons])
        ]


def refusal(problems: Sequence[tuple[str, str]]) -> str:
    """The first reason, and the number of further ones."""
    more = f" (and {len(problems) - 1} more reasons to refuse it)" if len(problems) > 1 else ""
    return f"{problems[0][1]}{more}"
