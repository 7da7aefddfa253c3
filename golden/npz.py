"""Arrays of .npz files, read whole or refused.

`numpy.load` takes the last of two members of one name, confuses `q` with `q.npy`, and overlooks bytes
behind an array or around the archive. Such a file is not what somebody meant to write; here it is
refused.
"""

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError

SUFFIX = ".npy"
NPY = b"\x93NUMPY"  # how an .npy file begins
# The last record of an archive without a comment: its signature, and its size in bytes
END, END_BYTES = b"PK\5\6", 22


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an .npz file, by name.

    Raises:
        InputError: the file cannot be read, is no archive as `numpy.savez` writes it, or a member is
            no whole array, one with pickled objects, or there twice.
    """
    try:
        with path.open("rb") as file:
            if not _is_whole(file):
                what = "a single .npy array" if file.read(len(NPY)) == NPY else "not"
                raise InputError(f"{path}: must be a whole .npz file as numpy.savez writes it; it is {what}")
            with zipfile.ZipFile(file) as archive:
                return _read_members(path, archive)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # zipfile raises a dozen types on a damaged directory of members
        raise InputError(f"{path}: damaged .npz file ({_reason(error)})") from None


def _is_whole(file: IO[bytes]) -> bool:
    """Whether an archive, and nothing but it, is there; leaves the file at its beginning."""
    is_archive = zipfile.is_zipfile(file)
    size = file.seek(0, 2)
    file.seek(max(0, size - END_BYTES))
    at_end = file.read(len(END)) == END
    file.seek(0)
    return is_archive and at_end


def _read_members(path: Path, archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    if all(member.header_offset for member in members) and members:
        raise InputError(f"{path}: must begin with its first array; other bytes come before it")
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        name = member.filename.removesuffix(SUFFIX)
        if name == member.filename:
            raise InputError(f"{path}: {name} must be an array in .npy format; it is not")
        if name in arrays:
            raise InputError(f"{path}: {name} must be there once, it is there twice")
        try:
            with archive.open(member) as file:
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
                surplus = file.read(1)
        except Exception as error:  # as many types; MemoryError on a wild shape, too
            raise InputError(f"{path}: {name} must be a whole array of numbers ({_reason(error)})") from None
        if surplus:
            raise InputError(f"{path}: {name} must end with its array; more bytes follow")
    return arrays


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
