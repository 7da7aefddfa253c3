"""Spikes and words of descriptors as data types, for every core that has them."""

from typing import Any

from amaranth.hdl import Shape, ShapeLike
from amaranth.lib import data

from golden.code import PhaseCode
from golden.descriptors import words
from golden.widths import index_width


def phase_width(code: PhaseCode) -> int:
    return index_width(code.steps)


def spike(code: PhaseCode) -> data.StructLayout:
    """A one-spike code; sign and phase mean nothing while `active` is low (a silent neuron)."""
    return data.StructLayout({"active": 1, "negative": 1, "phase": phase_width(code)})


def struct(kind: type, config: Any) -> data.StructLayout:
    """A descriptor or table entry, made of its words (`golden.descriptors`)."""
    fields: dict[str, ShapeLike] = {}
    for name, word in words(kind, config).items():
        shape = Shape(word.bits, word.signed)
        fields[name] = shape if word.count is None else data.ArrayLayout(shape, word.count)
    return data.StructLayout(fields)
