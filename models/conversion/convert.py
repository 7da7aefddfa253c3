"""From recorded ranges to integers: the conversion of a model, and a verdict per node.

Source: SpikedAttention (NeurIPS 2024), section 3 (training-free conversion by weight normalisation).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.network.linear import IntegerLinear, prepare_linear
from models.conversion.advice import advise
from models.conversion.inplace import measure
from models.conversion.network import IntegerModel, integers_of, rows_of
from models.conversion.scales import SMALLEST_RANGE, after_norm, attention_of, linear_scales
from models.conversion.scheme import PARTS, Parts, Scheme
from models.conversion.thresholds import prepare_norm
from models.conversion.verdicts import Comparison, float_verdicts, network_verdicts, spiking_verdicts
from models.floating.engine import Linear, SpikingAttention, SpikingEngine
from models.floating.model import Model
from models.floating.norm import SpikingNorm
from models.floating.recording import Ranges
from models.verdict import RefusedModel, Verdict, refusal


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A converted model.

    Attributes:
        scheme: how it was converted.
        network: the integers of everything; None where floats stand between nodes in spikes.
        linears, attentions, norms: else, integers by node.
        verdicts: one per node.
        advice: of a network, what its error is made of and what would make it smaller, a line each.
    """

    scheme: Scheme
    linears: dict[str, IntegerLinear]
    attentions: dict[str, SpikingAttention]
    norms: dict[str, SpikingNorm]
    verdicts: list[Verdict]
    network: IntegerModel | None = None
    advice: list[str] = field(default_factory=list)

    @property
    def parts(self) -> tuple[Parts, ...]:
        """What can be run: the network, or what can be asked of `engine`."""
        return ("network",) if self.network else PARTS[1 : PARTS.index(self.scheme.parts) + 1]

    def engine(self, parts: Parts | None = None) -> SpikingEngine:
        """A fresh engine with all converted parts, or with those that `parts` names only."""
        linears = {} if parts == "attention" else self.linears
        norms = {} if parts in ("attention", "linear") else self.norms
        return SpikingEngine(linears, self.attentions, norms)


def norms_of(ranges: Ranges, scheme: Scheme) -> dict[str, SpikingNorm]:
    """Norms in spikes from their ranges."""
    norms = {}
    for name, largest in ranges.norm.items():
        top = largest.max() if largest.max() > 0 else 1.0
        wished = np.maximum(largest, SMALLEST_RANGE * top)
        norms[name] = prepare_norm(wished, float(ranges.stream[name].max()) or 1.0, scheme.code)
    return norms


def linears_of(
    model: Model,
    ranges: Ranges,
    layers: dict[str, Linear],
    scheme: Scheme,
    norms: dict[str, SpikingNorm],
) -> dict[str, IntegerLinear]:
    """Dense layers on spikes.

    Raises:
        RefusedModel: a layer does not fit the exact range of integers.
    """
    linears, problems, reads = {}, [], model.norm_readers()
    for name, layer in layers.items():
        scale, offset = linear_scales(name, ranges, scheme), None
        if name in reads and reads[name][0] in norms:
            before, norm = reads[name]
            scale, offset = after_norm(norm, norms[before].scale)
        try:
            linears[name] = prepare_linear(
                layer.weight, layer.bias, scale, scheme.code, scheme.weight_bits, offset
            )
        except InputError as error:
            problems.append((name, f"{name}: {error}"))
    if problems:
        raise RefusedModel(refusal(problems), [*layers, *ranges.attention, *norms], problems)
    return linears


def convert(
    model: Model, ranges: Ranges, layers: dict[str, Linear], scheme: Scheme, samples: list[NDArray[Any]]
) -> Conversion:
    """Integers of every node, and verdicts measured on `samples`.

    Args:
        model: the model.
        ranges, layers: as recorded by `record`.
        scheme: what runs in spikes.
        samples: batches of its inputs.

    Raises:
        RefusedModel: a layer does not fit the exact range of integers.
    """
    if scheme.parts == "network":
        rows = rows_of(model, samples, scheme.tokens)
        made = integers_of(model, ranges, rows, scheme.code, scheme.weight_bits, samples)
        measured = measure(made, model, samples)
        return Conversion(
            scheme=scheme, linears={}, attentions={}, norms={}, network=made,
            verdicts=network_verdicts(model, layers, made, measured),
            advice=advise(measured, ranges, scheme),
        )  # fmt: skip
    attentions = {name: attention_of(largest, scheme) for name, largest in ranges.attention.items()}
    norms = norms_of(ranges, scheme) if scheme.parts == "norm" else {}
    linears = {} if scheme.parts == "attention" else linears_of(model, ranges, layers, scheme, norms)
    comparison = Comparison(SpikingEngine(linears, attentions, norms))
    for batch in samples:
        model.run(batch, comparison)
    left = [name for name in ranges.norm if name not in norms]
    verdicts = spiking_verdicts(comparison, layers, linears) + float_verdicts(model, layers, left)
    return Conversion(scheme=scheme, linears=linears, attentions=attentions, norms=norms, verdicts=verdicts)
