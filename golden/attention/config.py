"""Parameters of a generated attention core, and the number limits that follow from them.

One object feeds the golden model's checks, the cycle model, the hardware and the drivers. Presets
and TOML files share its fields as their schema.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from golden.attention.job import AttentionJob
from golden.attention.normaliser import RATIO_WIDTH
from golden.code import PhaseCode, check_range, read_fraction
from golden.errors import InputError, quoted
from golden.heads import check_room
from golden.toml import read_toml

OutputForm = Literal["codes", "context", "both"]
TraceStore = Literal["logic", "memory"]
TRACE_STORES = ("logic", "memory")
ScoreStore = Literal["registers", "memory"]
SCORE_STORES = ("registers", "memory")
OUTPUT_FORMS = ("codes", "context", "both")


@dataclass(frozen=True, kw_only=True)
class CoreConfig:
    """What is fixed when an attention core is generated.

    Attributes:
        code: phase code; `code.steps` is also the longest WOSS window.
        lanes: token lanes, 1..256.
        tokens: largest number of tokens; a lane owns ceil(tokens/lanes) of them.
        head_dim: largest number of features per head.
        cluster: lanes that share memories and broadcast registers; divides `lanes`.
        bias: accept an additive bias per score.
        mask: accept a mask per score.
        terms_per_beat: bias and mask entries in one beat of their stream; divides `cluster`.
        trace_store: where a lane looks up points of the trace: logic, or a block RAM of its own.
        score_store: where scores wait for the ramp, and attention spikes for the context: registers and LUT
            RAM, or block RAM, for a device where a flip-flop takes the place of a LUT.
        queued_heads: head descriptors that each unit holds, 1..8; with 1 a head waits for the one before.
        output: output streams present: codes, context (raw context and normaliser), or both.
        taps: add ports that show scores and attention phases, for verification.

    Raises:
        InputError: a field is outside its range or does not fit another.
    """

    code: PhaseCode = field(default_factory=PhaseCode)
    lanes: int = 64
    tokens: int = 128
    head_dim: int = 64
    cluster: int = 8
    bias: bool = True
    mask: bool = True
    terms_per_beat: int = 4
    trace_store: TraceStore = "memory"
    score_store: ScoreStore = "registers"
    queued_heads: int = 4
    output: OutputForm = "both"
    taps: bool = False

    def __post_init__(self) -> None:
        check_range("CoreConfig.lanes", self.lanes, 1, 256)
        check_range("CoreConfig.tokens", self.tokens, 1, 1024)
        check_range("CoreConfig.head_dim", self.head_dim, 1, 256)
        check_range("CoreConfig.cluster", self.cluster, 1, self.lanes)
        if self.lanes % self.cluster:
            raise InputError(f"CoreConfig.cluster must divide lanes ({self.lanes}), not {self.cluster}")
        check_range("CoreConfig.terms_per_beat", self.terms_per_beat, 1, self.cluster)
        if self.cluster % self.terms_per_beat:
            raise InputError(
                f"CoreConfig.terms_per_beat must divide cluster ({self.cluster}), not {self.terms_per_beat}"
            )
        for name in ("bias", "mask", "taps"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(
                    f"CoreConfig.{name} must be true or false, not {quoted(getattr(self, name))}"
                )
        check_range("CoreConfig.queued_heads", self.queued_heads, 1, 8)
        stores = ("trace_store", TRACE_STORES), ("score_store", SCORE_STORES)
        for name, choices in (*stores, ("output", OUTPUT_FORMS)):
            if getattr(self, name) not in choices:
                raise InputError(
                    f"CoreConfig.{name} must be one of {', '.join(choices)}, "
                    f"not {quoted(getattr(self, name))}"
                )
        if self.groups > 16:
            raise InputError(
                f"CoreConfig.tokens must be at most 16 per lane ({16 * self.lanes}), not {self.tokens}"
            )

    @property
    def groups(self) -> int:
        """Tokens per lane: token j lives in lane j % lanes, group j // lanes."""
        return -(-self.tokens // self.lanes)

    @property
    def clusters(self) -> int:
        return self.lanes // self.cluster

    @property
    def terms(self) -> bool:
        """Whether the core has a stream of bias and mask entries."""
        return self.bias or self.mask

    @property
    def product_limit(self) -> int:
        """Largest magnitude of a trace-driven product: every feature at phase 0."""
        return self.head_dim << self.code.trace_bits

    @property
    def score_width(self) -> int:
        """Bits of a score, signed; one more than a product needs when a bias is added."""
        return self.product_limit.bit_length() + 1 + self.bias

    @property
    def bias_limit(self) -> int:
        """Largest magnitude of a bias that cannot overflow the score."""
        return (1 << (self.score_width - 1)) - 1 - self.product_limit

    @property
    def step_width(self) -> int:
        """Bits of the ramp step, unsigned."""
        return self.score_width + self.code.ramp_bits + 2

    @property
    def step_limit(self) -> int:
        """Ramp step at which every key fires at phase 0; larger steps are replaced by it."""
        return 1 << (self.step_width - 1)

    @property
    def normaliser_limit(self) -> int:
        """Largest normaliser: every key at phase 0."""
        return self.tokens << self.code.trace_bits

    @property
    def normaliser_width(self) -> int:
        """Bits of the normaliser, unsigned."""
        return self.normaliser_limit.bit_length()

    @property
    def context_width(self) -> int:
        """Bits of a context value, signed."""
        return self.normaliser_width + 1

    @property
    def ratio_width(self) -> int:
        """Bits of each output ratio, unsigned."""
        return RATIO_WIDTH

    def check_job(self, job: AttentionJob) -> None:
        """Raise InputError unless this core can run `job`."""
        if job.code != self.code:
            raise InputError(f"the job's code must be the core's, {self.code}, not {job.code}")
        check_room(job, self)


DEFAULT = CoreConfig()
LEAN = dataclasses.replace(
    DEFAULT,
    code=PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=10),
    bias=False,
    mask=False,
    queued_heads=2,
    output="codes",
)
PRESETS: dict[str, CoreConfig] = {
    "default": DEFAULT,
    "wide": dataclasses.replace(DEFAULT, lanes=128),
    "lean": LEAN,
    # The least of hardware: the host codes what comes out
    "pico": dataclasses.replace(
        LEAN,
        code=PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=8),
        lanes=4,
        tokens=16,
        head_dim=16,
        cluster=4,
        trace_store="logic",
        output="context",
    ),
    # For small boards, whose block RAM is there while a flip-flop takes the place of a LUT, and whose line is
    # a hundred times slower than the core, so that heads may wait for each other
    "tiny": dataclasses.replace(
        LEAN,
        lanes=8,
        tokens=16,
        head_dim=16,
        trace_store="logic",
        score_store="memory",
        queued_heads=1,
    ),
    "digits": dataclasses.replace(DEFAULT, lanes=16, tokens=16, head_dim=16),
    "long-window": dataclasses.replace(
        DEFAULT,
        code=PhaseCode(steps=40, log2_base=Fraction(1, 5)),
        lanes=32,
        tokens=64,
        head_dim=32,
    ),
    "swin-window": dataclasses.replace(
        DEFAULT, code=PhaseCode(steps=24, log2_base=Fraction(2, 7)), tokens=64, head_dim=32
    ),
}


