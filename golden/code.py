"""One-spike phase code: a value is a sign and the phase of a single spike.

Source: SpikedAttention (NeurIPS 2024), section 3.1 "one-spike phase coding", with its threshold
shift. A spike of phase p stands for ``sign * scale * B**-p``; a silent neuron stands for zero.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.errors import InputError, quoted
from golden.trace import trace_table

MAX_STEPS = 64
MAX_DENOMINATOR = 8


@dataclass(frozen=True, kw_only=True)
class PhaseCode:
    """Parameters of the code; every integer of the project follows from these four.

    Attributes:
        steps: T, number of time steps of the window; phases are 0..T-1. 1..64.
        log2_base: a/b with B = 2**(a/b), in lowest terms; b at most 8, value in (0, 2].
        trace_bits: F, fraction bits of the trace table, 4..16.
        ramp_bits: D, fraction bits of the WOSS ramp step, 0..8.

    Raises:
        InputError: a field is outside its range.
    """

    steps: int = 16
    log2_base: Fraction = Fraction(1, 2)
    trace_bits: int = 12
    ramp_bits: int = 4

    def __post_init__(self) -> None:
        check_range("PhaseCode.steps", self.steps, 1, MAX_STEPS)
        if not isinstance(self.log2_base, Fraction) or not (
            0 < self.log2_base <= 2 and self.log2_base.denominator <= MAX_DENOMINATOR
        ):
            raise InputError(
                "PhaseCode.log2_base must be a fraction a/b in (0, 2] with b at most "
                f"{MAX_DENOMINATOR}, not {quoted(self.log2_base)}"
            )
        check_range("PhaseCode.trace_bits", self.trace_bits, 4, 16)
        check_range("PhaseCode.ramp_bits", self.ramp_bits, 0, 8)

    @property
    def base(self) -> float:
        """B, the ratio of neighbouring code values."""
        return 2.0 ** float(self.log2_base)

    @property
    def threshold_shift(self) -> float:
        """theta = (1 + 1/B)/2: the midpoint between neighbouring codes."""
        return (1 + 1 / self.base) / 2

    @cached_property
    def trace(self) -> NDArray[np.int64]:
        """Trace table G[0..2T-2], int64; see `golden.trace.trace_table`."""
        table = trace_table(self.log2_base, self.trace_bits, 2 * self.steps - 1)
        table.flags.writeable = False
        return table

    def octave(self, phase: int) -> tuple[int, int]:
        """Split the decay of `phase` steps: B**-phase = 2**-octaves * 2**(-residue/b).

        Returns:
            (octaves, residue), residue in 0..b-1.
        """
        return divmod(self.log2_base.numerator * phase, self.log2_base.denominator)


@dataclass(frozen=True)
class Spikes:
    """A tensor of one-spike codes.

    Attributes:
        sign: int8, -1, 0 or 1; 0 is a silent neuron.
        phase: int8, same shape, 0..T-1; T where silent.
    """

    sign: NDArray[np.int8]
    phase: NDArray[np.int8]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.sign.shape

    def __getitem__(self, index: Any) -> "Spikes":
        return Spikes(self.sign[index], self.phase[index])

    def count(self) -> int:
        """Number of neurons that fire."""
        return int(np.count_nonzero(self.sign))


def check_range(name: str, value: object, low: int, high: int) -> None:
    """Raise InputError unless `value` is an integer in low..high."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{name} must be an integer in {low}..{high}, not {quoted(value)}")


# As long as any log2_base is; an exponent would let a short text stand for a number of any size
_FRACTION = re.compile(r"[+-]?[0-9]{1,8}(/[0-9]{1,8}|\.[0-9]{1,8})?")


def read_fraction(name: str, value: object) -> Fraction:
    """The fraction that a text writes as "a/b", as an integer or as a decimal.

    Raises:
        InputError: it does not.
    """
    if isinstance(value, str) and _FRACTION.fullmatch(value):
        try:
            return Fraction(value)
        except ZeroDivisionError:
            pass
    raise InputError(f'{name} must be a fraction "a/b", not {quoted(value)}')


