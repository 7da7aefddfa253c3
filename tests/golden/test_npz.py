"""An .npz file is read whole or refused: what numpy.load overlooks is a mistake of whoever wrote it."""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from golden.errors import InputError
from golden.npz import read_npz

ARRAYS = {"q": np.arange(6, dtype=np.float32).reshape(2, 3), "text": np.array("words"), "none": np.zeros(0)}


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays(path: Path, save: Callable[..., None]) -> None:
    save(path, **ARRAYS)
    found = read_npz(path)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_no_arrays(path: Path) -> None:
    np.savez(path)
    assert read_npz(path) == {}


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("q.npy", npy(np.ones(2)), "q must be there once, it is there twice"),
        ("q", npy(np.ones(2)), "q must be an array in .npy format; it is not"),
        ("notes.txt", b"remember", "notes.txt must be an array in .npy format; it is not"),
        ("folder/", b"", "folder/ must be an array in .npy format; it is not"),
        ("v.npy", npy(np.ones(2)) + b"\0", "v must end with its array; more bytes follow"),
        ("v.npy", npy(np.ones(2)) + npy(np.ones(2)), "v must end with its array; more bytes follow"),
        ("v.npy", npy(np.ones(2))[:-1], "v must be a whole array of numbers .*"),
        ("v.npy", npy(np.array([{}])), "v must be a whole array of numbers .*allow_pickle.*"),
        ("v.npy", b"1 2 3", "v must be a whole array of numbers .*"),
    ],
)
def test_members(path: Path, member: str, content: bytes, message: str) -> None:
    np.savez(path, q=np.zeros(2))
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the second member of a name
        archive.writestr(member, content)
    with pytest.raises(InputError, match=rf"^\S+in\.npz: {message}$"):
        read_npz(path)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b"", b"\0", "must be a whole .npz file"),
        (b"", b"another line\n", "must be a whole .npz file"),
        (b"#!/bin/sh\n", b"", "must begin with its first array"),
    ],
)
def test_bytes_around_the_archive(path: Path, before: bytes, after: bytes, message: str) -> None:
    np.savez(path, **ARRAYS)
    path.write_bytes(before + path.read_bytes() + after)
    with pytest.raises(InputError, match=message):
        read_npz(path)


def test_comment_of_the_archive(path: Path) -> None:
    np.savez(path, **ARRAYS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"of somebody"
    with pytest.raises(InputError, match=r"must be a whole \.npz file"):
        read_npz(path)


def test_two_archives(path: Path) -> None:
    """One after the other: the second alone would be read."""
    np.savez(path, **ARRAYS)
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(InputError, match="must begin with its first array"):
        read_npz(path)


def test_check_sum_of_the_last_byte(path: Path) -> None:
    np.savez(path, q=np.arange(1000.0))
    content = bytearray(path.read_bytes())
    content[content.index(np.float64(999.0).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"q must be a whole array of numbers .*CRC"):
        read_npz(path)


def test_file_that_cannot_be_read(path: Path) -> None:
    with pytest.raises(InputError, match=r"in\.npz: cannot be read .No such file"):
        read_npz(path)
    path.mkdir()
    with pytest.raises(InputError, match=r"in\.npz: cannot be read .Is a directory"):
        read_npz(path)
    path.rmdir()
    path.symlink_to(path)
    with pytest.raises(InputError, match=r"in\.npz: cannot be read .Too many levels"):
        read_npz(path)
