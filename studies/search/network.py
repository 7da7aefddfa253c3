"""Energy of a network by the paper's formula from the activity that its conversion showed."""

from typing import Any

from energy.layers import EncoderShape, Layer, encoder_layers
from energy.paper import Activity as LayerActivity
from energy.paper import charges, float_network, spiking_network
from models.floating.engine import Activity

# Neurons that hold the outputs of a part, and where their spikes are counted: the next node's input
NEURONS = {
    "query": "attention.q",
    "key": "attention.k",
    "value": "attention.v",
    "score": "attention.attention",
    "context": "attention.out",
    "projection": "mlp1.x",
    "mlp1": "mlp2.x",
    "mlp2": "mlp2.x",
}


def layer_activity(layers: list[Layer], counted: dict[str, Activity]) -> dict[str, LayerActivity]:
    """Densities and steps of the layers of an encoder from the activity of its conversion.

    Norms stay in floats in the conversion and are left out; so is a second MLP layer's output, whose
    steps are taken from its input.
    """
    found = {}
    for layer in layers:
        block, _, part = layer.name.rpartition(".")
        if part not in NEURONS or f"{block}.{NEURONS[part]}" not in counted:
            continue
        neurons = counted[f"{block}.{NEURONS[part]}"]
        if part == "score":
            density = counted[f"{block}.attention.q"].density * counted[f"{block}.attention.k"].density
        elif part == "context":
            density = (
                counted[f"{block}.attention.attention"].density * counted[f"{block}.attention.v"].density
            )
        else:
            density = counted[f"{block}.{part}.x"].density
        found[layer.name] = LayerActivity(density=density, steps=neurons.steps / neurons.neurons)
    return found


def encoder_energy(shape: EncoderShape, counted: dict[str, Activity]) -> dict[str, Any]:
    """mJ of the converted layers in floats and in spikes, by the paper's accounting."""
    layers = encoder_layers(shape)
    activity = layer_activity(layers, counted)
    converted = charges([layer for layer in layers if layer.name in activity])
    return {
        "tokens": shape.tokens,
        "float": float_network(converted).millijoule,
        "spiking": spiking_network(converted, activity).millijoule,
    }