def phase_text(phase: int) -> str:
    """How the value of a phase reads: "B^-3"."""
    return f"B^-{phase}"


def spike_text(sign: int, phase: int) -> str:
    """How a code reads: "+B^-3" for sign 1 and phase 3, "silent" for sign 0 whatever the phase."""
    return f"{'+' if sign > 0 else '-'}{phase_text(phase)}" if sign else "silent"


def encode(values: ArrayLike, scale: ArrayLike, code: PhaseCode) -> Spikes:
    """Encode real values; the neuron fires at the first phase p with |x|/scale >= theta * B**-p.

    Args:
        values: any shape, finite.
        scale: positive, broadcastable to `values`; the value of a spike of phase 0.
        code: the code.

    Returns:
        Spikes of the shape of `values`. Above theta*scale the code saturates at phase 0, below
        theta*scale*B**-(T-1) the neuron stays silent. Comparison is in float64.
    """
    ratio = np.asarray(values, dtype=np.float64) / np.asarray(scale, dtype=np.float64)
    reached = _thresholds_reached(np.abs(ratio), code)
    sign = (ratio > 0).view(np.int8) - (ratio < 0).view(np.int8)
    return Spikes(np.where(reached > 0, sign, np.int8(0)), (code.steps - reached).astype(np.int8))


def remainder_shift(code: PhaseCode) -> int:
    """How many times smaller, in bits, what a code leaves of values up to its scale is at least."""
    return int(np.floor(-np.log2((1 - 1 / code.base) / 2)))


def encode_finely(values: ArrayLike, scale: float, code: PhaseCode, codes: int) -> Spikes:
    """Several codes of the same values, each of what those before it leave, in a scale that is
    2**remainder_shift smaller.

    Returns:
        Spikes [..., codes * width] of values [..., width].
    """
    left, found = np.asarray(values, dtype=np.float64), list[Spikes]()
    for _ in range(codes):
        found.append(encode(left, scale, code))
        left = left - decode(found[-1], scale, code)
        scale *= 2.0 ** -remainder_shift(code)
    return Spikes(
        np.concatenate([spikes.sign for spikes in found], axis=-1),
        np.concatenate([spikes.phase for spikes in found], axis=-1),
    )


# Bits of a float64 below its sign, exponent and six leading bits of its fraction: numbers that agree
# above these lie within a factor 1 + 2**-6 of each other, closer than neighbouring thresholds
# (a factor of at least 2**(1/8)), so that at most one threshold lies among them.
DROPPED_BITS = 46


def _thresholds_reached(magnitude: NDArray[np.float64], code: PhaseCode) -> NDArray[np.int8]:
    """How many of the thresholds theta * B**-p, p = 0..T-1, each magnitude reaches: T minus its phase."""
    rising, lowest, reached_below = threshold_buckets(code)
    bucket = np.ascontiguousarray(magnitude).view(np.int64) >> DROPPED_BITS
    np.clip(bucket, lowest, lowest + len(reached_below) - 1, out=bucket)
    bucket -= lowest
    reached = reached_below.take(bucket)
    return reached + (magnitude >= rising.take(reached))


@lru_cache(maxsize=64)
def threshold_buckets(code: PhaseCode) -> tuple[NDArray[np.float64], int, NDArray[np.int8]]:
    """Rising thresholds and infinity, the first bucket, and the thresholds below each bucket."""
    rising = code.threshold_shift * code.base ** -np.arange(code.steps - 1, -1, -1, dtype=np.float64)
    buckets = rising.view(np.int64) >> DROPPED_BITS
    lowest = int(buckets[0])
    below = np.searchsorted(buckets, np.arange(lowest, int(buckets[-1]) + 2), side="left")
    return np.append(rising, np.inf), lowest, below.astype(np.int8)


def decode(spikes: Spikes, scale: ArrayLike, code: PhaseCode) -> NDArray[np.float64]:
    """Real values of `spikes`: sign * scale * B**-phase, float64, zero where silent."""
    value = code.base ** -np.arange(code.steps + 1, dtype=np.float64)
    return np.asarray(scale, dtype=np.float64) * spikes.sign * value[spikes.phase]
