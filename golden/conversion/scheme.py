"""What a conversion does, and what became of each node."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from golden.code import PhaseCode, check_range
from golden.errors import InputError, quoted

Parts = Literal["attention", "linear", "norm"]
PARTS: tuple[Parts, ...] = ("attention", "linear", "norm")
GRANULARITIES = ("tensor", "channel")
AttentionGranularity = Literal["tensor", "head", "channel"]
ATTENTION_GRANULARITIES: tuple[AttentionGranularity, ...] = ("tensor", "head", "channel")


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """What runs in spikes, and how.

    Attributes:
        code: the phase code.
        parts: "attention"; "linear": attention and the input of every dense layer; "norm": layer norms too.
        granularity: scales of dense inputs per "channel" (folded into the weights) or "tensor".
        attention_granularity: scales of q, k, v and the output per "tensor", "head", or "channel" (folded
            into the weights around attention).
        window: steps of the WOSS ramp, T when None.
        weight_bits: width of the dense weights, 2..16.

    Raises:
        InputError: a field is outside its range.
    """

    code: PhaseCode = field(default_factory=PhaseCode)
    parts: Parts = "linear"
    granularity: Literal["tensor", "channel"] = "channel"
    attention_granularity: AttentionGranularity = "head"
    window: int | None = None
    weight_bits: int = 8

    def __post_init__(self) -> None:
        if self.parts not in PARTS:
            raise InputError(f"Scheme.parts must be one of {', '.join(PARTS)}, not {quoted(self.parts)}")
        if self.granularity not in GRANULARITIES:
            raise InputError(
                f"Scheme.granularity must be one of {', '.join(GRANULARITIES)}, "
                f"not {quoted(self.granularity)}"
            )
        if self.attention_granularity not in ATTENTION_GRANULARITIES:
            raise InputError(
                f"Scheme.attention_granularity must be one of {', '.join(ATTENTION_GRANULARITIES)}, "
                f"not {quoted(self.attention_granularity)}"
            )
        if self.window is not None:
            check_range("Scheme.window", self.window, 1, self.code.steps)
        check_range("Scheme.weight_bits", self.weight_bits, 2, 16)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a node.

    Attributes:
        node: its name; of a refused model, that of its tensors in the file.
        outcome: exact, approximate, float; of a refused model, refused or readable.
        error: relative RMSE of the node's output on the calibration samples, its input being the
            float network's; None unless approximate.
        worst: largest error over the largest output, likewise.
        reason: why, in a sentence.
    """

    node: str
    outcome: Literal["exact", "approximate", "float", "refused", "readable"]
    error: float | None
    worst: float | None
    reason: str


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
