"""Weights and biases learned from the calibration samples: potentials become those of the float model.

Layer by layer, as the samples' spikes arrive there. Mean potentials are made right by biases, as in Nagel et
al., "Data-free quantization through weight equalization and bias correction" (ICCV 2019), section 4.2, with
samples in place of the statistics of norms. Where float and integer rows stand side by side, weights are
those of least squares, held near those of the float model; the aim, layer by layer, is that of Hubara et al.,
"Accurate post training quantization with small calibration sets" (ICML 2021), here in closed form. They take
back what codes upstream lose, as far as it follows from what the layer reads.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.code import Spikes
from golden.network.layers import Linear, ScoreLinear, SpikingLinear
from golden.network.network import Network
from golden.network.neuron import received
from golden.network.tensors import Layer, Run
from models.conversion.aims import Aim, Fitted, reader_of, wanted
from models.conversion.thresholds import Array
from models.floating.model import Model
from models.floating.rows import RowsEngine

AnyLinear = TypeVar("AnyLinear", bound=Linear)
# Rows of the calibration that weights are fitted to, about; more would fill the memory of large models
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


def choose(rows: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Samples of each batch, spread evenly over all, that have about `MOST_ROWS` rows together.

    Args:
        rows: of each sample, by batch.
    """
    share = min(1.0, MOST_ROWS / sum(int(each.sum()) for each in rows))
    number, found = 0, list[NDArray[np.int64]]()
    for each in rows:
        places = np.floor(np.arange(number, number + len(each) + 1) * share)
        found.append(np.flatnonzero(np.diff(places)))
        number += len(each)
    return found


def fitted_of(model: Model, batches: Sequence[NDArray[Any]], names: Collection[str]) -> list[Fitted]:
    """Samples of each batch that weights are fitted to, and their floats.

    Args:
        names: dense nodes whose inputs are asked for.
    """
    rows = list[NDArray[np.int64]]()
    for batch in batches:
        model.run(batch[:1], probe := RowsEngine())
        rows.append(np.full(len(batch), max(x[0, ..., 0].size for x in probe.streams.values())))
    found = list[Fitted]()
    for batch, chosen in zip(batches, choose(rows), strict=True):
        found.append(Fitted(chosen=chosen, floats=RowsEngine(names)))
        if len(chosen):
            model.run(batch[chosen], found[-1].floats)
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
    held, more = HELD_BACK / len(inputs) * np.trace(square) / len(square), np.zeros_like(weight)
    if held > 0:  # else all rows are alike
        more = np.linalg.solve(square + held * np.eye(len(square)), inputs.T @ lacks)
    whole = np.clip(np.rint(weight + more), -largest, largest)
    bias = np.rint(aim - mean @ whole).astype(np.int64)
    return replace(layer, weight=np.ascontiguousarray(whole.T.astype(np.int16)), bias=bias)


def correct(
    network: Network,
    aims: Sequence[Aim | None],
    nodes: Sequence[tuple[str, ...]],
    model: Model,
    batches: Sequence[NDArray[Any]],
    entries: Sequence[Spikes | NDArray[np.int64]],
    *,
    per_row: bool,
) -> tuple[list[Layer], Array]:
    """Layers whose potentials over some samples are as wished, one after the other.

    Args:
        aims: by layer, of a row; of a sample where scores are pooled. None to leave it.
        nodes: by layer, the nodes of the float model that it computes.
        batches: of samples of the model, of one number of rows each.
        entries: what of them enters the network.
        per_row: the aim of pooled scores is that of a row: their bias cannot hold it.

    Returns:
        The layers, and what pooled scores lack per row, float64 [outputs], zero unless `per_row`.
    """
    read = [
        found[0]
        for layer, found in zip(network.layers, nodes, strict=True)
        if isinstance(layer, SpikingLinear) and layer.gather is None
    ]
    fitted = fitted_of(model, batches, read)
    runs, layers = [run_of(network, entry) for entry in entries], list[Layer]()
    lack = np.zeros(network.classes)
    for index, (layer, aim) in enumerate(zip(network.layers, aims, strict=True)):
        made: Layer = layer
        if isinstance(layer, Linear) and aim is not None:
            place = reader_of(network.layers, index)
            reader = None if place is None else nodes[place][0]
            pairs = [(run, part) for run, part in zip(runs, fitted, strict=True) if len(part.chosen)]
            asked = [wanted(layer, aim, nodes[index][0], reader, run, part) for run, part in pairs]
            goal = [rows for rows in asked if rows is not None]
            if len(goal) == len(asked):
                seen = [received(layer.inputs(run)[part.chosen], network.code) for run, part in pairs]
                made = fit(layer, joined(seen), joined(goal))
            else:
                pooled = isinstance(layer, ScoreLinear) and layer.pooled
                count, total = 0, np.zeros(layer.weight.shape[1])
                for run in runs:
                    inputs = received(layer.inputs(run), network.code)
                    total += inputs.sum(axis=(0, 1))
                    count += len(inputs) * (1 if pooled and not per_row else inputs.shape[1])
                missing = aim.mean - total / count @ layer.transposed
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
