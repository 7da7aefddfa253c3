"""Tensors of PyTorch files, read without torch and without running what they name.

`torch.save` writes a zip archive: `data.pkl` is a pickle of the object, in which a tensor is a call
of `torch._utils._rebuild_tensor_v2` on a storage, and `data/KEY` holds the bytes of storage KEY. Before
torch 1.6 it wrote pickles one after the other, a magic number, a protocol, the byte order, the object and
the keys of its storages, then their bytes, each behind their number of values (source of both:
torch/serialization.py). The pickles are read with the few names that such a tensor needs; any other name
(a sparse, meta or quantised tensor, a whole module) is refused.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from golden.errors import InputError, quoted

# Types of storages; bfloat16 is the upper half of a float32
STORAGES = {
    **{"DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": "u2"},
    **{"LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1"},
    **{"ByteStorage": "u1", "BoolStorage": "?"},
}
MAGIC = 0x1950A86A20F9469CFC6C
# What a name in the pickle says of a tensor that cannot be read
KINDS = {
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor",
    "_rebuild_meta_tensor_no_storage": "a meta tensor, which has no values",
    "_rebuild_qtensor": "a quantised tensor",
    "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_wrapper_subclass": "a tensor of a class of its own",
    "_rebuild_from_type_v2": "a tensor of a class of its own",
}
# In checkpoints of training, the keys that hold the weights, and those that the forward pass does not need
WEIGHTS = ("state_dict", "model")
TRAINING = {
    *("epoch", "step", "global_step", "iteration", "loss", "metric", "best_acc", "max_accuracy", "version"),
    *("optimizer", "optimizer_state_dict", "lr_scheduler", "scheduler", "scaler", "amp_scaler"),
}


class _Refused(Exception):
    """What the file holds instead of tensors."""


@dataclass(frozen=True)
class _Storage:
    """Numbers of one or more tensors, still in the file."""

    key: str
    type: str
    size: int


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies in its storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Tensors:
    """Stands for `_rebuild_tensor_v2`. An object without a dictionary: a pickle can change nothing of it."""

    __slots__ = ()

    def __call__(
        self,
        storage: _Storage,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        requires_grad: bool = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> _Tensor:
        if metadata:
            raise _Refused("a tensor that is conjugated or negated")
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Parameters:
    """Stands for `_rebuild_parameter`."""

    __slots__ = ()

    def __call__(self, tensor: _Tensor, requires_grad: bool = False, hooks: Any = None) -> _Tensor:
        return tensor


class _Reader(pickle.Unpickler):
    """Reads one pickle; `storages` are those it named, by key."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[Any, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _Tensors(),
            ("torch._utils", "_rebuild_parameter"): _Parameters(),
        }
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name.endswith("Storage"):
            return name
        raise _Refused(KINDS.get(name, f"an object of {module}.{name}"))

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage, key, _, size, *view = pid
        if kind != "storage" or storage not in STORAGES or view not in ([], [None]):
            raise _Refused(f"a tensor of {storage}")
        self.storages[key] = _Storage(str(key), storage, int(size))
        return self.storages[key]


def read_torch(path: Path) -> dict[str, NDArray[Any]]:
    """Tensors of a state dict by name; bfloat16 becomes float32.

    Raises:
        InputError: unreadable, or holding anything but named tensors of plain numbers.
    """
    try:
        with path.open("rb") as file:
            return _read_archive(file) if zipfile.is_zipfile(file) else _read_pickles(file)
    except _Refused as error:
        raise InputError(
            f"{path}: must hold a state dict, names and dense tensors (torch.save(model.state_dict(), ...)), "
            f"not {error}"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # the unpickler raises whatever a damaged file makes it raise
        reason = str(error).partition("\n")[0][:100] or type(error).__name__
        raise InputError(f"{path}: not readable as a PyTorch state dict ({reason})") from None


def _read_archive(file: BinaryIO) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError("a member of the archive is there twice")
        top = next((name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")), None)
        if top is None:
            raise ValueError("no data.pkl in the archive")
        if f"{top}constants.pkl" in names:
            raise _Refused("a TorchScript program")
        with archive.open(f"{top}data.pkl") as content:
            tensors = state_of(_Reader(content).load())
        little = f"{top}byteorder" not in names or archive.read(f"{top}byteorder") == b"little"
        data = {key: archive.read(f"{top}data/{key}") for key in {t.storage.key for t in tensors.values()}}
    return _arrays(tensors, data, little)


def _read_pickles(file: BinaryIO) -> dict[str, NDArray[Any]]:
    file.seek(0)
    if _Reader(file).load() != MAGIC:
        raise ValueError("it begins with no magic number")
    _, system = _Reader(file).load(), _Reader(file).load()
    reader = _Reader(file)
    tensors = state_of(reader.load())
    data = {}
    for key in _Reader(file).load():
        storage = reader.storages[key]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.size:
            raise ValueError(f"storage {key} must hold {storage.size} numbers, not {count}")
        data[str(key)] = file.read(count * np.dtype(STORAGES[storage.type]).itemsize)
    if file.read(1):
        raise ValueError("more bytes follow the last storage")
    return _arrays(tensors, data, bool(system["little_endian"]))


def _arrays(tensors: dict[str, _Tensor], data: dict[str, bytes], little: bool) -> dict[str, NDArray[Any]]:
    order: Literal["<", ">"] = "<" if little else ">"
    storages = {tensor.storage for tensor in tensors.values()}
    numbers = {storage: _numbers(storage, data[storage.key], order) for storage in storages}
    return {name: _array(name, tensor, numbers[tensor.storage]) for name, tensor in tensors.items()}


def state_of(content: Any) -> dict[str, _Tensor]:
    """The named tensors of a state dict, or of a checkpoint of training that holds one."""
    key = next(
        (k for k in WEIGHTS if isinstance(content, Mapping) and isinstance(content.get(k), dict)), None
    )
    if key is not None:
        beside = [str(name) for name in content if name != key and name not in TRAINING]
        if beside:
            raise _Refused(f"{key!r} and beside it {', '.join(beside)[:80]}")
        content = content[key]
    if not isinstance(content, Mapping):
        raise _Refused(f"an object of type {type(content).__name__.strip('_').lower()}")
    for name, value in content.items():
        if not isinstance(name, str):
            raise _Refused(f"the key {quoted(name)} of type {type(name).__name__}")
        if not isinstance(value, _Tensor):
            raise _Refused(f"a value of type {type(value).__name__} under {quoted(name)}")
    return dict(content)


def _numbers(storage: _Storage, data: bytes, order: Literal["<", ">"]) -> NDArray[Any]:
    numbers = np.frombuffer(data, np.dtype(STORAGES[storage.type]).newbyteorder(order))
    if len(numbers) != storage.size:
        raise ValueError(f"storage {storage.key} must hold {storage.size} numbers, not {len(numbers)}")
    if storage.type == "BFloat16Storage":
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers


def _array(name: str, tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    places = [tensor.offset, *tensor.shape, *tensor.strides]
    if len(tensor.shape) != len(tensor.strides) or any(type(n) is not int or n < 0 for n in places):
        raise ValueError(f"tensor {name[:80]} has an impossible shape")
    empty = 0 in tensor.shape
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if not empty and last >= len(numbers):
        raise ValueError(f"tensor {name[:80]} reaches beyond its storage")
    if empty:
        return np.zeros(tensor.shape, numbers.dtype)
    strides = [step * numbers.itemsize for step in tensor.strides]
    return as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False).copy()
