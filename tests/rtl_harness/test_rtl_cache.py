"""The build cache: made once, whole or absent, whatever happens beside or during the making."""

import multiprocessing
import time
from pathlib import Path

import pytest

from golden.errors import InputError
from sim.rtl import cache
from sim.rtl.cache import cached, digest


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(cache, "REPOSITORY", tmp_path)
    return tmp_path


def fill(directory: Path) -> None:
    (directory / "made").write_text("here")


def test_made_once(elsewhere: Path) -> None:
    place = cached("family", "name", fill)
    assert place == elsewhere / "build" / "family" / "name"
    assert (place / "made").read_text() == "here"
    assert cached("family", "name", lambda directory: pytest.fail("made again")) == place


def test_nothing_is_left_of_a_failure(elsewhere: Path) -> None:
    def fail(directory: Path) -> None:
        fill(directory)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("family", "name", fail)
    assert [path.name for path in (elsewhere / "build" / "family").iterdir()] == ["name.lock"]
    assert (cached("family", "name", fill) / "made").exists()


def make_slowly(directory: Path) -> None:
    with (directory.parent / "count").open("a") as count:
        count.write("x")
    time.sleep(0.2)
    fill(directory)


def work(repository: Path) -> None:
    cache.REPOSITORY = repository
    assert (cached("family", "name", make_slowly) / "made").read_text() == "here"


def test_processes_wait_for_the_first(elsewhere: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(elsewhere,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (elsewhere / "build" / "family" / "count").read_text() == "x"


def test_digest_depends_on_every_part() -> None:
    names = {digest(parts) for parts in (["a", "b"], ["ab"], ["a", "b", ""], [b"b", "a"], [])}
    assert len(names) == 5
    assert digest(["a", b"b"]) == digest([b"a", "b"])


def test_place_that_cannot_be_written(elsewhere: Path) -> None:
    (elsewhere / "build").write_text("a file")
    with pytest.raises(InputError, match=r"build/family: cannot be written \(Not a directory\)"):
        cached("family", "name", fill)
