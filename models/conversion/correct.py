"""Weights and biases learned from the calibration samples: potentials become those of the float model.

Layer by layer, as the samples' spikes arrive there. Mean potentials are made right by biases, as in Nagel et
al., "Data-free quantization through weight equalization and bias correction" (ICCV 2019), section 4.2, with
samples in place of the statistics of norms. Where neurons fire, and rows of floats and integers stand side by
side, weights are those of least squares, held near those of the float model; the aim, layer by layer, is
that of Hubara et al., "Accurate post training quantization with small calibration sets" (ICML 2021), here in
closed form. Layers that add to the stream keep theirs: `docs/results.md` has what became of fitted ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.code import Spikes
from golden.network.layers import Linear, ScoreLinear, SpikingLinear
from golden.network.network import Network
from golden.network.neuron import received
from golden.network.tensors import Layer, Run
from models.conversion.aims import Aim, Fitted
from models.conversion.thresholds import Array
from models.floating.model import Model
from models.floating.rows import RowsEngine

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


def fitted_of(model: Model, batches: Sequence[NDArray[Any]], names: Sequence[str]) -> list[Fitted]:
    """Samples of each batch that weights are fitted to, and their floats.

    Args:
        names: dense nodes whose inputs are asked for.
    """
    rows = list[NDArray[np.int64]]()
    for batch in batches:
        model.run(batch[:1], probe := RowsEngine(names))
        rows.append(np.full(len(batch), max((x[..., 0].size for x in probe.inputs.values()), default=1)))
    found = list[Fitted]()
    for batch, chosen in zip(batches, choose(rows), strict=True):
        found.append(Fitted(chosen=chosen, floats=RowsEngine(names)))
        if len(chosen):
            model.run(batch[chosen], found[-1].floats)
    return found


def fitted_layer(
    layer: SpikingLinear, aim: Aim, node: str, runs: list[Run], fitted: list[Fitted]
) -> SpikingLinear | None:
    """A layer whose neurons fire, fitted to the floats that `node` reads; None where these are not one row
    for each of its own.
    """
    seen, goal = list[Array](), list[Array]()
    for run, part in zip(runs, fitted, strict=True):
        if len(part.chosen):
            spikes = layer.inputs(run)[part.chosen]
            inputs = part.inputs(node, spikes.shape[1])
            if inputs is None:
                return None
            seen.append(received(spikes, run.code))
            goal.append(aim.potentials(inputs))
    return fit(layer, joined(seen), joined(goal))


def joined(parts: list[Array]) -> Array:
    """Rows of all samples of all batches, one after the other."""
    return np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])


def fit(
    layer: SpikingLinear, inputs: NDArray[np.floating], potentials: NDArray[np.floating]
) -> SpikingLinear:
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


def mean_inputs(layer: Linear, runs: list[Run], *, per_row: bool) -> Array:
    """Mean of what the synapses of a layer receive, [inputs], of a row or of all rows of a sample."""
    count, total = 0, np.zeros(layer.weight.shape[1])
    for run in runs:
        inputs = received(layer.inputs(run), run.code)
        total += inputs.sum(axis=(0, 1))
        count += len(inputs) * (inputs.shape[1] if per_row else 1)
    return total / count


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
    fitting = {
        index: found[0]
        for index, (layer, found) in enumerate(zip(network.layers, nodes, strict=True))
        if isinstance(layer, SpikingLinear) and layer.gather is None and layer.bias.ndim == 1
    }
    fitted = fitted_of(model, batches, list(fitting.values()))
    runs, layers = [run_of(network, entry) for entry in entries], list[Layer]()
    lack = np.zeros(network.classes)
    for index, (layer, aim) in enumerate(zip(network.layers, aims, strict=True)):
        made: Layer = layer
        if isinstance(layer, Linear) and aim is not None:
            fired = None
            if isinstance(layer, SpikingLinear) and index in fitting:
                fired = fitted_layer(layer, aim, fitting[index], runs, fitted)
            pooled = isinstance(layer, ScoreLinear) and layer.pooled
            if fired is not None:
                made = fired
            elif pooled and per_row:
                lack = aim.mean - mean_inputs(layer, runs, per_row=True) @ layer.transposed
            else:
                mean = mean_inputs(layer, runs, per_row=not pooled)
                missing = aim.mean - (mean @ layer.transposed + layer.bias)
                made = replace(layer, bias=layer.bias + np.rint(missing).astype(np.int64))
        layers.append(made)
        for entry, run in zip(entries, runs, strict=True):
            rows = entry.shape[-2]
            (made if rows == network.tokens else made.first_rows(rows)).run(run)
    return layers, lack
