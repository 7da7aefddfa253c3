"""Directories that are made once and kept in the user's cache folder, safe with several processes."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from golden.errors import writing

UNUSED_DAYS = 30  # what nothing used for so long goes when something new is made


def cache_folder() -> Path:
    """Folder of compiled simulators: $XDG_CACHE_HOME/onespike, ~/.cache/onespike where it is not set."""
    return user_cache_path("onespike", appauthor=False)


def digest(parts: Iterable[str | bytes]) -> str:
    """Name of what is made from these parts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:24]


def cached(family: str, name: str, make: Callable[[Path], None]) -> Path:
    """The directory FAMILY/NAME of the cache; `make` fills it if it does not exist.

    It is filled under a temporary name and renamed, so it is whole or absent; processes that want
    the same one wait for the first.

    Raises:
        InputError: there is no place for it.
    """
    place = cache_folder() / family
    target = place / name
    if target.exists():
        _touch(target)
        return target
    with writing(f"cache {place} (XDG_CACHE_HOME chooses its place)"):
        place.mkdir(parents=True, exist_ok=True)
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
                _forget(place)
    return target


def _touch(target: Path) -> None:
    """Note the use of a directory; one that others made, or on a read-only disk, serves as it is."""
    with suppress(OSError):
        os.utime(target)


def _forget(place: Path) -> None:
    """Remove what nothing used for UNUSED_DAYS, and what was left by processes that were killed."""
    oldest = time.time() - UNUSED_DAYS * 24 * 60 * 60
    for path in place.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink() if path.suffix == ".lock" else shutil.rmtree(path)