def preset(name: str) -> CoreConfig:
    """The named preset.

    Raises:
        InputError: no preset has this name.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise InputError(f"preset must be one of {', '.join(PRESETS)}, not {quoted(name)}")
    return PRESETS[name]


def lane_per_token(tokens: int, head_dim: int) -> CoreConfig:
    """The core with a lane for every token, without bias and mask: the fastest for this size.

    Raises:
        InputError: no core is that large.
    """
    cluster = next((n for n in (8, 4, 3, 2) if tokens % n == 0), 1)
    return CoreConfig(
        lanes=tokens,
        tokens=tokens,
        head_dim=head_dim,
        cluster=cluster,
        terms_per_beat=1,
        bias=False,
        mask=False,
    )


def to_table(config: CoreConfig) -> dict[str, Any]:
    """The configuration in the schema of TOML files: one flat table of plain values."""
    table = {
        f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.init and f.name != "code"
    }
    code = {f.name: getattr(config.code, f.name) for f in dataclasses.fields(config.code)}
    code["log2_base"] = str(config.code.log2_base)
    return code | table


def from_table(table: dict[str, Any], source: str, named: Callable[[str], CoreConfig] = preset) -> CoreConfig:
    """A configuration from a flat table; absent keys come from the preset `base` names (default).

    Args:
        table: keys as in `to_table`, and optionally `base`.
        source: what to call the table in an error.
        named: the preset of a name; the configuration is of its class.

    Raises:
        InputError: an unknown key or a value out of range.
    """
    table = dict(table)
    try:
        base = named(table.pop("base", "default"))
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    merged = to_table(base)
    unknown = sorted(set(table) - set(merged))
    if unknown:
        raise InputError(f"{source}: unknown key {quoted(unknown[0])}; allowed are base, {', '.join(merged)}")
    merged |= table
    names = {f.name for f in dataclasses.fields(PhaseCode)}
    try:
        merged["log2_base"] = read_fraction("log2_base", merged["log2_base"])
        code = PhaseCode(**{key: value for key, value in merged.items() if key in names})
        return type(base)(code=code, **{key: value for key, value in merged.items() if key not in names})
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def load_config(path: Path) -> CoreConfig:
    """A configuration from a TOML file.

    Raises:
        InputError: the file cannot be read or parsed, or holds a bad configuration.
    """
    return from_table(read_toml(path), str(path))
