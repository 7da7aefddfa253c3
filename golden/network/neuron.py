"""The accumulate-only neuron: one-spike inputs, static integer weights, an integer potential.

Source: SpikedAttention (NeurIPS 2024), section 3.1. With inputs (sgn, ph), a*ph = o*b + r and
E = a*(T-1) div b:

    A[n,r] = sum over inputs with residue r of  w[n,i]*sgn[i] << (E - o)
    V[n]   = sum_r A[n,r]*C[r] + bias[n],       C[r] = floor(2**c * 2**(-r/b) + 1/2), c = 8

In closed form a spike adds w*C[r] << (E - o), so that a layer is one product of integers.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, Spikes
from golden.trace import trace_table

LINEAR_FRACTION_BITS = 8
# Integers that float64 holds exactly
EXACT_BITS = 53


def residue_constants(code: PhaseCode) -> NDArray[np.int64]:
    """C[0..b-1]."""
    b = code.log2_base.denominator
    return trace_table(Fraction(1, b), LINEAR_FRACTION_BITS, b)


def most_octaves(code: PhaseCode) -> int:
    """E: octaves between the first and the last phase."""
    return code.octave(code.steps - 1)[0]


def spike_values(code: PhaseCode) -> NDArray[np.int64]:
    """What a weight of one adds to V, per phase 0..T-1, then 0 for a silent input; int64 [T+1]."""
    constants, most = residue_constants(code), most_octaves(code)
    octaves = [code.octave(phase) for phase in range(code.steps)]
    return np.array([int(constants[r]) << (most - o) for o, r in octaves] + [0], dtype=np.int64)


def received(spikes: Spikes, code: PhaseCode) -> NDArray[np.float64]:
    """What a synapse of weight one receives, in whole numbers, of the shape of the spikes."""
    return spikes.sign * spike_values(code).astype(np.float64)[spikes.phase]


@dataclass(frozen=True, kw_only=True, eq=False)
class Neurons:
    """Accumulate-only neurons.

    Attributes:
        weight: int16 [outputs, inputs].
        bias: int64 [outputs], or broadcastable to the potentials.
    """

    weight: NDArray[np.int16]
    bias: NDArray[np.int64]

    @property
    def outputs(self) -> int:
        return len(self.weight)

    @cached_property
    def reach(self) -> list[int]:
        """Sum of the magnitudes of each output's weights."""
        return [int(a) for a in np.abs(self.weight.astype(np.int64)).sum(axis=1)]

    @cached_property
    def transposed(self) -> NDArray[np.float64]:
        """The weights as floats [inputs, outputs], for exact products."""
        return np.ascontiguousarray(self.weight.T, dtype=np.float64)

    def potentials(self, spikes: Spikes, code: PhaseCode) -> NDArray[np.int64]:
        """V, int64 [..., outputs], of spikes [..., inputs]."""
        return self.integrate(received(spikes, code))

    def integrate(self, inputs: NDArray[np.float64]) -> NDArray[np.int64]:
        """V of what the synapses receive."""
        # Every partial sum is an integer below 2**53 (whoever makes a layer checks it): float64 is exact
        # One product of all rows, which is several times faster than one per image.
        rows = inputs.reshape(-1, inputs.shape[-1]) @ self.transposed
        return np.rint(rows, out=rows).astype(np.int64).reshape(*inputs.shape[:-1], -1) + self.bias
