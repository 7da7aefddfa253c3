"""Energy report of the kinds of attention: floats, accumulated spikes, stochastic spikes."""

from dataclasses import asdict
from typing import Any

from energy.sensitivity import sensitivity
from energy.stochastic import Layer, float_attention, spiking_attention, stochastic_attention


def scheme_report(layer: Layer, register_picojoule: float | None = None) -> dict[str, Any]:
    """The kinds of attention of a layer line by line, ratios to the stochastic one, and what moves them.

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

    return {
        "layer": asdict(layer),
        "schemes": {
            name: {
                "compute": account.compute.to_json() | {"ratio": account.compute.over(stochastic.compute)},
                "memory": account.memory.to_json() | {"ratio": account.memory.over(stochastic.memory)},
            }
            for name, account in accounts.items()
        },
        "sensitivity": asdict(sensitivity(layer, register_picojoule)),
    }
