"""Verdicts: which nodes are exact, approximate (with the measured error), or kept in floats."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.layers import Norm as LayerNorm
from golden.network.limits import MAX_LANES
from golden.network.linear import IntegerLinear
from golden.network.program import config_for
from models.conversion.inplace import NodeError
from models.conversion.network import IntegerModel
from models.floating.engine import Floats, Linear, SpikingEngine
from models.floating.functions import Norm
from models.floating.model import Model
from models.floating.recording import RecordingEngine
from models.verdict import Verdict, exact, kept


class Comparison(RecordingEngine):
    """Floats; measures at each node what the spiking node would have made of the same input."""

    def __init__(self, spiking: SpikingEngine) -> None:
        super().__init__()
        self.spiking = spiking
        self.sums: dict[str, NDArray[np.float64]] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        floats = super().linear(name, x, layer)
        if name in self.spiking.linears:
            self._compare(name, floats, self.spiking.linear(name, x, layer))
        return floats

    def attention(
        self,
        name: str,
        q: Floats,
        k: Floats,
        v: Floats,
        bias: Floats | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Floats:
        floats = super().attention(name, q, k, v, bias, allowed)
        self._compare(name, floats, self.spiking.attention(name, q, k, v, bias, allowed))
        return floats

    def norm(self, name: str, x: Floats, norm: Norm) -> Floats:
        floats = super().norm(name, x, norm)
        if name in self.spiking.norms:
            self._compare(name, floats, self.spiking.norm(name, x, norm))
        return floats

    def _compare(self, name: str, exact: Floats, spiking: Floats) -> None:
        error = np.abs(spiking.astype(np.float64) - exact)
        now = np.array([np.square(error).sum(), np.square(exact, dtype=np.float64).sum(), 0.0, 0.0])
        before = self.sums.get(name, np.zeros(4))
        worst = np.maximum(before[2:], [error.max(), np.abs(exact).max()])
        self.sums[name] = np.concatenate([before[:2] + now[:2], worst])

    def bounds(self, name: str) -> tuple[float, float]:
        """Relative RMSE, and largest error over largest output."""
        square, total, worst, largest = self.sums[name]
        return float(np.sqrt(square / total)) if total else 0.0, float(worst / largest) if largest else 0.0


def spiking_verdicts(
    comparison: Comparison, layers: dict[str, Linear], linears: dict[str, IntegerLinear]
) -> list[Verdict]:
    verdicts = []
    for name in comparison.sums:
        error, worst = comparison.bounds(name)
        reason = "trace products, WOSS, one spike out"
        if name in linears:
            reason = "one-spike inputs, integer weights"
        elif name in comparison.spiking.norms:
            reason = "thresholds carry the row's deviation, no epsilon"
        verdicts.append(Verdict(node=name, outcome="approximate", error=error, worst=worst, reason=reason))
    left = [name for name in layers if name not in linears]
    return verdicts + [kept(name, "only attention was asked for") for name in left]


def float_verdicts(model: Model, layers: dict[str, Linear], norms: list[str]) -> list[Verdict]:
    """Verdicts of the nodes between dense layers and attention, and of norms that stay in floats."""
    blocks = sorted({name.rpartition(".")[0] for name in layers if name.endswith(".query")})
    verdicts = []
    for block in blocks:
        verdicts.append(exact(f"{block}.heads", "moves values, or masks them"))
        verdicts.append(kept(f"{block}.activation", "its result is coded"))
        verdicts.append(kept(f"{block}.sum", "its result stays wide"))
    return (
        verdicts + model.other_nodes() + [kept(name, "norms in spikes were not asked for") for name in norms]
    )


def network_verdicts(
    model: Model, layers: dict[str, Linear], made: IntegerModel, measured: dict[str, NodeError]
) -> list[Verdict]:
    """Verdicts of a network of integers, in which nothing between nodes is float, in order of execution."""
    between = {
        "sum": exact("", "integers of the residual stream"),
        "activation": Verdict(
            node="", outcome="approximate", error=None, worst=None,
            reason="a threshold list; what stays silent is learned from the samples",
        ),
    }  # fmt: skip
    other = exact("", "a sum of scores, which leaves in integers")
    found = [
        Verdict(
            node=node, outcome="approximate", error=error.in_place, worst=error.reach, reason=reason,
            code=error.code, density=error.density,
        )
        for node, reason in made_by(made).items()
        if (error := measured.get(node)) is not None
    ]  # fmt: skip
    for verdict in float_verdicts(model, layers, []):
        same = verdict.outcome != "float"
        now = verdict if same else between.get(verdict.node.rpartition(".")[-1], other)
        if verdict.node not in measured:
            found.append(replace(now, node=verdict.node))
    reasons = hardware_reasons(made)
    return [replace(verdict, hardware=reasons.get(verdict.node, reasons[""])) for verdict in found]


def made_by(made: IntegerModel) -> dict[str, str]:
    """How the layer of each node makes its values."""
    reasons: dict[str, str] = {}
    for layer, nodes in zip(made.network.layers, made.nodes, strict=True):
        reason = "integer weights"
        if isinstance(layer, Attention):
            reason = "trace products, WOSS"
        elif isinstance(layer, LayerNorm):
            reason = "a code of the stream"
            if layer.kind != "fixed":
                reason = "deviation in the thresholds, no epsilon"
        for node in nodes:
            reasons.setdefault(node, reason)
    return reasons


def hardware_reasons(made: IntegerModel) -> dict[str, str]:
    """By node why the network core does not compute it; "" stands for all others."""
    lanes = min(MAX_LANES, max(32, -(-made.network.classes // 8) * 8))
    try:
        config_for(made.network, lanes)
    except InputError as error:
        found = re.match(r"layer (\d+)[:.]?", str(error))
        if found is None:
            return {"": str(error)}
        return {"": ""} | dict.fromkeys(made.nodes[int(found[1])], str(error)[found.end() :].strip())
    return {"": "yes"}
