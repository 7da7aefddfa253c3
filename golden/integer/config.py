"""Parameters of a generated integer attention core, and the number limits that follow from them."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from golden.attention.config import OUTPUT_FORMS, OutputForm
from golden.code import check_range
from golden.errors import InputError, quoted
from golden.heads import check_room
from golden.integer.job import MAX_BITS, MIN_BITS, RATIO_WIDTH, IntegerJob, largest_code
from golden.toml import read_toml

Multiplier = Literal["dsp", "table", "logic"]
MULTIPLIERS: tuple[Multiplier, ...] = get_args(Multiplier)
# Two factors of so many bits are the address of a block RAM that holds all products
MOST_TABULATED_BITS = 5


@dataclass(frozen=True, kw_only=True)
class IntegerConfig:
    """What is fixed when an integer attention core is generated.

    Attributes:
        bits: of a code, 2..8.
        lanes: value lanes, 1..256; each multiplies a weight by a value in every cycle. Beside them stand
            as many score lanes as features.
        tokens: largest number of tokens, at most 16 per value lane.
        head_dim: largest number of features per head.
        cluster: lanes that share memories and broadcast registers; divides `lanes`.
        multiplier: of a lane: dsp, table (block RAM: of products up to 5 bits, of squares beyond), or
            logic (partial products and adders).
        bias: accept an additive bias per score.
        mask: accept a mask per score.
        queued_heads: head descriptors that each unit holds, 1..8; with 1 a head waits for the one before.
        output: output streams present: codes, context (raw context and normaliser), or both.
        taps: add a port that shows distances and weights, for verification.

    Raises:
        InputError: a field is outside its range or does not fit another.
    """

    bits: int = 8
    lanes: int = 64
    tokens: int = 128
    head_dim: int = 64
    cluster: int = 8
    multiplier: Multiplier = "dsp"
    bias: bool = True
    mask: bool = True
    queued_heads: int = 4
    output: OutputForm = "both"
    taps: bool = False

    def __post_init__(self) -> None:
        check_range("IntegerConfig.bits", self.bits, MIN_BITS, MAX_BITS)
        check_range("IntegerConfig.lanes", self.lanes, 1, 256)
        check_range("IntegerConfig.tokens", self.tokens, 1, min(1024, 16 * self.lanes))
        check_range("IntegerConfig.head_dim", self.head_dim, 1, 256)
        check_range("IntegerConfig.cluster", self.cluster, 1, self.lanes)
        if self.lanes % self.cluster:
            raise InputError(f"IntegerConfig.cluster must divide lanes ({self.lanes}), not {self.cluster}")
        for name in ("bias", "mask", "taps"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(
                    f"IntegerConfig.{name} must be true or false, not {quoted(getattr(self, name))}"
                )
        check_range("IntegerConfig.queued_heads", self.queued_heads, 1, 8)
        for name, choices in (("multiplier", MULTIPLIERS), ("output", OUTPUT_FORMS)):
            if getattr(self, name) not in choices:
                raise InputError(
                    f"IntegerConfig.{name} must be one of {', '.join(choices)}, "
                    f"not {quoted(getattr(self, name))}"
                )

    @property
    def groups(self) -> int:
        """Groups of `lanes` tokens, whose values are weighted one after the other."""
        return -(-self.tokens // self.lanes)

    @property
    def terms(self) -> bool:
        """Whether the core has a stream of bias and mask entries."""
        return self.bias or self.mask

    @property
    def squares(self) -> bool:
        """Whether products are made of squares: 2ab = (a + b)**2 - a**2 - b**2."""
        return self.multiplier == "table" and self.bits > MOST_TABULATED_BITS

    @property
    def code_limit(self) -> int:
        """M, largest magnitude of a code."""
        return largest_code(self.bits)

    @property
    def weight_limit(self) -> int:
        """A, weight of the key with the largest score."""
        return (1 << self.bits) - 1

    @property
    def product_limit(self) -> int:
        """Largest magnitude of a product of q and k."""
        return self.head_dim * self.code_limit**2

    @property
    def score_width(self) -> int:
        """Bits of a score, signed; one more than a product needs when a bias is added."""
        return self.product_limit.bit_length() + 1 + self.bias

    @property
    def bias_limit(self) -> int:
        """Largest magnitude of a bias that cannot overflow the score."""
        return (1 << (self.score_width - 1)) - 1 - self.product_limit

    @property
    def normaliser_limit(self) -> int:
        """Largest normaliser: all keys with the largest weight."""
        return self.tokens * self.weight_limit

    @property
    def normaliser_width(self) -> int:
        """Bits of the normaliser, unsigned."""
        return self.normaliser_limit.bit_length()

    @property
    def context_width(self) -> int:
        """Bits of a context value or a normaliser, signed."""
        return (self.normaliser_limit * self.code_limit).bit_length() + 1

    @property
    def ratio_width(self) -> int:
        """Bits of an output ratio, unsigned."""
        return RATIO_WIDTH

    def check_job(self, job: IntegerJob) -> None:
        """Raise InputError unless this core can run `job`."""
        if job.bits != self.bits:
            raise InputError(f"the job's codes must have the core's {self.bits} bits, not {job.bits}")
        check_room(job, self)


DEFAULT = IntegerConfig()
# The jobs of the spiking presets of these names
PRESETS: dict[str, IntegerConfig] = {
    "default": DEFAULT,
    "lean": dataclasses.replace(DEFAULT, bias=False, mask=False, queued_heads=2, output="codes"),
    "digits": dataclasses.replace(DEFAULT, lanes=16, tokens=16, head_dim=16),
}


def preset(name: str) -> IntegerConfig:
    """The named preset.

    Raises:
        InputError: no preset has this name.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise InputError(f"preset must be one of {', '.join(PRESETS)}, not {quoted(name)}")
    return PRESETS[name]


def lane_per_token(tokens: int, head_dim: int) -> IntegerConfig:
    """The core with a value lane for every token, without bias and mask: the fastest for this size.

    Raises:
        InputError: no core is that large.
    """
    cluster = next((n for n in (8, 4, 3, 2) if tokens % n == 0), 1)
    return IntegerConfig(
        lanes=tokens, tokens=tokens, head_dim=head_dim, cluster=cluster, bias=False, mask=False
    )


def to_table(config: IntegerConfig) -> dict[str, Any]:
    """The configuration in the schema of TOML files: one flat table of plain values."""
    return dataclasses.asdict(config)


def from_table(table: dict[str, Any], source: str) -> IntegerConfig:
    """A configuration from a flat table; absent keys come from the preset `base` names (default).

    Args:
        table: keys as in `to_table`, and optionally `base`.
        source: what to call the table in an error.

    Raises:
        InputError: an unknown key or a value out of range.
    """
    table = dict(table)
    try:
        base = preset(table.pop("base", "default"))
        for key in table:
            if key not in to_table(base):
                raise InputError(f"unknown key {quoted(key)}; allowed are base, {', '.join(to_table(base))}")
        return dataclasses.replace(base, **table)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def load_config(path: Path) -> IntegerConfig:
    """A configuration from a TOML file.

    Raises:
        InputError: the file cannot be read or parsed, or holds a bad configuration.
    """
    return from_table(read_toml(path), str(path))
