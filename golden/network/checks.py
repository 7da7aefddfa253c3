"""Checks of the layers of a network: that they connect, and that every integer is in its range."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.attention.woss import MAX_RAMP_STEP
from golden.code import PhaseCode
from golden.errors import InputError, quoted
from golden.network.layers import (
    IMAGE,
    LINEAR_FRACTION_BITS,
    NORM_KINDS,
    SCORES,
    STREAM,
    Attention,
    Linear,
    Norm,
    most_octaves,
)

MAX_FEATURES = 256
MAX_SHIFT = 31
# Potentials and the stream fit the hardware's words and float64's exact integers
POTENTIAL_BITS, STREAM_BITS = 40, 24
# Octaves of a code for which an input of weight one, 2**(c + octaves), still fits a potential
MAX_OCTAVES = POTENTIAL_BITS - 2 - LINEAR_FRACTION_BITS


class Sizes(Protocol):
    """What checks need of a network."""

    @property
    def code(self) -> PhaseCode: ...

    @property
    def weight_bits(self) -> int: ...

    @property
    def tokens(self) -> int: ...


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


def check_source(source: str, name: str, widths: dict[str, int]) -> int:
    if source not in widths or source in (STREAM, SCORES):
        known = ", ".join(n for n in widths if n not in (STREAM, SCORES))
        raise InputError(f"{name}: source must be spikes of an earlier layer ({known}), not {quoted(source)}")
    return widths[source]


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


def check_levels(name: str, levels: NDArray[np.int64], code: PhaseCode) -> None:
    check_integers(f"{name}.levels", levels, [(code.steps,)], 4095)
    if levels[0] != 0 or (np.diff(levels) > 0).any():
        raise InputError(f"{name}.levels must start at 0 and never rise, not {levels.tolist()}")


def check_linear(layer: Linear, name: str, network: Sizes, widths: dict[str, int]) -> None:
    inputs = check_source(layer.source, name, widths)
    if layer.weight.ndim != 2 or not 1 <= layer.weight.shape[0] <= MAX_FEATURES:
        raise InputError(
            f"{name}.weight must be [1..{MAX_FEATURES} outputs, inputs], not {list(layer.weight.shape)}"
        )
    if layer.weight.shape[1] != inputs:
        raise InputError(
            f"{name} must have {inputs} inputs, the width of {quoted(layer.source)}, "
            f"not {layer.weight.shape[1]}"
        )
    outputs = len(layer.weight)
    check_integers(f"{name}.weight", layer.weight, [layer.weight.shape], (1 << (network.weight_bits - 1)) - 1)
    shapes = [(outputs,)] if layer.pooled else [(outputs,), (network.tokens, outputs)]
    check_integers(f"{name}.bias", layer.bias, shapes, (1 << (POTENTIAL_BITS - 2)) - 1)
    check_integers(f"{name}.offset", layer.offset, [(outputs,)], 2047)
    if layer.target == IMAGE:
        raise InputError(f"{name}.target must not be {IMAGE!r}")
    if layer.pooled != (layer.target == SCORES):
        raise InputError(f"{name}: a layer with target {SCORES!r}, and no other, must be pooled")
    if layer.target == STREAM:
        check_integers(f"{name}.offset", layer.offset, [(outputs,)], MAX_SHIFT, 0)
        if layer.fresh == (STREAM in widths):
            raise InputError(f"{name}: the first layer with target {STREAM!r}, and no other, must be fresh")
        if widths.get(STREAM, outputs) != outputs:
            raise InputError(
                f"{name} must have {widths[STREAM]} outputs, the width of the stream, not {outputs}"
            )
    if layer.target == SCORES:
        check_integers(f"{name}.offset", layer.offset, [(outputs,)], 0)
    if layer.target in (STREAM, SCORES):
        check_integers(f"{name}.levels", layer.levels, [(0,)], 0)
    else:
        check_levels(name, layer.levels, network.code)


def check_norm(layer: Norm, name: str, network: Sizes, widths: dict[str, int]) -> None:
    if STREAM not in widths:
        raise InputError(f"{name}: a norm needs an earlier layer with target {STREAM!r}")
    check_target(layer.target, name)
    if layer.kind not in NORM_KINDS:
        raise InputError(f"{name}.kind must be one of {', '.join(NORM_KINDS)}, not {quoted(layer.kind)}")
    width = widths[STREAM]
    check_integers(f"{name}.offset", layer.offset, [(width,)], 2047)
    check_levels(name, layer.levels, network.code)


def check_attention(layer: Attention, name: str, network: Sizes, widths: dict[str, int]) -> None:
    width = check_source(layer.source, name, widths)
    check_target(layer.target, name)
    if layer.heads < 1 or width % (3 * layer.heads):
        raise InputError(
            f"{name}: 3*heads must divide the width of {quoted(layer.source)} ({width}), "
            f"heads is {quoted(layer.heads)}"
        )
    check_integers(f"{name}.ramp_step", layer.ramp_step, [(layer.heads,)], MAX_RAMP_STEP, 0)
    b = network.code.log2_base.denominator
    check_integers(f"{name}.ratio", layer.ratio, [(layer.heads, b)], (1 << 19) - 1, 1)
