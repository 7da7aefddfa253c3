"""Checks that layers share: names, shapes and ranges of integers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.errors import InputError, quoted
from golden.network.limits import MAX_FALL, MAX_OCTAVES, MAX_OFFSET, POTENTIAL_BITS
from golden.network.neuron import most_octaves
from golden.network.tensors import IMAGE, SCORES, STREAM, Shapes


class WordError(InputError):
    """An integer could leave its word.

    Attributes:
        bits: of the word; missing: how many more it would need.
    """

    def __init__(self, message: str, bits: int, missing: int) -> None:
        super().__init__(message)
        self.bits, self.missing = bits, missing


class SizeError(InputError):
    """A core is too small for a network."""


def check_code(name: str, code: PhaseCode) -> None:
    """Raise InputError if a single spike could leave the word of a potential."""
    if most_octaves(code) > MAX_OCTAVES:
        raise InputError(
            f"{name} must fall by at most {MAX_OCTAVES} octaves from its first phase to its last "
            f"(potentials have {POTENTIAL_BITS} bits), not by {most_octaves(code)}"
        )


def check_target(target: str, name: str) -> None:
    """Raise InputError if spikes take a name that means something else."""
    if target in (IMAGE, STREAM, SCORES):
        raise InputError(f"{name}.target must not be {target!r}")


def check_source(source: str, name: str, shapes: Shapes) -> tuple[int, int]:
    """(rows, width) of the spikes that a layer reads, or InputError if there are none of this name."""
    if source not in shapes.spikes:
        known = ", ".join(shapes.spikes)
        raise InputError(f"{name}: source must be spikes of an earlier layer ({known}), not {quoted(source)}")
    return shapes.spikes[source]


def check_integers(
    name: str,
    array: NDArray[np.integer],
    shapes: Sequence[tuple[int, ...]],
    limit: int,
    least: int | None = None,
) -> None:
    """Raise InputError unless an array has one of the shapes and is in least..limit (-limit when absent)."""
    least = -limit if least is None else least
    if array.shape not in shapes:
        allowed = " or ".join(str(list(shape)) for shape in shapes)
        raise InputError(f"{name} must have the shape {allowed}, not {list(array.shape)}")
    if array.size and (array.max() > limit or array.min() < least):
        raise InputError(f"{name} must be in {least}..{limit}, not {array.min()}..{array.max()}")


def check_word(what: str, bound: int, bits: int) -> None:
    """Raise WordError if a magnitude does not fit a signed word."""
    need = bound.bit_length() + 1
    if need > bits:
        raise WordError(f"{what} must fit {bits} bits, not {need} (it can reach {bound})", bits, need - bits)


def check_thresholds(
    name: str, offset: NDArray[np.int64], levels: NDArray[np.int64], width: int, code: PhaseCode
) -> None:
    """Raise InputError unless neurons can fire at these places."""
    check_integers(f"{name}.offset", offset, [(width,)], MAX_OFFSET)
    check_integers(f"{name}.levels", levels, [(code.steps,)], MAX_FALL)
    if levels[0] != 0 or (np.diff(levels) > 0).any():
        raise InputError(f"{name}.levels must start at 0 and never rise, not {levels.tolist()}")
