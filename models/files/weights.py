"""Weights of model files by name: .safetensors, .npz, PyTorch, or shards that an index joins."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from golden.npz import read_npz
from models.files.facts import read_json
from models.files.optional import optional
from models.files.torch_file import read_torch

Arrays = dict[str, NDArray[Any]]


def read_weights(path: Path) -> Arrays:
    """Tensors of one file, or of all the shards that an index names.

    Raises:
        InputError: nothing there, an unknown or damaged file, shards that do not fit their index.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.name.endswith(INDEX):
        return _join_shards(path)
    if path.suffix not in READERS:
        raise InputError(f"{path}: a model file must end in {', '.join(READERS)}")
    arrays = READERS[path.suffix](path)
    if not arrays:
        raise InputError(f"{path}: holds no tensors")
    return arrays


def _join_shards(index: Path) -> Arrays:
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise InputError(f"{index}: must hold a table weight_map, the file of each tensor")
    arrays: Arrays = {}
    for shard in sorted({str(place) for place in places.values()}):
        if Path(shard).name != shard or shard.endswith(INDEX):
            raise InputError(f"{index}: weight_map must name files beside it, not {quoted(shard)}")
        here = read_weights(index.with_name(shard))
        wanted = {name for name, place in places.items() if place == shard}
        for name in sorted(wanted ^ set(here)):
            where = "has no" if name in wanted else "has, beyond weight_map,"
            raise InputError(f"{index}: {shard} {where} tensor {name}")
        arrays |= here
    return arrays


def _read_safetensors(path: Path) -> Arrays:
    safetensors = optional("safetensors")
    try:
        return {name: _array(tensor) for name, tensor in safetensors.deserialize(path.read_bytes())}
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: not readable as safetensors ({reason})") from None


# Types of safetensors files by their names there; bfloat16 is the upper half of a float32
TYPES = {"BOOL": "?", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}
TYPES |= {f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (8, 16, 32, 64)}


def _array(tensor: dict[str, Any]) -> NDArray[Any]:
    if tensor["dtype"] not in TYPES:
        raise ValueError(f"data type {tensor['dtype']} is not known")
    array = np.frombuffer(tensor["data"], TYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return (array.astype(np.uint32) << 16).view(np.float32) if tensor["dtype"] == "BF16" else array


# By the end of a file's name; what an index names ends in one of these too
INDEX = ".index.json"
READERS = {
    ".safetensors": _read_safetensors,
    ".npz": read_npz,
    **dict.fromkeys((".pt", ".pth", ".bin"), read_torch),
}
