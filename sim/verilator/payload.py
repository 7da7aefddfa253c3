"""Stream payloads as NumPy arrays: fields to 32-bit words and back.

The one owner of bit positions outside the hardware. A payload is described by the layout in the
manifest (see `hw.export.verilog.Layout`); here it is a plain dictionary, so that benches inside a simulator
need nothing but NumPy.

A structure is a dictionary of its fields, an array has its elements along the axes after the first,
an integer payload is a plain array. A structure inside an array has the array's axes in each of its
fields: {"spikes": {"sign": [n, 8], "phase": [n, 8]}}. Words are uint32 [n, words], the least
significant first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

Fields = Any
"""Nested dictionaries of integer arrays [n, ...], or one integer array."""

LOW = np.uint64(0xFFFFFFFF)
WORD = np.uint64(32)


@dataclass(frozen=True)
class Leaf:
    """An integer of a layout, or the same integer of every element of an array.

    Attributes:
        path: names of the fields that lead to it.
        offsets: bit offset of each element, int [...].
        width: bits, at most 64.
        signed: whether the top bit is a sign.
    """

    path: tuple[str, ...]
    offsets: NDArray[np.int64]
    width: int
    signed: bool

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value."""
        if self.signed:
            return -(1 << self.width >> 1), (1 << self.width >> 1) - 1 if self.width else 0
        return 0, (1 << self.width) - 1

    def name(self, payload: str) -> str:
        return ".".join((payload, *self.path))


def leaves(
    layout: Mapping[str, Any], path: tuple[str, ...] = (), offsets: NDArray[np.int64] | None = None
) -> Iterator[Leaf]:
    """The integers of a layout, in its order.

    Raises:
        InputError: one is wider than 64 bits.
    """
    if offsets is None:
        offsets = np.zeros((), np.int64)
    if "fields" in layout:
        for name, part in layout["fields"].items():
            yield from leaves(part["layout"], (*path, name), offsets + part["offset"])
    elif "element" in layout:
        element = layout["element"]
        steps = np.arange(layout["length"], dtype=np.int64) * element["width"]
        yield from leaves(element, path, offsets[..., None] + steps)
    else:
        if layout["width"] > 64:
            raise InputError(
                f"payload field {'.'.join(path)} must have at most 64 bits, not {layout['width']}"
            )
        yield Leaf(path, offsets, layout["width"], layout["signed"])


def word_count(layout: Mapping[str, Any]) -> int:
    """32-bit words that hold a payload; at least one."""
    return max(1, -(-int(layout["width"]) // 32))


def pack(layout: Mapping[str, Any], fields: Fields, name: str = "payload") -> NDArray[np.uint32]:
    """Words of a list of payloads.

    Args:
        layout: description of the payload.
        fields: its fields, integers [n, ...].
        name: what to call the payload in an error.

    Returns:
        uint32 [n, words].

    Raises:
        InputError: a field is missing, unknown, of the wrong shape or type, or out of its range.
    """
    _check_names(layout, fields, name)
    parts = [(leaf, _bits(leaf, fields, name)) for leaf in leaves(layout)]
    lengths = sorted({len(bits) for _, bits in parts})
    if len(lengths) > 1:
        raise InputError(f"{name}: every field must have the same length, not {lengths[0]} and {lengths[-1]}")
    # An integer may straddle three words; two words more than needed keep the last one simple.
    words = np.zeros((lengths[0], word_count(layout) + 2), np.uint64)
    for leaf, bits in parts:
        for index, offset in np.ndenumerate(leaf.offsets):
            column, shift = divmod(int(offset), 32)
            element = bits[(slice(None), *index)]
            low = (element & LOW) << np.uint64(shift)
            high = (element >> WORD) << np.uint64(shift)
            words[:, column] |= low & LOW
            words[:, column + 1] |= (low >> WORD) | (high & LOW)
            words[:, column + 2] |= high >> WORD
    return np.ascontiguousarray(words[:, :-2].astype(np.uint32))


def unpack(layout: Mapping[str, Any], words: NDArray[np.uint32]) -> Fields:
    """Fields of a list of payloads, int64 (uint64 where an unsigned integer has 64 bits).

    Args:
        layout: description of the payload.
        words: uint32 [n, words].
    """
    wide = np.zeros((len(words), word_count(layout) + 2), np.uint64)
    wide[:, :-2] = words
    tree: dict[str, Any] = {}
    for leaf in leaves(layout):
        bits = np.zeros((len(words), *leaf.offsets.shape), np.uint64)
        for index, offset in np.ndenumerate(leaf.offsets):
            column, shift = divmod(int(offset), 32)
            pair = wide[:, column] | wide[:, column + 1] << WORD
            element = pair >> np.uint64(shift)
            if shift:
                element |= wide[:, column + 2] << np.uint64(64 - shift)
            bits[(slice(None), *index)] = element
        value = _value(leaf, bits)
        if not leaf.path:
            return value
        branch = tree
        for key in leaf.path[:-1]:
            branch = branch.setdefault(key, {})
        branch[leaf.path[-1]] = value
    return tree


def _bits(leaf: Leaf, fields: Fields, name: str) -> NDArray[np.uint64]:
    """The values of one leaf, checked, as unsigned numbers [n, ...] of its width."""
    value = fields
    for key in leaf.path:
        value = value[key]
    value = np.asarray(value)
    where = leaf.name(name)
    shape = leaf.offsets.shape
    if value.dtype.kind not in "biu":
        raise InputError(f"{where} must be integers, not {value.dtype}")
    if value.ndim != len(shape) + 1 or value.shape[1:] != shape:
        want = ", ".join(("n", *map(str, shape)))
        raise InputError(f"{where} must have the shape [{want}], not {list(value.shape)}")
    low, high = leaf.limits
    for extreme in (value.min(), value.max()) if value.size else ():
        if not low <= int(extreme) <= high:
            index = [int(i[0]) for i in np.nonzero(value == extreme)]
            raise InputError(f"{where}{index} must be in {low}..{high}, not {int(extreme)}")
    return value.astype(np.uint64) & np.uint64((1 << leaf.width) - 1)


def _value(leaf: Leaf, bits: NDArray[np.uint64]) -> NDArray[np.int64] | NDArray[np.uint64]:
    if leaf.width == 0:
        return np.zeros(bits.shape, np.int64)
    spare = 64 - leaf.width
    bits = bits << np.uint64(spare)
    if leaf.signed:
        return bits.view(np.int64) >> np.int64(spare)
    bits = bits >> np.uint64(spare)
    return bits if spare == 0 else bits.view(np.int64)


def _check_names(layout: Mapping[str, Any], fields: Fields, name: str) -> None:
    """Raise InputError unless the nested dictionaries have the names of the layout."""
    while "element" in layout:
        layout = layout["element"]
    if "fields" not in layout:
        if isinstance(fields, Mapping):
            raise InputError(f"{name} must be an array of integers, not fields {', '.join(fields)}")
        return
    parts = layout["fields"]
    allowed = ", ".join(parts)
    if not isinstance(fields, Mapping):
        raise InputError(f"{name} must have the fields {allowed}, not be {type(fields).__name__}")
    for key in fields:
        if key not in parts:
            raise InputError(f"{name} must have the fields {allowed}, not {key!r}")
    for key, part in parts.items():
        if key not in fields:
            raise InputError(f"{name} must have the fields {allowed}; {key!r} is missing")
        _check_names(part["layout"], fields[key], f"{name}.{key}")
