"""Linear layer of one-spike inputs and static integer weights, in closed form.

Source: the accumulate-only neuron of SpikedAttention (NeurIPS 2024), section 3.1, with the leak
pulled out of the loop. With inputs (sgn, ph), a*ph = o*b + r and E = a*(T-1) div b,

    A[o,r] = sum over inputs with residue r of  w[o,i]*sgn[i] << (E - octaves)
    V[o]   = sum_r A[o,r]*C[r] + bias[o],       C[r] = floor(2**c * 2**(-r/b) + 1/2)

an exact integer, free of order. A spike therefore adds w*C[r] << (E - octaves), and the whole layer
is one product of integers.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.trace import trace_table

# Integers that float64 holds exactly
EXACT_BITS = 53


@dataclass(frozen=True, kw_only=True)
class IntegerLinear:
    """Static integer weights of a layer; input scales are folded into them.

    Attributes:
        code: the code of the inputs.
        weight: int16 [outputs, inputs].
        bias: int64 [outputs], in units of the potential.
        unit: float64 [outputs], real value of one unit of the potential.
        input_scale: float64 [inputs], value of an input spike of phase 0.
    """

    code: PhaseCode
    weight: NDArray[np.int16]
    bias: NDArray[np.int64]
    unit: NDArray[np.float64]
    input_scale: NDArray[np.float64]

    @cached_property
    def transposed(self) -> NDArray[np.float64]:
        """The weights as floats [inputs, outputs], for exact products."""
        return np.ascontiguousarray(self.weight.T, dtype=np.float64)


def spike_values(code: PhaseCode) -> NDArray[np.int64]:
    """C[r] << (E - octaves) for phases 0..T-1, then 0 for a silent neuron; int64 [T+1].

    Raises:
        InputError: the code spans more octaves than an exact potential can.
    """
    denominator = code.log2_base.denominator
    constants = trace_table(Fraction(1, denominator), code.trace_bits, denominator)
    most, _ = code.octave(code.steps - 1)
    if code.trace_bits + most > EXACT_BITS - 20:
        raise InputError(
            f"linear layers need a code of at most {EXACT_BITS - 20 - code.trace_bits} octaves, "
            f"not {most} (T={code.steps}, log2_base={code.log2_base})"
        )
    octaves = [code.octave(phase) for phase in range(code.steps)]
    return np.array([int(constants[r]) << (most - o) for o, r in octaves] + [0], dtype=np.int64)


def prepare_linear(
    weight: NDArray[np.floating],
    bias: NDArray[np.floating] | None,
    input_scale: NDArray[np.floating],
    code: PhaseCode,
    weight_bits: int = 8,
) -> IntegerLinear:
    """Integer weights with a scale per output, the input scales folded in.

    Args:
        weight: [outputs, inputs], finite.
        bias: [outputs] or None.
        input_scale: [inputs] or a scalar, positive.
        code: the code of the inputs.
        weight_bits: width of a signed weight, 2..16.

    Raises:
        InputError: potentials of this layer leave the exact range.
    """
    scale = np.broadcast_to(np.asarray(input_scale, dtype=np.float64), weight.shape[1:])
    folded = weight * scale
    largest = (1 << (weight_bits - 1)) - 1
    per_output = np.abs(folded).max(axis=1)
    weight_unit = np.where(per_output > 0, per_output, 1.0) / largest
    values = spike_values(code)
    bound = weight.shape[1] * largest * int(values[0])
    if bound.bit_length() > EXACT_BITS:
        raise InputError(
            f"a linear layer of {weight.shape[1]} inputs, {weight_bits}-bit weights and this code needs "
            f"{bound.bit_length()} bits of potential; at most {EXACT_BITS} are exact"
        )
    unit = weight_unit / int(values[0]) if values[0] else weight_unit
    integers = np.floor(folded / weight_unit[:, None] + 0.5).astype(np.int16)
    offset = np.zeros(len(weight)) if bias is None else np.asarray(bias, dtype=np.float64)
    return IntegerLinear(
        code=code,
        weight=integers,
        bias=np.floor(offset / unit + 0.5).astype(np.int64),
        unit=unit,
        input_scale=scale.copy(),
    )


def potentials(spikes: Spikes, layer: IntegerLinear) -> NDArray[np.int64]:
    """V, int64 [..., outputs], of input spikes [..., inputs]."""
    values = spike_values(layer.code).astype(np.float64)
    inputs = spikes.sign * values[spikes.phase]
    # Every partial sum is an integer below 2**53 (checked by prepare_linear): float64 is exact
    product = inputs @ layer.transposed
    return np.rint(product).astype(np.int64) + layer.bias
