"""The build cache: made once, whole or absent, whatever happens beside or during the making."""

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from golden.errors import InputError
from sim.verilator import cache
from sim.verilator.cache import cached, digest


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "onespike"


def fill(directory: Path) -> None:
    (directory / "made").write_text("here")


def test_made_once(elsewhere: Path) -> None:
    place = cached("family", "name", fill)
    assert place == elsewhere / "family" / "name"
    assert (place / "made").read_text() == "here"
    assert cached("family", "name", lambda directory: pytest.fail("made again")) == place


def test_nothing_is_left_of_a_failure(elsewhere: Path) -> None:
    def fail(directory: Path) -> None:
        fill(directory)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("family", "name", fail)
    assert [path.name for path in (elsewhere / "family").iterdir()] == ["name.lock"]
    assert (cached("family", "name", fill) / "made").exists()


def make_slowly(directory: Path) -> None:
    with (directory.parent / "count").open("a") as count:
        count.write("x")
    time.sleep(0.2)
    fill(directory)


def work() -> None:
    assert (cached("family", "name", make_slowly) / "made").read_text() == "here"


def test_processes_wait_for_the_first(elsewhere: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (elsewhere / "family" / "count").read_text() == "x"


def test_digest_depends_on_every_part() -> None:
    names = {digest(parts) for parts in (["a", "b"], ["ab"], ["a", "b", ""], [b"b", "a"], [])}
    assert len(names) == 5
    assert digest(["a", b"b"]) == digest([b"a", "b"])


def test_place_that_cannot_be_written(elsewhere: Path) -> None:
    elsewhere.write_text("a file")
    message = r"cache \S+/family .XDG_CACHE_HOME chooses its place.: cannot be written .Not a directory"
    with pytest.raises(InputError, match=message):
        cached("family", "name", fill)


def test_what_nothing_uses_goes(elsewhere: Path) -> None:
    """Old entries go when something is made, those in use stay."""
    long_ago = time.time() - (cache.UNUSED_DAYS + 1) * 24 * 60 * 60
    for name in ("old", "used"):
        cached("family", name, fill)
    for path in (elsewhere / "family").iterdir():
        os.utime(path, (long_ago, long_ago))
    cached("family", "used", fill)
    cached("family", "new", fill)
    assert {path.name for path in (elsewhere / "family").iterdir()} == {"used", "new", "new.lock"}


def test_cache_that_can_only_be_read(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there serves, though its use cannot be noted."""
    place = cached("family", "name", fill)

    def refuse(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    assert cached("family", "name", lambda directory: pytest.fail("made again")) == place
