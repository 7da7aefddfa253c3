"""Energy reports: the paper's accounting, and the hardware's from events that the cycle model counts."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from golden.attention import AttentionJob, compute
from golden.config import CoreConfig, to_table
from golden.energy.hardware import (
    AttentionEvents,
    Scope,
    crossover,
    mac_attention,
    spiking_attention,
    total,
)
from golden.energy.paper import FLOAT_OPERATION, FLOAT_OUTPUT, PICOJOULES_PER_MILLIJOULE
from golden.energy.published import REPRODUCTIONS
from golden.errors import InputError
from sim.activity import activity
from sim.cycle_model import predict

DENSITIES = [round(x, 3) for x in np.linspace(0.05, 1.0, 20).tolist()]


def paper_report(model: str) -> dict[str, Any]:
    """The reproduction of an authors' log as plain values.

    Raises:
        InputError: no log of this model was published.
    """
    if model not in REPRODUCTIONS:
        raise InputError(f"MODEL must be one of {', '.join(REPRODUCTIONS)}, not {model!r}")
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


def hardware_report(job: AttentionJob, config: CoreConfig, clock_picojoule: float | None) -> dict[str, Any]:
    """Scopes of both sides, their sums, and the density at which they meet.

    Raises:
        InputError: the core cannot hold the job.
    """
    events = attention_events(job, config)
    spikes = compute(job)
    survivors = float((spikes.attn_phase >= 0).sum()) / events.rows
    spiking, mac = density_curve(events, survivors, config)

    def side(scopes: list[Scope]) -> dict[str, Any]:
        lines = [asdict(scope) | {"microjoule": scope.microjoule} for scope in scopes]
        return {"scopes": lines, "microjoule": total(scopes)}

    return {
        "configuration": to_table(config),
        "events": asdict(events),
        "density": {name: s.count() / s.sign.size for name, s in (("q", job.q), ("k", job.k), ("v", job.v))},
        "survivors_per_row": survivors,
        "spiking": side(spiking_attention(events, config, clock_picojoule)),
        "mac": side(mac_attention(events, config, clock_picojoule)),
        "curve": {"density": DENSITIES, "spiking": spiking, "mac": mac},
        "crossover": crossover(DENSITIES, spiking, mac),
    }
