"""Directories that are made once and kept, safe with several processes at work."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from golden.errors import InputError

REPOSITORY = Path(__file__).parents[2]


def digest(parts: Iterable[str | bytes]) -> str:
    """Name of what is made from these parts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:24]


def cached(family: str, name: str, make: Callable[[Path], None]) -> Path:
    """The directory build/FAMILY/NAME; `make` fills it if it does not exist.

    It is filled under a temporary name and renamed, so it is whole or absent; processes that want
    the same one wait for the first.

    Raises:
        InputError: there is no place for it.
    """
    place = REPOSITORY / "build" / family
    target = place / name
    if target.exists():
        return target
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place}: cannot be written ({error.strerror})") from None
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            scratch = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=place))
            try:
                make(scratch)
                scratch.rename(target)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
    return target
