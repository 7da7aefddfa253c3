"""Sizes of a generated core for whole stochastic networks."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from golden.code import check_range
from golden.errors import InputError, quoted
from golden.stochastic.config import MAX_SIZE, MAX_STEPS, StochasticConfig
from golden.stochastic.plan import RandomPlan
from golden.toml import read_toml
from golden.widths import bits_for

WEIGHT_BITS = 8
MAX_LANES = 256
# A block RAM of the ECP5 or of Gowin has two ports; of the iCE40 it takes two for two weights
MAX_WEIGHT_PORTS = 2
# Bits of a pixel, which enters bit by bit
PLANES = 8
BIAS_STORES = ("block", "distributed")
# Parts of a piece of the load stream, so that a host can store them
WEIGHT_STREAMS = (0, 1, 2, 4, 8, 16, 32)
# The threshold and what lies below it, signed
LEAST_STREAM_BITS = 8
MEMORIES = ("spikes", "stream", "weights", "biases", "layers")


@dataclass(frozen=True, kw_only=True)
class StochasticNetworkConfig:
    """What is fixed when a core for stochastic networks is generated.

    Attributes:
        tokens, head_dim: of the attention engine, a full array (`golden.stochastic.config`).
        rows: most of a layer, at least `tokens`; more in a stem of convolutions.
        steps: largest number of time steps T, 1..1024.
        lanes: neurons at work at once, and spikes in a word: a power of two, 1..256, at least `head_dim`,
            which is one too.
        weight_ports: weights that a lane reads and adds in a cycle, 1 or 2: as many spikes of a word leave.
        weight_stream: bits of a word of the stream that brings the weights, pass by pass, a divisor of 32; 0
            where all of them are in the core.
        spikes: words of the spike memory; stream: of the residual currents; weights: a weight of every lane
            each, of one pass where they are streamed; biases: a bias of every lane each; layers: descriptors;
            maps: of the memory of rows by index, 0 for none, and for no stem.
        bias_store: the RAM of the biases: block, or distributed, in LUTs, of devices that have such (not
            iCE40), which costs more and leaves block RAM to others.
        accumulator_bits, stream_bits, bias_bits: widths of signed integers: sums of a layer, residual and
            other currents, biases.
        plan: random numbers of the engine.

    Raises:
        InputError: a field is out of range or does not fit another.
    """

    tokens: int
    head_dim: int
    rows: int
    steps: int = 16
    lanes: int = 32
    weight_ports: int = MAX_WEIGHT_PORTS
    weight_stream: int = 0
    spikes: int
    stream: int
    weights: int
    biases: int
    bias_store: str = "block"
    layers: int
    maps: int = 0
    accumulator_bits: int
    stream_bits: int
    bias_bits: int
    plan: RandomPlan = field(default_factory=RandomPlan)

    def __post_init__(self) -> None:
        check_range("StochasticNetworkConfig.tokens", self.tokens, 1, MAX_SIZE)
        check_range("StochasticNetworkConfig.steps", self.steps, 1, MAX_STEPS)
        for name, most in (("lanes", MAX_LANES), ("head_dim", self.lanes)):
            check_range(f"StochasticNetworkConfig.{name}", getattr(self, name), 1, most)
            if getattr(self, name).bit_count() != 1:
                raise InputError(
                    f"StochasticNetworkConfig.{name} must be a power of two, not {getattr(self, name)}"
                )
        check_range("StochasticNetworkConfig.weight_ports", self.weight_ports, 1, MAX_WEIGHT_PORTS)
        if self.bias_store not in BIAS_STORES:
            raise InputError(
                f"StochasticNetworkConfig.bias_store must be one of {', '.join(BIAS_STORES)}, "
                f"not {quoted(self.bias_store)}"
            )
        for name in MEMORIES:
            check_range(f"StochasticNetworkConfig.{name}", getattr(self, name), 1, 1 << 20)
        self._check_stream()
        check_range("StochasticNetworkConfig.rows", self.rows, self.tokens, 1 << 20)
        check_range("StochasticNetworkConfig.maps", self.maps, 0, 1 << 20)
        check_range("StochasticNetworkConfig.bias_bits", self.bias_bits, 2, 32)
        check_range("StochasticNetworkConfig.stream_bits", self.stream_bits, LEAST_STREAM_BITS, 32)
        check_range("StochasticNetworkConfig.accumulator_bits", self.accumulator_bits, self.stream_bits, 64)
        _ = self.engine  # the plan must suit it

    def _check_stream(self) -> None:
        wide = self.weight_stream
        if wide not in WEIGHT_STREAMS:
            allowed = ", ".join(map(str, WEIGHT_STREAMS))
            raise InputError(f"StochasticNetworkConfig.weight_stream must be one of {allowed}, not {wide}")
        if 0 < wide < bits_for(self.weights):
            raise InputError(
                "StochasticNetworkConfig.weight_stream must hold the inputs of a pass, weights = "
                f"{self.weights}, in {bits_for(self.weights)} bits or more, not {wide}"
            )

    @property
    def weight_pieces(self) -> int:
        """Words of the stream of weights that hold those of one input."""
        return -(-self.lanes * WEIGHT_BITS // self.weight_stream)

    @property
    def engine(self) -> StochasticConfig:
        """The attention engine."""
        return StochasticConfig(
            tokens=self.tokens, head_dim=self.head_dim, rows=self.tokens, steps=self.steps, plan=self.plan
        )

    @property
    def potential_bits(self) -> int:
        """Bits of a membrane potential: with a leak of one half it is less than twice the largest current."""
        return self.stream_bits + 1


PLAN = tuple(f.name for f in fields(RandomPlan))
# What a user may give; the rest is the network's
GIVEN = (
    tuple(f.name for f in fields(StochasticNetworkConfig) if f.name not in ("tokens", "head_dim", "plan"))
    + PLAN
)


def to_table(config: StochasticNetworkConfig) -> dict[str, Any]:
    """All fields of the core and of its plan as one table of plain values."""
    table = asdict(config)
    return table | table.pop("plan")


def read_sizes(path: Path) -> dict[str, Any]:
    """Given sizes, and what is given of the plan, from a TOML file.

    Raises:
        InputError: the file cannot be read or parsed, or holds an unknown key.
    """
    table = read_toml(path)
    for name in table:
        if name not in GIVEN:
            raise InputError(f"{path}: unknown key {quoted(name)}; allowed are {', '.join(GIVEN)}")
    return table


def from_table(table: dict[str, Any], source: str) -> StochasticNetworkConfig:
    """Inverse of `to_table`.

    Args:
        source: what to call the table in an error.

    Raises:
        InputError: a key is missing or unknown, or a value out of range.
    """
    if set(table) != {"tokens", "head_dim", *GIVEN}:
        raise InputError(f"{source}: must hold the sizes of a core for stochastic networks, it does not")
    try:
        plan = RandomPlan(**{name: table[name] for name in PLAN})
        sizes = {name: value for name, value in table.items() if name not in PLAN}
        return StochasticNetworkConfig(plan=plan, **sizes)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
