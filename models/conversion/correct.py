"""Biases learned from the calibration samples: mean potentials become those of the float model.

Source: Nagel et al., "Data-free quantization through weight equalization and bias correction" (ICCV 2019),
section 4.2, with samples in place of the statistics of norms.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.code import Spikes
from golden.network.layers import Linear, ScoreLinear
from golden.network.network import Network
from golden.network.neuron import received
from golden.network.tensors import Layer, Run
from models.conversion.thresholds import Array


def run_of(network: Network, entry: Spikes | NDArray[np.int64]) -> Run:
    """Tensors before the first layer."""
    run = Run(network.code, compute, lambda stream: stream)
    if isinstance(entry, Spikes):
        run.enter(network.entry, entry, None)
    else:
        run.begin_stream(entry, None)
    return run


def correct(
    network: Network, aims: list[Array | None], entries: list[Spikes | NDArray[np.int64]], *, per_row: bool
) -> tuple[list[Layer], Array]:
    """Layers whose mean potentials over some inputs are as wished, one after the other.

    Args:
        aims: mean potentials [outputs] by layer, of a row; of a sample where scores are pooled. None to leave
            the bias.
        entries: what enters, in batches of one number of rows each.
        per_row: the aim of pooled scores is that of a row: their bias cannot hold it.

    Returns:
        The layers, and what pooled scores lack per row, float64 [outputs], zero unless `per_row`.
    """
    runs, layers = [(entry.shape[-2], run_of(network, entry)) for entry in entries], []
    lack = np.zeros(network.classes)
    for layer, aim in zip(network.layers, aims, strict=True):
        if isinstance(layer, Linear) and aim is not None:
            pooled = isinstance(layer, ScoreLinear) and layer.pooled
            total, count = np.zeros(layer.weight.shape[1]), 0
            for _, run in runs:
                inputs = received(layer.inputs(run), network.code)
                total += inputs.sum(axis=(0, 1))
                count += len(inputs) if pooled and not per_row else len(inputs) * inputs.shape[1]
            missing = aim - (total / count @ layer.transposed + layer.bias * (not (pooled and per_row)))
            if pooled and per_row:
                lack = missing
            else:
                layer = replace(layer, bias=layer.bias + np.rint(missing).astype(np.int64))
        layers.append(layer)
        for rows, run in runs:
            (layer if rows == network.tokens else layer.first_rows(rows)).run(run)
    return layers, lack
