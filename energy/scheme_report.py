"""Energy report of the kinds of attention: floats, accumulated spikes, stochastic spikes."""

from dataclasses import asdict
from typing import Any

from energy.hardware import total
from energy.report import scope_lines
from energy.sensitivity import sensitivity
from energy.stochastic import Account, Layer, float_attention, spiking_attention, stochastic_attention


def scheme_report(layer: Layer, register_picojoule: float | None = None) -> dict[str, Any]:
    """The kinds of attention of a layer scope by scope, ratios to the stochastic one, and what moves them.

    Args:
        register_picojoule: see `energy.stochastic.stochastic_attention`.
    """
    stochastic = stochastic_attention(layer, register_picojoule)
    accounts = {
        "float, 32 bits": float_attention(layer, 32),
        "float, 8 bits": float_attention(layer, 8),
        "spiking, accumulate only": spiking_attention(layer),
        "stochastic": stochastic,
    }

    def part(account: Account, name: str) -> dict[str, Any]:
        scopes, base = getattr(account, name), total(getattr(stochastic, name))
        return scope_lines(scopes) | {"ratio": total(scopes) / base}

    return {
        "layer": asdict(layer),
        "schemes": {
            name: {kind: part(account, kind) for kind in ("compute", "memory")}
            for name, account in accounts.items()
        },
        "sensitivity": asdict(sensitivity(layer, register_picojoule)),
    }
