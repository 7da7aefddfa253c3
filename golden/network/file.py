"""Network files: one .npz with a JSON description and the integer arrays of every layer."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from golden.code import PhaseCode, read_fraction
from golden.errors import InputError, quoted
from golden.network.layers import Attention, Layer, Linear, Norm
from golden.network.network import Network
from golden.npz import read_npz

FORMAT, VERSION = "onespike-network", 1
_KINDS: dict[str, type[Layer]] = {"linear": Linear, "norm": Norm, "attention": Attention}
_ARRAYS = {
    "linear": ("weight", "bias", "offset", "levels"),
    "norm": ("offset", "levels"),
    "attention": ("ramp_step", "ratio"),
}
_FIELDS: dict[str, dict[str, type]] = {
    "linear": {"source": str, "target": str, "signed": bool, "fresh": bool, "pooled": bool},
    "norm": {"target": str, "kind": str},
    "attention": {"source": str, "target": str, "heads": int},
}
_TYPES = {"weight": np.int16}


def save_network(path: Path, network: Network) -> None:
    """Write a network."""
    arrays: dict[str, Any] = {}
    layers = []
    for index, layer in enumerate(network.layers):
        kind = next(name for name, cls in _KINDS.items() if isinstance(layer, cls))
        layers.append({"kind_of_layer": kind} | {name: getattr(layer, name) for name in _FIELDS[kind]})
        for name in _ARRAYS[kind]:
            arrays[f"layers.{index}.{name}"] = smallest(getattr(layer, name))
    code = {name: getattr(network.code, name) for name in ("steps", "trace_bits", "ramp_bits")}
    description = {
        "format": FORMAT,
        "version": VERSION,
        "code": code | {"log2_base": str(network.code.log2_base)},
        "weight_bits": network.weight_bits,
        "tokens": network.tokens,
        "pixels": network.pixels,
        "image_scale": network.image_scale,
        "layers": layers,
    }
    np.savez_compressed(path, description=np.array(json.dumps(description)), **arrays)


def smallest(array: np.ndarray) -> np.ndarray:
    """The array in the smallest signed type that holds it."""
    for dtype in (np.int8, np.int16, np.int32):
        if array.size == 0 or (np.iinfo(dtype).min <= array.min() and array.max() <= np.iinfo(dtype).max):
            return array.astype(dtype)
    return array


def load_network(path: Path) -> Network:
    """Read a network.

    Raises:
        InputError: the file cannot be read, is damaged, has another version, lacks or has too many
            parts, or its layers do not connect.
    """
    arrays = read_npz(path)
    try:
        description = json.loads(str(arrays.pop("description")))
        if description["format"] != FORMAT:
            raise InputError(f"{path}: format must be {quoted(FORMAT)}, not {quoted(description['format'])}")
        if description["version"] != VERSION or type(description["version"]) is not int:
            raise InputError(f"{path}: version must be {VERSION}, not {quoted(description['version'])}")
        if type(description["image_scale"]) not in (int, float):
            raise InputError(
                f"{path}: image_scale must be a number, not {quoted(description['image_scale'])}"
            )
        table = dict(description["code"])
        code = PhaseCode(log2_base=read_fraction("log2_base", table.pop("log2_base")), **table)
        layers = tuple(
            _layer(f"{path}: layer {index}", index, dict(entry), arrays)
            for index, entry in enumerate(description["layers"])
        )
        if arrays:
            raise InputError(f"{path}: must not hold the unknown array {min(arrays)}")
        return Network(
            code=code,
            layers=layers,
            **{name: description[name] for name in ("weight_bits", "tokens", "pixels", "image_scale")},
        )
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: must hold a description of a network, {quoted(error)}") from None


def _layer(name: str, index: int, entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> Layer:
    kind = entry.pop("kind_of_layer", None)
    if kind not in _KINDS:
        raise InputError(f"{name}: kind must be one of {', '.join(_KINDS)}, not {quoted(kind)}")
    fields: dict[str, Any] = {}
    for key, type_ in _FIELDS[kind].items():
        if type(entry.get(key)) is not type_:
            raise InputError(f"{name}.{key} must be of type {type_.__name__}, not {quoted(entry.get(key))}")
        fields[key] = entry.pop(key)
    if entry:
        raise InputError(f"{name}: unknown key {quoted(min(entry))}")
    for key in _ARRAYS[kind]:
        array = arrays.pop(f"layers.{index}.{key}", None)
        if array is None:
            raise InputError(f"{name} must have the array {key}")
        if array.dtype.kind != "i":
            detail = "it holds NaN" if array.dtype.kind == "f" and np.isnan(array).any() else str(array.dtype)
            raise InputError(f"{name}.{key} must be an array of integers, not of floats ({detail})")
        fields[key] = array.astype(_TYPES.get(key, np.int64))
        if (fields[key] != array).any():
            raise InputError(f"{name}.{key} must fit 16 bits, not {array.min()}..{array.max()}")
    return _KINDS[kind](**fields)
