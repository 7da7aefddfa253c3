"""Energy reports: the paper's accounting, and the hardware's from events that the cycle model counts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from energy import mac
from energy.attention import spiking_attention
from energy.curve import DENSITIES, crossover, density_curve
from energy.events import AttentionEvents, LinearEvents, at_density, attention_events
from energy.layers import layer_list
from energy.ledger import Ledger, clock_line
from energy.linear import spiking_linear, unit_for
from energy.paper import float_ledger, float_network
from energy.published import REPRODUCTIONS, as_published
from golden.attention.config import CoreConfig, to_table
from golden.attention.job import AttentionJob, compute
from golden.errors import InputError, quoted


def paper_report(model: str) -> dict[str, Any]:
    """The reproduction of an authors' log as plain values.

    Raises:
        InputError: no log of this model was published.
    """
    if model not in REPRODUCTIONS:
        raise InputError(f"MODEL must be one of {', '.join(REPRODUCTIONS)}, not {quoted(model)}")
    report = asdict(REPRODUCTIONS[model]())
    true, counted, _ = as_published(model)
    report["ledgers"] = {
        "float network, as published": float_network(counted).to_json(),
        "float network, corrected": float_network(true).to_json(),
    }
    for item in report["deviations"]:
        item["millijoule"] = float_ledger(item["operations"], item["outputs"]).millijoule
    return report


@dataclass(frozen=True, kw_only=True)
class Densities:
    """Shares of neurons that fire.

    Attributes:
        operands: of q, k and v.
        survivors: keys of an attention row.
        dense: inputs of dense layers.
        parts: of these by part of a block: query, projection, mlp1, ...
    """

    operands: float
    survivors: float
    dense: float
    parts: Mapping[str, float] = field(default_factory=dict)


def measured_densities(path: Path) -> Densities:
    """Mean densities in a report of onespike evaluate with the mode network or linear.

    Raises:
        InputError: the file is no such report.
    """
    kinds = {"q": "operands", "k": "operands", "v": "operands", "attention": "survivors", "x": "dense"}
    sums = {kind: [0, 0] for kind in kinds.values()}
    parts: dict[str, list[int]] = {}
    try:
        activity = json.loads(path.read_text(encoding="utf-8"))["modes"]
        activity = activity["network" if "network" in activity else "linear"]["activity"]
        for name, counted in activity.items():
            node, _, operand = name.rpartition(".")
            found = [sums[kinds[operand]]] if operand in kinds else []
            if operand == "x":
                found.append(parts.setdefault(node.rpartition(".")[-1], [0, 0]))
            for pair in found:
                pair[0] += counted["spikes"]
                pair[1] += counted["neurons"]
        means = {kind: spikes / neurons for kind, (spikes, neurons) in sums.items()}
        of_parts = {part: spikes / neurons for part, (spikes, neurons) in parts.items()}
        if not all(0 <= density <= 1 for density in (*means.values(), *of_parts.values())):
            raise ValueError("more spikes than neurons, or counts that are no numbers")
        return Densities(**means, parts=of_parts)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise InputError(
            f"{path}: must be a report of onespike evaluate, mode network or linear ({type(error).__name__})"
        ) from None


def network_report(
    model: str, config: CoreConfig, densities: Densities, tokens: int | None
) -> dict[str, Any]:
    """Microjoules of every attention and dense layer, spiking and multiply-accumulate.

    Raises:
        InputError: unknown model.
    """
    layers = layer_list(model, tokens)
    lines = []
    spiking, dense = Ledger(), Ledger()
    for layer, following in zip(layers, [*layers[1:], layers[0]], strict=True):
        if layer.kind == "linear":
            density = densities.parts.get(layer.name.rpartition(".")[-1], densities.dense)
            outputs = layer.outputs // layer.tokens
            linear = LinearEvents(
                rows=layer.tokens,
                inputs=layer.fan_in,
                outputs=outputs,
                results=layer.tokens,
                spikes=layer.tokens * layer.fan_in * density,
            )
            unit = unit_for(layer.fan_in, outputs, config)
            spikes, numbers = spiking_linear(linear, unit), mac.linear(linear, unit)
            name = layer.name
        elif layer.kind == "score":
            keys, head_dim = following.fan_in, layer.fan_in
            core = replace(config, tokens=max(config.tokens, keys), head_dim=max(config.head_dim, head_dim))
            heads = layer.outputs // keys**2
            whole = AttentionEvents(heads=heads, tokens=keys, head_dim=head_dim, window=config.code.steps)
            events = at_density(whole, densities.survivors * keys, densities.operands)
            spikes, numbers = spiking_attention(events, core), mac.attention(events, core)
            name = f"{layer.name.removesuffix('.score')}.attention"
        else:
            continue
        spiking, dense = spiking + spikes, dense + numbers
        lines.append({"name": name, "spiking": spikes.microjoule, "mac": numbers.microjoule})
    return {
        "model": model,
        "configuration": to_table(config),
        "densities": asdict(densities),
        "layers": lines,
        "spiking": spiking.microjoule,
        "mac": dense.microjoule,
    }


def hardware_report(job: AttentionJob, config: CoreConfig, clock_picojoule: float | None) -> dict[str, Any]:
    """Ledgers of both sides, their sums, and the density at which they meet.

    Raises:
        InputError: the core cannot hold the job.
    """
    events = attention_events(job, config)
    spikes = compute(job)
    survivors = float((spikes.attn_phase >= 0).sum()) / events.rows
    spiking, numbers = density_curve(events, survivors, config)
    clock = Ledger(clock_line(events.cycles, clock_picojoule))
    return {
        "configuration": to_table(config),
        "events": asdict(events),
        "density": {name: s.count() / s.sign.size for name, s in (("q", job.q), ("k", job.k), ("v", job.v))},
        "survivors_per_row": survivors,
        "spiking": (spiking_attention(events, config) + clock).to_json(),
        "mac": (mac.attention(events, config) + clock).to_json(),
        "curve": {"density": DENSITIES, "spiking": spiking, "mac": numbers},
        "crossover": crossover(DENSITIES, spiking, numbers),
    }
