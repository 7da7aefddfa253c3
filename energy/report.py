"""Energy reports: the paper's accounting, and the hardware's from events that the cycle model counts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from energy.hardware import (
    AttentionEvents,
    LinearEvents,
    Scope,
    crossover,
    mac_attention,
    mac_linear,
    spiking_attention,
    spiking_linear,
    total,
)
from energy.layers import layer_list
from energy.paper import FLOAT_OPERATION, FLOAT_OUTPUT, PICOJOULES_PER_MILLIJOULE
from energy.published import REPRODUCTIONS
from golden.attention.config import CoreConfig, to_table
from golden.attention.job import AttentionJob, compute
from golden.errors import InputError, quoted
from sim.timing.attention import predict
from sim.timing.attention_activity import activity

DENSITIES = [round(x, 3) for x in np.linspace(0.05, 1.0, 20).tolist()]


def paper_report(model: str) -> dict[str, Any]:
    """The reproduction of an authors' log as plain values.

    Raises:
        InputError: no log of this model was published.
    """
    if model not in REPRODUCTIONS:
        raise InputError(f"MODEL must be one of {', '.join(REPRODUCTIONS)}, not {quoted(model)}")
    report = asdict(REPRODUCTIONS[model]())
    for item in report["deviations"]:
        picojoule = FLOAT_OPERATION * item["operations"] + FLOAT_OUTPUT * item["outputs"]
        item["millijoule"] = picojoule / PICOJOULES_PER_MILLIJOULE
    return report


def attention_events(job: AttentionJob, config: CoreConfig) -> AttentionEvents:
    """Events of a job as the cycle model counts them.

    Raises:
        InputError: the core cannot hold the job.
    """
    counted = activity(job, config)
    return AttentionEvents(
        heads=job.heads,
        tokens=job.tokens,
        head_dim=job.head_dim,
        query_spikes=job.q.count(),
        score_additions=counted.events["synaptic_additions"],
        context_additions=counted.events["context_additions"],
        window=job.window,
        cycles=predict(job, config).total + 1,
    )


def at_density(events: AttentionEvents, survivors: float, density: float) -> AttentionEvents:
    """The same job if a share `density` of q, k and v fired, independently, `survivors` keys per row."""
    rows = events.rows
    return replace(
        events,
        query_spikes=rows * events.head_dim * density,
        score_additions=rows * events.tokens * events.head_dim * density**2,
        context_additions=rows * survivors * (events.head_dim * density + 1),
    )


def density_curve(
    events: AttentionEvents, survivors: float, config: CoreConfig
) -> tuple[list[float], list[float]]:
    """Microjoules of the spiking and of the multiply-accumulate lanes over DENSITIES."""
    points = [at_density(events, survivors, density) for density in DENSITIES]
    spiking = [total(spiking_attention(point, config)) for point in points]
    return spiking, [total(mac_attention(point, config)) for point in points]


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
    """Mean densities in a report of onespike evaluate with the mode linear.

    Raises:
        InputError: the file is no such report.
    """
    kinds = {"q": "operands", "k": "operands", "v": "operands", "attention": "survivors", "x": "dense"}
    sums = {kind: [0, 0] for kind in kinds.values()}
    parts: dict[str, list[int]] = {}
    try:
        activity = json.loads(path.read_text(encoding="utf-8"))["modes"]["linear"]["activity"]
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
            f"{path}: must be a report of onespike evaluate with the mode linear ({type(error).__name__})"
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
    for layer, following in zip(layers, [*layers[1:], layers[0]], strict=True):
        if layer.kind == "linear":
            density = densities.parts.get(layer.name.rpartition(".")[-1], densities.dense)
            events = LinearEvents(
                rows=layer.tokens,
                inputs=layer.fan_in,
                outputs=layer.outputs // layer.tokens,
                spikes=layer.tokens * layer.fan_in * density,
            )
            spiking, mac = spiking_linear(events, config), mac_linear(events, config)
            name = layer.name
        elif layer.kind == "score":
            keys, head_dim = following.fan_in, layer.fan_in
            core = replace(config, tokens=max(config.tokens, keys), head_dim=max(config.head_dim, head_dim))
            whole = AttentionEvents(
                heads=layer.outputs // keys**2,
                tokens=keys,
                head_dim=head_dim,
                query_spikes=0,
                score_additions=0,
                context_additions=0,
                window=config.code.steps,
            )
            at = at_density(whole, densities.survivors * keys, densities.operands)
            spiking, mac = spiking_attention(at, core), mac_attention(at, core)
            name = f"{layer.name.removesuffix('.score')}.attention"
        else:
            continue
        lines.append({"name": name, "spiking": total(spiking), "mac": total(mac)})
    return {
        "model": model,
        "configuration": to_table(config),
        "densities": asdict(densities),
        "layers": lines,
        "spiking": sum(line["spiking"] for line in lines),
        "mac": sum(line["mac"] for line in lines),
    }


def scope_lines(scopes: list[Scope]) -> dict[str, Any]:
    """Scopes and their sum as plain values."""
    lines = [asdict(scope) | {"microjoule": scope.microjoule} for scope in scopes]
    return {"scopes": lines, "microjoule": total(scopes)}


def hardware_report(job: AttentionJob, config: CoreConfig, clock_picojoule: float | None) -> dict[str, Any]:
    """Scopes of both sides, their sums, and the density at which they meet.

    Raises:
        InputError: the core cannot hold the job.
    """
    events = attention_events(job, config)
    spikes = compute(job)
    survivors = float((spikes.attn_phase >= 0).sum()) / events.rows
    spiking, mac = density_curve(events, survivors, config)

    return {
        "configuration": to_table(config),
        "events": asdict(events),
        "density": {name: s.count() / s.sign.size for name, s in (("q", job.q), ("k", job.k), ("v", job.v))},
        "survivors_per_row": survivors,
        "spiking": scope_lines(spiking_attention(events, config, clock_picojoule)),
        "mac": scope_lines(mac_attention(events, config, clock_picojoule)),
        "curve": {"density": DENSITIES, "spiking": spiking, "mac": mac},
        "crossover": crossover(DENSITIES, spiking, mac),
    }
