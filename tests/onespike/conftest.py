"""The command line in a folder of its own, and what a refusal looks like."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from onespike.cli import main


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `onespike WORDS` in the folder."""

    def call(*words: str) -> Ran:
        capfd.readouterr()
        status = main(list(words))
        return Ran(status, *capfd.readouterr())

    return call


@pytest.fixture
def refused(folder: Path, run: Callable[..., Ran]) -> Callable[..., str]:
    """Run words that must be refused: status 2, one line that `says` matches, nothing written.

    Returns the line.
    """

    def call(*words: str, says: str) -> str:
        before = {path: path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))}
        ran = run(*words)
        assert ran.status == 2
        assert ran.out == ""
        assert ran.err.startswith("onespike: ")
        assert ran.err.count("\n") == 1
        assert ran.err.endswith("\n")
        assert {path: path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before
        assert re.search(says, ran.err), f"{ran.err!r} does not say {says!r}"
        return ran.err

    return call


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Two heads of five tokens and four features, with a bias."""
    rng = np.random.default_rng(11)
    shapes = {"q": (2, 5, 4), "k": (2, 5, 4), "v": (2, 5, 4), "bias": (2, 5, 5)}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def source(folder: Path, arrays: dict[str, np.ndarray]) -> str:
    """`arrays` as in.npz."""
    np.savez(folder / "in.npz", **arrays)
    return "in.npz"
