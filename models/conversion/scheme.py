"""What a conversion does, and what became of each node."""

from dataclasses import dataclass, field
from typing import Literal

from golden.code import PhaseCode, check_range
from golden.errors import InputError, quoted
from golden.network.limits import MAX_TOKENS

Parts = Literal["network", "attention", "linear", "norm"]
PARTS: tuple[Parts, ...] = ("network", "attention", "linear", "norm")
GRANULARITIES = ("tensor", "channel")
AttentionGranularity = Literal["tensor", "head", "channel"]
ATTENTION_GRANULARITIES: tuple[AttentionGranularity, ...] = ("tensor", "head", "channel")


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """What runs in spikes, and how.

    Attributes:
        code: the phase code.
        parts: "network": one network of integers, which hardware runs. For studies, floats between nodes in
            spikes: "attention"; "linear": the input of every dense layer too; "norm": layer norms too.
        granularity: scales of dense inputs per "channel" (folded into the weights) or "tensor".
        attention_granularity: scales of q, k, v and the output per "tensor", "head", or "channel" (folded
            into the weights around attention).
        window: steps of the WOSS ramp, T when None.
        weight_bits: width of the dense weights, 2..16; of a network 2..8.
        tokens: of a network, the most tokens of an inference; see `models.conversion.network.rows_of`.

    Raises:
        InputError: a field is outside its range.
    """

    code: PhaseCode = field(default_factory=PhaseCode)
    parts: Parts = "network"
    granularity: Literal["tensor", "channel"] = "channel"
    attention_granularity: AttentionGranularity = "head"
    window: int | None = None
    weight_bits: int = 8
    tokens: int | None = None

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
        check_range("Scheme.weight_bits", self.weight_bits, 2, 8 if self.parts == "network" else 16)
        if self.tokens is not None:
            check_range("Scheme.tokens", self.tokens, 1, MAX_TOKENS)
        given = {"granularity": "channel", "attention_granularity": "head", "window": None}
        if self.parts != "network":
            given = {"tokens": None}
        for name, only in given.items():
            if getattr(self, name) != only:
                found = quoted(getattr(self, name))
                raise InputError(f"Scheme.{name} must be absent with parts {quoted(self.parts)}, not {found}")
