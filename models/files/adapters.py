"""Low-rank adapters of a model's dense layers (LoRA, Hu et al., ICLR 2022), merged into its weights.

A file holds `LAYER.a` [rank, inputs] and `LAYER.b` [outputs, rank], scale included, for the tensor
`LAYER.weight` of the model, and where they were trained with a classifier of the mean hidden state
`classifier.weight` [classes, features] and `classifier.bias` [classes].
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from models.files.tensors import Tensors
from models.files.weights import read_weights

CLASSIFIER = ("classifier.weight", "classifier.bias")
# The classifier beside the model's tensors: no library names a layer of its own so
MEAN_CLASSIFIER = "mean_classifier"


def merged(weight: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float32]:
    """W + B @ A, rounded once: products of float16 are exact in float64."""
    return (weight.astype(np.float64) + b.astype(np.float64) @ a.astype(np.float64)).astype(np.float32)


def merge_adapters(tensors: Tensors, path: Path) -> None:
    """Put the adapters of a file into the weights, and its classifier beside them.

    Raises:
        InputError: an unreadable file, other tensors than these, or adapters of another model.
    """
    arrays = read_weights(path)
    head = [name for name in CLASSIFIER if name in arrays]
    layers = sorted({name[:-2] for name in arrays if name.endswith((".a", ".b"))})
    wanted = {f"{layer}.{part}" for layer in layers for part in "ab"} | (set(CLASSIFIER) if head else set())
    if not layers:
        raise InputError(f"{path}: must hold adapters LAYER.a and LAYER.b, it holds none")
    for name in sorted(wanted ^ set(arrays)):
        fault = "lacks" if name in wanted else "must hold adapters and a classifier only, not"
        raise InputError(f"{path}: {fault} {quoted(name)}")
    for layer in layers:
        tensors.arrays[f"{layer}.weight"] = _adapted(tensors, layer, path, arrays)
    for name in head:
        tensors.arrays[name.replace("classifier", MEAN_CLASSIFIER)] = arrays[name]


def _adapted(tensors: Tensors, layer: str, path: Path, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    a, b, weight = arrays[f"{layer}.a"], arrays[f"{layer}.b"], tensors.arrays.get(f"{layer}.weight")
    if weight is None:
        raise InputError(f"{path}: adapts {quoted(layer)}, which {tensors.path} has no weight of")
    if any(array.dtype.kind != "f" for array in (a, b, weight)):
        raise InputError(f"{path}: {quoted(layer)} and its weight must be floats")
    fits = a.ndim == b.ndim == weight.ndim == 2 and a.shape[0] == b.shape[1]
    if not fits or (b.shape[0], a.shape[1]) != weight.shape:
        raise InputError(
            f"{path}: {quoted(layer)} must be a [rank, inputs] and b [outputs, rank] for weights "
            f"{list(weight.shape)}, not {list(a.shape)} and {list(b.shape)}"
        )
    return merged(weight, a, b)
