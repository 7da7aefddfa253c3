"""Weights and biases learned from the calibration samples: potentials become those of the float model.

Layer by layer, as the samples' spikes arrive there. Mean potentials are made right by biases, as in Nagel et
al., "Data-free quantization through weight equalization and bias correction" (ICCV 2019), section 4.2, with
samples in place of the statistics of norms. Where float and integer rows stand side by side, weights are
those of least squares, held near those of the float model; the aim, layer by layer, is that of Hubara et al.,
"Accurate post training quantization with small calibration sets" (ICML 2021), here in closed form. They take
back what codes upstream lose, as far as it follows from what the layer reads.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.code import Spikes
from golden.network.layers import Linear, ScoreLinear
from golden.network.network import Network
from golden.network.neuron import received
from golden.network.tensors import Layer, Run
from models.conversion.aims import Aim, reader_of, wanted
from models.conversion.thresholds import Array
from models.floating.model import Model
from models.floating.rows import RowsEngine

AnyLinear = TypeVar("AnyLinear", bound=Linear)
# Rows of the calibration that weights are fitted to; more would fill the memory of large models
MOST_ROWS = 8192
# Rows beside them that ask for the weights as they are (ridge regression)
HELD_BACK = 10_000


def run_of(network: Network, entry: Spikes | NDArray[np.int64]) -> Run:
    """Tensors before the first layer."""
    run = Run(network.code, compute, lambda stream: stream)
    if isinstance(entry, Spikes):
        run.enter(network.entry, entry, None)
    else:
        run.begin_stream(entry, None)
    return run


def floats_of(model: Model, batches: Sequence[NDArray[Any]], rows: Sequence[int]) -> list[RowsEngine]:
    """Rows of floats of each batch, of its first samples where all batches have more than `MOST_ROWS`.

    Args:
        rows: per sample, by batch.
    """
    total = sum(len(batch) * each for batch, each in zip(batches, rows, strict=True))
    share, found = min(1.0, MOST_ROWS / total), list[RowsEngine]()
    for batch in batches:
        found.append(RowsEngine())
        model.run(batch[: math.ceil(share * len(batch))], found[-1])
    return found


def joined(parts: list[Array]) -> Array:
    """Rows of all samples of all batches, one after the other."""
    return np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])


def fit(layer: AnyLinear, inputs: NDArray[np.floating], potentials: NDArray[np.floating]) -> AnyLinear:
    """A layer of the same units nearest to potentials [rows, outputs] of inputs [rows, inputs]."""
    weight, largest = layer.transposed, int(np.abs(layer.weight).max())
    mean, aim = inputs.mean(axis=0), potentials.mean(axis=0)
    inputs = inputs - mean
    lacks = potentials - aim - inputs @ weight
    square = inputs.T @ inputs
    held = HELD_BACK / len(inputs) * np.trace(square) / len(square)
    more = np.linalg.solve(square + held * np.eye(len(square)), inputs.T @ lacks)
    whole = np.clip(np.rint(weight + more), -largest, largest)
    bias = np.rint(aim - mean @ whole).astype(np.int64)
    return replace(layer, weight=np.ascontiguousarray(whole.T.astype(np.int16)), bias=bias)


def correct(
    network: Network,
    aims: list[Aim | None],
    nodes: list[tuple[str, ...]],
    entries: list[Spikes | NDArray[np.int64]],
    floats: list[RowsEngine],
    *,
    per_row: bool,
) -> tuple[list[Layer], Array]:
    """Layers whose potentials over some inputs are as wished, one after the other.

    Args:
        aims: by layer, of a row; of a sample where scores are pooled. None to leave it.
        nodes: by layer, the nodes of the float model that it computes.
        entries: what enters, in batches of one number of rows each.
        floats: of the same batches, or of the first samples of each.
        per_row: the aim of pooled scores is that of a row: their bias cannot hold it.

    Returns:
        The layers, and what pooled scores lack per row, float64 [outputs], zero unless `per_row`.
    """
    runs, layers = [run_of(network, entry) for entry in entries], list[Layer]()
    lack = np.zeros(network.classes)
    for index, (layer, aim) in enumerate(zip(network.layers, aims, strict=True)):
        made: Layer = layer
        if isinstance(layer, Linear) and aim is not None:
            inputs = [received(layer.inputs(run), network.code) for run in runs]
            place = reader_of(network.layers, index)
            reader = None if place is None else nodes[place][0]
            asked = [
                wanted(layer, aim, nodes[index][0], reader, run, rows)
                for run, rows in zip(runs, floats, strict=True)
            ]
            goal = [rows for rows in asked if rows is not None]
            if len(goal) == len(asked):
                seen = [x[: len(rows)] for x, rows in zip(inputs, goal, strict=True)]
                made = fit(layer, joined(seen), joined(goal))
            else:
                pooled = isinstance(layer, ScoreLinear) and layer.pooled
                count = sum(len(x) * (1 if pooled and not per_row else x.shape[1]) for x in inputs)
                mean = sum(x.sum(axis=(0, 1)) for x in inputs) / count
                missing = aim.mean - mean @ layer.transposed
                if pooled and per_row:
                    lack = missing
                else:
                    missing = missing - layer.bias
                    made = replace(layer, bias=layer.bias + np.rint(missing).astype(np.int64))
        layers.append(made)
        for entry, run in zip(entries, runs, strict=True):
            rows = entry.shape[-2]
            (made if rows == network.tokens else made.first_rows(rows)).run(run)
    return layers, lack
