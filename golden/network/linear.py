"""Accumulate-only neurons for dense layers of models whose norms and activation functions stay in floats.

Float weights become integers, and a potential means a float again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.neuron import EXACT_BITS, LINEAR_FRACTION_BITS, Neurons, most_octaves


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerLinear(Neurons):
    """Static integer weights of a layer; input scales are folded into them.

    Attributes:
        code: the code of the inputs.
        weight: int16 [outputs, inputs].
        bias: int64 [outputs], in units of the potential.
        unit: float64 [outputs], real value of one unit of the potential.
        input_scale: float64 [inputs], value of an input spike of phase 0.
        input_offset: float64 [inputs], what an input is when its neuron is silent; None for zero. The
            bias holds what the weights make of it.
    """

    code: PhaseCode
    unit: NDArray[np.float64]
    input_scale: NDArray[np.float64]
    input_offset: NDArray[np.float64] | None = None


def prepare_linear(
    weight: NDArray[np.floating],
    bias: NDArray[np.floating] | None,
    input_scale: NDArray[np.floating],
    code: PhaseCode,
    weight_bits: int = 8,
    input_offset: NDArray[np.floating] | None = None,
) -> IntegerLinear:
    """Integer weights with a scale per output, the input scales folded in.

    Args:
        weight: [outputs, inputs], finite.
        bias: [outputs] or None.
        input_scale: [inputs] or a scalar, positive.
        code: the code of the inputs.
        weight_bits: width of a signed weight, 2..16.
        input_offset: [inputs], see `IntegerLinear`.

    Raises:
        InputError: potentials of this layer leave the exact range.
    """
    scale = np.broadcast_to(np.asarray(input_scale, dtype=np.float64), weight.shape[1:])
    folded = weight * scale
    largest = (1 << (weight_bits - 1)) - 1
    per_output = np.abs(folded).max(axis=1)
    weight_unit = np.where(per_output > 0, per_output, 1.0) / largest
    # Value of a spike of phase 0; spike_values holds it, but its integers end at 63 bits
    first = 1 << (LINEAR_FRACTION_BITS + most_octaves(code))
    bits = (weight.shape[1] * largest * first).bit_length()
    if bits > EXACT_BITS:
        raise InputError(
            f"a linear layer of {weight.shape[1]} inputs and {weight_bits}-bit weights needs {bits} bits of "
            f"potential at T={code.steps}, log2_base={code.log2_base}; at most {EXACT_BITS} are exact"
        )
    unit = weight_unit / first
    integers = np.floor(folded / weight_unit[:, None] + 0.5).astype(np.int16)
    offset = np.zeros(len(weight)) if bias is None else np.asarray(bias, dtype=np.float64)
    silent = None if input_offset is None else np.asarray(input_offset, dtype=np.float64)
    if silent is not None:
        offset = offset + weight @ silent
    return IntegerLinear(
        code=code,
        weight=integers,
        bias=np.floor(offset / unit + 0.5).astype(np.int64),
        unit=unit,
        input_scale=scale.copy(),
        input_offset=silent,
    )
