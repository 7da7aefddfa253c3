"""The stochastic engine as a design for a board."""

from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import to_table
from hw.stochastic.core import StochasticAttention
from synth.design import Design


def stochastic_design(config: StochasticConfig, name: str) -> Design:
    """A stochastic engine; `name` is that of its configuration file."""
    return Design(name=name, make=lambda: StochasticAttention(config), parameters=to_table(config))
