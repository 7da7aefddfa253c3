"""Network files: one .npz with a JSON description and the integer arrays of every layer.

A layer is written field by field: arrays beside the description, everything else in it.
"""

import json
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, read_fraction
from golden.errors import InputError, quoted
from golden.network.attention import Attention
from golden.network.layers import Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.network import Network
from golden.network.tensors import Layer
from golden.npz import read_npz

FORMAT, VERSION = "onespike-network", 4
KINDS: dict[str, type[Any]] = {
    "spikes": SpikingLinear,
    "stream": StreamLinear,
    "scores": ScoreLinear,
    "norm": Norm,
    "attention": Attention,
}
KIND = "kind_of_layer"
PLAIN = ("weight_bits", "tokens", "width", "scale", "entry", "limit", "pixel_codes")


def save_network(path: Path, network: Network) -> None:
    """Write a network."""
    arrays: dict[str, Any] = {}
    layers = []
    for index, layer in enumerate(network.layers):
        kind = next(name for name, cls in KINDS.items() if type(layer) is cls)
        entry: dict[str, Any] = {KIND: kind}
        for field in fields(KINDS[kind]):
            value = getattr(layer, field.name)
            if element(field) is None:
                entry[field.name] = value
            elif value is not None:
                arrays[f"layers.{index}.{field.name}"] = smallest(value)
        layers.append(entry)
    code = {name: getattr(network.code, name) for name in ("steps", "trace_bits", "ramp_bits")}
    description = {
        "format": FORMAT,
        "version": VERSION,
        "code": code | {"log2_base": str(network.code.log2_base)},
        "layers": layers,
    } | {name: getattr(network, name) for name in PLAIN}
    np.savez_compressed(path, description=np.array(json.dumps(description)), **arrays)


def element(field: Field[Any]) -> type[np.generic] | None:
    """What a field is an array of; None where it is no array."""
    kinds = get_args(field.type) if isinstance(field.type, UnionType) else (field.type,)
    if get_origin(kinds[0]) is not get_origin(NDArray[np.generic]):
        return None
    # NDArray[T] is ndarray[shape, dtype[T]]; from NumPy 2.5 on (Python 3.12) an alias with the argument T
    of = get_args(kinds[0])[-1]
    found: type[np.generic] = (get_args(of) or (of,))[0]
    return found


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
            raise InputError(
                f"{path}: version must be {VERSION}, not {quoted(description['version'])}; "
                "`onespike infer` writes the file again"
            )
        if type(description["scale"]) not in (int, float):
            raise InputError(f"{path}: scale must be a number, not {quoted(description['scale'])}")
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
            **{name: description[name] for name in PLAIN},
        )
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: must hold a description of a network, {quoted(error)}") from None


def _layer(name: str, index: int, entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> Layer:
    kind = entry.pop(KIND, None)
    if kind not in KINDS:
        raise InputError(f"{name}: kind must be one of {', '.join(KINDS)}, not {quoted(kind)}")
    values: dict[str, Any] = {}
    for field in fields(KINDS[kind]):
        key, of = field.name, element(field)
        if of is not None:
            array = arrays.pop(f"layers.{index}.{key}", None)
            if array is not None:
                values[key] = _array(f"{name}.{key}", array, of)
            elif field.default is MISSING:
                raise InputError(f"{name}.{key} must be there, an array")
            continue
        wanted = field.type if isinstance(field.type, type) else str  # a Literal of names
        if type(entry.get(key)) is not wanted:
            raise InputError(f"{name}.{key} must be of type {wanted.__name__}, not {quoted(entry.get(key))}")
        values[key] = entry.pop(key)
    if entry:
        raise InputError(f"{name}: unknown key {quoted(min(entry))}")
    return KINDS[kind](**values)


def _array(name: str, array: np.ndarray, of: type[np.generic]) -> np.ndarray:
    """The array with elements `of`, which hold it."""
    if array.dtype.kind != "i":
        detail = "it holds NaN" if array.dtype.kind == "f" and np.isnan(array).any() else str(array.dtype)
        raise InputError(f"{name} must be an array of integers, not of floats ({detail})")
    exact = array.astype(of)
    if of is np.bool_ and (exact != array).any():
        raise InputError(f"{name} must be 0 or 1, not {array.min()}..{array.max()}")
    if (exact != array).any():
        raise InputError(f"{name} must fit {8 * exact.dtype.itemsize} bits, not {array.min()}..{array.max()}")
    return exact
