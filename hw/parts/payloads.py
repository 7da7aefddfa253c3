"""Spikes as data types, for every core that has them."""

from amaranth.lib import data

from golden.code import PhaseCode
from golden.widths import index_width


def phase_width(code: PhaseCode) -> int:
    return index_width(code.steps)


def spike(code: PhaseCode) -> data.StructLayout:
    """A one-spike code; sign and phase mean nothing while `active` is low (a silent neuron)."""
    return data.StructLayout({"active": 1, "negative": 1, "phase": phase_width(code)})
