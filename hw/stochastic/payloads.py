"""Stream payloads of the stochastic engine."""

from amaranth.hdl import unsigned
from amaranth.lib import data

from golden.stochastic.config import StochasticConfig


def spikes_layout(count: int) -> data.ArrayLayout:
    """One bit per neuron."""
    return data.ArrayLayout(1, count)


def column_layout(config: StochasticConfig) -> data.StructLayout:
    """Spikes of one feature: a bit per query row of the row group, per key, per value.

    k and v count in row group 0 only; the engine keeps them for the other groups of the time step.
    """
    return data.StructLayout(
        {
            "q": spikes_layout(config.rows),
            "k": spikes_layout(config.tokens),
            "v": spikes_layout(config.tokens),
        }
    )


def rates_layout(config: StochasticConfig) -> data.StructLayout:
    """Rates of one feature in units of 2**-rate_bits, 0..2**rate_bits, in the places of the spikes."""
    rate = unsigned(config.rate_bits + 1)
    return data.StructLayout(
        {
            "q": data.ArrayLayout(rate, config.rows),
            "k": data.ArrayLayout(rate, config.tokens),
            "v": data.ArrayLayout(rate, config.tokens),
        }
    )


def score_layout(config: StochasticConfig) -> data.ArrayLayout:
    """Scores of a row group, one bit per unit."""
    return data.ArrayLayout(spikes_layout(config.tokens), config.rows)
