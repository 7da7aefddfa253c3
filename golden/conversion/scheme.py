"""What a conversion does, and what became of each node."""

from dataclasses import dataclass, field
from typing import Literal

from golden.code import PhaseCode, check_range
from golden.errors import InputError

Parts = Literal["attention", "linear"]
PARTS: tuple[Parts, ...] = ("attention", "linear")
GRANULARITIES = ("tensor", "channel")


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """What runs in spikes, and how.

    Attributes:
        code: the phase code.
        parts: "attention", or "linear": attention and the input of every dense layer.
        granularity: scales of dense inputs per "channel" (folded into the weights) or "tensor".
        window: steps of the WOSS ramp, T when None.
        weight_bits: width of the dense weights, 2..16.

    Raises:
        InputError: a field is outside its range.
    """

    code: PhaseCode = field(default_factory=PhaseCode)
    parts: Parts = "linear"
    granularity: Literal["tensor", "channel"] = "channel"
    window: int | None = None
    weight_bits: int = 8

    def __post_init__(self) -> None:
        if self.parts not in PARTS:
            raise InputError(f"Scheme.parts must be one of {', '.join(PARTS)}, not {self.parts!r}")
        if self.granularity not in GRANULARITIES:
            raise InputError(
                f"Scheme.granularity must be one of {', '.join(GRANULARITIES)}, not {self.granularity!r}"
            )
        if self.window is not None:
            check_range("Scheme.window", self.window, 1, self.code.steps)
        check_range("Scheme.weight_bits", self.weight_bits, 2, 16)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a node.

    Attributes:
        node: its name.
        outcome: exact, approximate or float.
        error: relative RMSE of the node's output on the calibration samples, its input being the
            float network's; None unless approximate.
        worst: largest error over the largest output, likewise.
        reason: why, in a sentence.
    """

    node: str
    outcome: Literal["exact", "approximate", "float"]
    error: float | None
    worst: float | None
    reason: str
