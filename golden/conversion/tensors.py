"""Tensors of a model file, each taken by name and checked for shape and finiteness."""

import importlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.conversion.optional import optional
from golden.conversion.scheme import RefusedModel, refusal
from golden.errors import InputError
from golden.npz import read_npz

Floats = NDArray[np.float32]
SUFFIXES = (".safetensors", ".npz", ".pt", ".pth", ".bin")
# In a folder, the files that the usual libraries write
USUAL_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass
class Tensors:
    """Named tensors of one model.

    A reader takes what its layout needs. What is wrong is remembered, so that the reader comes to its
    end and `settle` refuses the model with a verdict for every node.

    Attributes:
        path: where they were read, for messages.
        arrays: by name; any dtype.
        config: contents of config.json beside the file, empty where there is none.
        taken: names used so far.
        problems: (node, reason) of what was refused so far.
    """

    path: Path
    arrays: dict[str, NDArray[Any]]
    config: dict[str, Any] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def has(self, node: str) -> bool:
        """Whether any tensor of an optional dense layer or norm is there."""
        return f"{node}.weight" in self.arrays or f"{node}.bias" in self.arrays

    def refuse(self, node: str, reason: str) -> None:
        """Remember why a node cannot be converted."""
        self.problems.append((node, reason))

    def settle(self) -> None:
        """Raises RefusedModel if anything was refused."""
        if self.problems:
            raise RefusedModel(f"{self.path}: {refusal(self.problems)}", self.nodes, self.problems)

    @property
    def nodes(self) -> list[str]:
        """Nodes of all tensors, numbers in names in their order."""
        return list(dict.fromkeys(node_of(name) for name in sorted(self.arrays, key=natural)))

    def take(self, name: str, *shape: int | None) -> Floats:
        """A tensor as float32; None in `shape` stands for any size.

        Refused: missing, of another shape, empty, no real numbers, not finite. Then zeros take its
        place; a size that only it could tell becomes 0, which fits every other.
        """
        array = self.arrays.get(name)
        unknown = tuple(size or 0 for size in shape)
        if array is None:
            self.refuse(node_of(name), f"tensor {name} is missing")
            return np.zeros(unknown, np.float32)
        self.taken.add(name)
        fits = array.ndim == len(shape) and all(
            found and (not size or size == found) for size, found in zip(shape, array.shape, strict=True)
        )
        reason = None
        if not fits:
            wanted = ", ".join(str(size) if size else "any" for size in shape)
            reason = f"must have the shape [{wanted}], not {list(array.shape)}"
        elif array.dtype.kind not in "fiu":
            reason = f"must hold real numbers, not {array.dtype}"
        else:
            values = array.astype(np.float32)
            finite = np.isfinite(values)
            if finite.all():
                return values
            where = [int(i) for i in np.argwhere(~finite)[0]]
            reason = f"must be finite, not {array[tuple(where)]} at {where}"
        self.refuse(node_of(name), f"tensor {name} {reason}")
        if array.ndim == len(shape):
            unknown = tuple(size or found for size, found in zip(shape, array.shape, strict=True))
        return np.zeros(unknown, np.float32)

    def take_raw(self, name: str) -> Floats:
        """A tensor that was taken before, as float32."""
        return self.arrays[name].astype(np.float32)

    def maybe(self, name: str, *shape: int | None) -> Floats | None:
        """`take`, or None where the tensor is absent."""
        return self.take(name, *shape) if name in self.arrays else None

    def count(self, pattern: str) -> int:
        """Highest number at `{}` in names that begin with `pattern`, plus one; 0 where there is none."""
        expression = re.compile(re.escape(pattern).replace(r"\{\}", r"(\d+)"))
        found = [int(match[1]) for name in self.arrays if (match := expression.match(name))]
        # No block is without tensors: a wild number is a leftover, not a reason to look for as many
        return min(max(found, default=-1) + 1, len(self.arrays))

    def refuse_leftovers(self, ignorable: str) -> None:
        """Refuse tensors that nothing used.

        Args:
            ignorable: regular expression of names that carry no weights of the inference.
        """
        for name in sorted(self.arrays, key=natural):
            if name not in self.taken and not re.search(ignorable, name):
                self.refuse(node_of(name), f"tensor {name} is of an unknown part of the model")


def node_of(tensor: str) -> str:
    """The node that a tensor belongs to: its name without the last part."""
    return tensor.rpartition(".")[0] or tensor


def natural(name: str) -> list[tuple[int, str]]:
    """Key that sorts numbers in names by their value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def read_tensors(path: Path) -> Tensors:
    """Tensors of a .safetensors, .npz, .pt, .pth or .bin file, or of a folder that holds one.

    PyTorch files need torch; only tensors are read from them, never code.

    Raises:
        InputError: nothing there, an unknown or damaged file, or torch is missing.
    """
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        candidates = [path / name for name in USUAL_FILES if (path / name).is_file()]
        candidates += sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and p not in candidates)
        if not candidates:
            raise InputError(f"{path}: no model file ({', '.join(SUFFIXES)}) in this folder")
        path = candidates[0]
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    readers = {".safetensors": _read_safetensors, ".npz": read_npz}
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: a model file must end in {', '.join(SUFFIXES)}")
    arrays = readers.get(path.suffix, _read_torch)(path)
    if not arrays:
        raise InputError(f"{path}: holds no tensors")
    return Tensors(path=path, arrays=arrays, config=_read_config(folder / "config.json"))


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(config, dict):
        raise InputError(f"{path}: must hold a JSON object")
    return config


def _read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    safetensors = optional("safetensors")
    try:
        return {name: _array(tensor) for name, tensor in safetensors.deserialize(path.read_bytes())}
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not readable as safetensors ({_first_line(error)})") from None


# Types of safetensors files by their names there; bfloat16 is the upper half of a float32
TYPES = {"BOOL": "?", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}
TYPES |= {f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (8, 16, 32, 64)}


def _array(tensor: dict[str, Any]) -> NDArray[Any]:
    if tensor["dtype"] not in TYPES:
        raise ValueError(f"data type {tensor['dtype']} is not known")
    array = np.frombuffer(tensor["data"], TYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return (array.astype(np.uint32) << 16).view(np.float32) if tensor["dtype"] == "BF16" else array


def _read_torch(path: Path) -> dict[str, NDArray[Any]]:
    try:
        torch: Any = importlib.import_module("torch")  # optional, and without types where it is missing
    except ImportError:
        raise InputError(
            f"{path}: reading PyTorch files needs torch; install it, or save the model as safetensors"
        ) from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever a damaged file makes it raise
        # A file may hold any object of Python; torch names the first class that is no part of tensors
        if found := re.search(r"Unsupported global: GLOBAL (\S+)", str(error)):
            raise InputError(
                f"{path}: must be a state dict, not a pickled {found[1]}; "
                "torch.save(model.state_dict(), PATH) writes one"
            ) from None
        raise InputError(f"{path}: not readable as a PyTorch state dict ({_first_line(error)})") from None
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise InputError(f"{path}: must hold a state dict, names and tensors")
    return {name: value.to(torch.float32).numpy() for name, value in state.items()}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
