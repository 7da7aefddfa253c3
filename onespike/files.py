"""Files of `onespike attention`: arrays in, arrays and reports out. Output appears whole or not at all."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted, writing
from golden.inputs import INPUTS
from golden.npz import read_npz
from onespike.interrupts import held, released

SCALES = ("scale_q", "scale_k", "scale_v", "scale_o")
ALLOWED = (*INPUTS, "bias", "mask", *SCALES)


def read_inputs(path: Path) -> dict[str, NDArray[Any]]:
    """Arguments of `golden.attention.job.prepare` from an .npz file, checked for names, types and shapes.

    q, k, v: float [heads, tokens, head_dim]; bias: float [heads, tokens, tokens]; mask: bool
    [tokens] or [heads, tokens, tokens]; scale_q, scale_k, scale_v, scale_o: float [heads]. Floats
    have 16 to 64 bits.

    Raises:
        InputError: the file cannot be read, an array is missing, unknown, or of a wrong type or
            shape.
    """
    arrays = read_arrays(path, ALLOWED)
    try:
        _check_arrays(arrays)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return arrays


def read_arrays(path: Path, allowed: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Arrays of an .npz file that holds q, k and v and otherwise only what is allowed.

    Raises:
        InputError: the file cannot be read, or an array is missing or unknown.
    """
    arrays = read_npz(path)
    _check_names(path, arrays, allowed)
    return arrays


def _check_names(path: Path, names: Collection[str], allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed:
            raise InputError(f"{path}: array must be one of {', '.join(allowed)}, not {quoted(name)}")
    for name in INPUTS:
        if name not in names:
            raise InputError(f"{path}: must hold q, k and v; {name} is missing")


def _check_arrays(arrays: Mapping[str, NDArray[Any]]) -> None:
    q = arrays["q"]
    if not _is_float(q) or q.ndim != 3 or not q.size:
        raise InputError(
            f"q must be float32 [heads, tokens, head_dim] with at least one of each, not {_kind(q)}"
        )
    heads, tokens, _ = q.shape
    shapes: dict[str, tuple[tuple[int, ...], ...]] = {
        **dict.fromkeys(INPUTS, (q.shape,)),
        "bias": ((heads, tokens, tokens),),
        "mask": ((tokens,), (heads, tokens, tokens)),
        **dict.fromkeys(SCALES, ((heads,),)),
    }
    for name, array in arrays.items():
        right_type = array.dtype == np.bool_ if name == "mask" else _is_float(array)
        if not right_type or array.shape not in shapes[name]:
            wanted = " or ".join(str(list(shape)) for shape in shapes[name])
            raise InputError(
                f"{name} must be {'bool' if name == 'mask' else 'float32'} {wanted} "
                f"(q is {_kind(q)}), not {_kind(array)}"
            )


def _is_float(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "f" and array.dtype.itemsize <= 8


def _kind(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as compressed .npz under exactly this name.

    Raises:
        InputError: the disk is full or the like.
    """
    with writing(path.name), path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file.

    Raises:
        InputError: the disk is full or the like.
    """
    with writing(path.name):
        path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextmanager
def reporting(path: Path | None) -> Iterator[Callable[[object], None]]:
    """What writes the report that --report asked for, if it did; its place is tried before the block begins.

    Raises:
        InputError: the path is no place for a file.
    """
    with whole_or_nothing({} if path is None else {"--report": path}) as places:

        def write(report: object) -> None:
            for place in places.values():
                write_json(place, report)

        yield write


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths name the same file, which need not exist."""
    return os.path.realpath(one) == os.path.realpath(other)


@contextmanager
def whole_or_nothing(targets: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """Places to write to that become the targets when the block succeeds, and vanish when it fails.

    The places lie in fresh directories beside the targets, so a target that cannot be written is
    found before anything is computed, and the final move is atomic.

    Args:
        targets: path by what the user calls it (for errors).

    Raises:
        InputError: two targets are the same, or one is no writable place for a file.
    """
    paths: dict[str, Path] = {}
    places: dict[str, Path] = {}
    placed: list[Path] = []
    with held():
        try:
            for label, target in targets.items():
                path = Path(os.path.realpath(target))
                with writing(f"{label} {target}"):
                    if path.is_symlink():
                        raise InputError(f"{label} must be a place for a file, {target} is a loop of links")
                    if path.exists() and not path.is_file():
                        raise InputError(f"{label} must be a place for a file, not {target}")
                    if path in paths.values():
                        raise InputError(f"{label} must differ from the other outputs, not be {target} again")
                    paths[label] = path
                    places[label] = _scratch(path.parent) / path.name
            with released(), _full_disk(", ".join(targets)):
                yield places
            for label, place in places.items():
                with writing(f"{label} {targets[label]}"):
                    place.replace(paths[label])
                placed.append(paths[label])
        except BaseException:
            for path in placed:
                path.unlink(missing_ok=True)
            raise
        finally:
            for place in places.values():
                shutil.rmtree(place.parent, ignore_errors=True)


@contextmanager
def filled_folder(label: str, directory: Path) -> Iterator[Path]:
    """A fresh folder whose files move into `directory` when the block succeeds; nothing if it fails.

    Args:
        label: what the user calls it (for errors).
        directory: made if absent, with its parents.

    Raises:
        InputError: `directory` is no folder, or cannot be written.
    """
    scratch: Path | None = None
    with held(), made_folder(label, directory):
        try:
            with writing(f"{label} {directory}"):
                scratch = _scratch(directory)
            with released(), _full_disk(f"{label} {directory}"):
                yield scratch
            made = [path.relative_to(scratch) for path in sorted(scratch.rglob("*"))]
            for path in made:
                if (directory / path).exists() and (directory / path).is_dir() != (scratch / path).is_dir():
                    kind = "a folder" if (scratch / path).is_dir() else "no folder"
                    raise InputError(f"{label} {directory}: {path} in it must be {kind}")
            with writing(f"{label} {directory}"):
                for path in made:
                    if (scratch / path).is_dir():
                        (directory / path).mkdir(exist_ok=True)
                    else:
                        (scratch / path).replace(directory / path)
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def made_folder(label: str, directory: Path) -> Iterator[None]:
    """A folder, made if absent with its parents; what was made and is empty goes if the block fails.

    Raises:
        InputError: `directory` is no folder, or cannot be made.
    """
    if directory.exists() and not directory.is_dir():
        raise InputError(f"{label} must be a folder, not the file {directory}")
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        with writing(f"{label} {directory}"):
            directory.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        raise


def _scratch(directory: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=".onespike-", dir=directory))


@contextmanager
def _full_disk(what: str) -> Iterator[None]:
    """A block that computes and writes, not by our own functions alone: a full disk is told in one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise InputError(f"{what}: cannot be written ({error.strerror})") from None
