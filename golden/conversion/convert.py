"""From recorded ranges to integers: the conversion of a model, and a verdict per node.

Source: SpikedAttention (NeurIPS 2024), section 3 (training-free conversion by weight normalisation).
Scales are largest magnitudes over the calibration samples. Input-channel scales of a dense layer are
folded into its weights, so they cost nothing at run time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.conversion.layouts import Model
from golden.conversion.run import run
from golden.conversion.scheme import Parts, Scheme, Verdict
from golden.conversion.verdicts import Comparison, float_verdicts, spiking_verdicts
from golden.errors import InputError
from golden.linear import IntegerLinear, prepare_linear
from golden.models.engine import Floats, Linear, Ranges, RecordingEngine, SpikingAttention, SpikingEngine
from golden.normaliser import bounded_output_scale

# A channel that calibration hardly sees keeps this share of the largest range: its weights, scaled
# with it, must not vanish beside the others in 8 bits.
SMALLEST_RANGE = 2.0**-10


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A converted model.

    Attributes:
        scheme: how it was converted.
        linears, attentions: integers by node.
        verdicts: one per node.
    """

    scheme: Scheme
    linears: dict[str, IntegerLinear]
    attentions: dict[str, SpikingAttention]
    verdicts: list[Verdict]

    def engine(self, parts: Parts | None = None) -> SpikingEngine:
        """A fresh engine with all converted parts, or with attention alone."""
        linears = {} if parts == "attention" else self.linears
        return SpikingEngine(linears, self.attentions)


def record(model: Model, batches: Iterable[NDArray[Any]]) -> tuple[Ranges, dict[str, Linear]]:
    """Ranges of every node over the calibration samples, and the dense layers by node.

    Raises:
        InputError: no samples, or a sample drives the float network out of range.
    """
    recorder = NodeRecorder()
    with np.errstate(all="ignore"):  # a network out of range is reported below, by node
        for batch in batches:
            run(model, batch, recorder)
    if not recorder.layers:
        raise InputError("calibration needs at least one sample, none were given")
    for store in (recorder.ranges.linear, recorder.ranges.attention):
        for name, values in store.items():
            if not np.isfinite(values).all():
                raise InputError(f"calibration drives node {name} of the float network out of range")
    return recorder.ranges, recorder.layers


class NodeRecorder(RecordingEngine):
    """Also remembers the dense layers that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[str, Linear] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        self.layers[name] = layer
        return super().linear(name, x, layer)


def attention_scales(ranges: Floats) -> NDArray[np.float64]:
    """Scales of q, k, v and the output per head, [4, heads], from their ranges."""
    largest = ranges.astype(np.float64)
    largest[largest <= 0] = 1.0
    largest[3] = bounded_output_scale(largest[3], largest[2])
    return largest


def linear_scales(name: str, ranges: Ranges, granularity: str) -> NDArray[np.float64]:
    """Scale of each input of a dense layer, [inputs]."""
    block, _, part = name.rpartition(".")
    attention = ranges.attention.get(f"{block}.attention")
    largest = ranges.linear[name].astype(np.float64)
    if part == "projection" and attention is not None:
        # Its inputs are the output spikes of attention, whose scales are per head
        output = attention_scales(attention)[3]
        return np.repeat(output, len(largest) // len(output))
    top = largest.max() if largest.max() > 0 else 1.0
    if granularity == "tensor":
        return np.full_like(largest, top)
    return np.maximum(largest, SMALLEST_RANGE * top)


def convert(
    model: Model, ranges: Ranges, layers: dict[str, Linear], scheme: Scheme, samples: list[NDArray[Any]]
) -> Conversion:
    """Integers of every node, and verdicts measured on `samples`.

    Args:
        model: the model.
        ranges, layers: as recorded by `record`.
        scheme: what runs in spikes.
        samples: batches as for `run`.

    Raises:
        InputError: a layer does not fit the exact range of integers.
    """
    window = scheme.code.steps if scheme.window is None else scheme.window
    attentions = {
        name: SpikingAttention(code=scheme.code, window=window, scales=attention_scales(largest))
        for name, largest in ranges.attention.items()
    }
    linears = {}
    if scheme.parts == "linear":
        for name, layer in layers.items():
            scale = linear_scales(name, ranges, scheme.granularity)
            try:
                linears[name] = prepare_linear(
                    layer.weight, layer.bias, scale, scheme.code, scheme.weight_bits
                )
            except InputError as error:
                raise InputError(f"{name}: {error}") from None
    comparison = Comparison(SpikingEngine(linears, attentions))
    for batch in samples:
        run(model, batch, comparison)
    verdicts = spiking_verdicts(comparison, layers, linears) + float_verdicts(model, layers)
    return Conversion(scheme=scheme, linears=linears, attentions=attentions, verdicts=verdicts)
