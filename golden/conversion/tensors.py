"""Tensors of a model file, each taken by name and checked for shape and finiteness."""

import importlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

Floats = NDArray[np.float32]
SUFFIXES = (".safetensors", ".npz", ".pt", ".pth", ".bin")
# In a folder, the files that the usual libraries write
USUAL_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass
class Tensors:
    """Named tensors of one model.

    Attributes:
        path: where they were read, for messages.
        arrays: by name; any dtype.
        config: contents of config.json beside the file, empty where there is none.
        taken: names used so far.
    """

    path: Path
    arrays: dict[str, NDArray[Any]]
    config: dict[str, Any] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def take(self, name: str, *shape: int | None) -> Floats:
        """A tensor as float32; None in `shape` stands for any size.

        Raises:
            InputError: missing, of another shape, or not finite.
        """
        if name not in self.arrays:
            raise InputError(f"{self.path}: tensor {name} is missing")
        array = self.arrays[name]
        wanted = "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"
        if array.ndim != len(shape) or any(
            size is not None and size != found for size, found in zip(shape, array.shape, strict=True)
        ):
            raise InputError(
                f"{self.path}: tensor {name} must have the shape {wanted}, not {list(array.shape)}"
            )
        if array.dtype.kind not in "fiu":
            raise InputError(f"{self.path}: tensor {name} must hold real numbers, not {array.dtype}")
        values = array.astype(np.float32)
        finite = np.isfinite(values)
        if not finite.all():
            where = [int(i) for i in np.argwhere(~finite)[0]]
            raise InputError(
                f"{self.path}: tensor {name} must be finite, not {array[tuple(where)]} at {where}"
            )
        self.taken.add(name)
        return values

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
        return max(found, default=-1) + 1

    def refuse_leftovers(self, ignorable: str) -> None:
        """Refuse a model with tensors that nothing used.

        Args:
            ignorable: regular expression of names that carry no weights of the inference.

        Raises:
            InputError: the first few of them.
        """
        left = [n for n in self.arrays if n not in self.taken and not re.search(ignorable, n)]
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            raise InputError(
                f"{self.path}: tensors of an unknown part of the model: {', '.join(sorted(left)[:3])}{more}"
            )


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
    readers = {".safetensors": _read_safetensors, ".npz": _read_npz}
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
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(config, dict):
        raise InputError(f"{path}: must hold a JSON object")
    return config


def _read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not readable as safetensors ({_first_line(error)})") from None


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile and numpy raise a dozen types on damaged files
        raise InputError(f"{path}: not readable as .npz ({_first_line(error)})") from None


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
        raise InputError(f"{path}: not readable as a PyTorch state dict ({_first_line(error)})") from None
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise InputError(f"{path}: must hold a state dict, names and tensors")
    return {name: value.to(torch.float32).numpy() for name, value in state.items()}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
