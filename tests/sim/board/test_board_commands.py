"""`onespike board-sim` and `onespike attention --engine board`, as two processes of a user."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from golden.attention.config import preset, to_table
from onespike.cli import main

WORDS = ("board-sim", "--board", "icebreaker", "--preset", "tiny")


@pytest.fixture(scope="module")
def simulated() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A simulated board started from the command line, and its port."""
    command = [sys.executable, "-m", "onespike", *WORDS]
    # A shell that runs these tests in the background has its jobs ignore interrupts
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heard) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    size = ("--heads", "2", "--tokens", "11", "--head-dim", "7", "--seed", "4")
    assert main(["example", "in.npz", *size]) == 0
    return tmp_path


def attend(*words: str) -> int:
    return main(["attention", "in.npz", *words])


def test_same_files_as_golden(folder: Path, simulated: tuple[object, str]) -> None:
    _, port = simulated
    board = ("--engine", "board", "--port", port)
    assert attend("board.npz", *board, "--report", "r.json", "--window", "6") == 0
    assert attend("named.npz", *board, "--preset", "tiny", "--window", "6") == 0
    assert attend("golden.npz", "--preset", "tiny", "--window", "6") == 0
    golden = (folder / "golden.npz").read_bytes()
    assert (folder / "board.npz").read_bytes() == golden
    assert (folder / "named.npz").read_bytes() == golden
    report = json.loads((folder / "r.json").read_text())
    assert report["configuration"] == to_table(preset("tiny"))
    assert (report["engine"], report["cycles"]) == ("board", None)
    assert (report["board"]["board"], report["board"]["design"]) == ("icebreaker", "tiny")
    assert report["board"]["line"]["bad_frames"] == 0
    assert sum(report["events"].values()) > 0


REFUSED = {
    "configuration": (["--preset", "pico"], "trace_bits of the board must be 8, it is 10"),
    "window": (["--window", "9"], "--window must be an integer in 1..8, not 9"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_board_of_other_parameters(
    folder: Path, simulated: tuple[object, str], capfd: pytest.CaptureFixture[str], words, message: str
) -> None:
    _, port = simulated
    assert attend("out.npz", "--engine", "board", "--port", port, *words) == 2
    said = capfd.readouterr()
    assert message in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert [path.name for path in folder.iterdir()] == ["in.npz"]


def test_job_too_large(
    folder: Path, simulated: tuple[object, str], capfd: pytest.CaptureFixture[str]
) -> None:
    _, port = simulated
    assert main(["example", "in.npz", "--heads", "1", "--tokens", "17", "--head-dim", "4"]) == 0
    assert attend("out.npz", "--engine", "board", "--port", port) == 2
    assert "tokens must be at most 16 in this configuration, not 17" in capfd.readouterr().err
    assert not (folder / "out.npz").exists()


def test_port_without_board(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    master, slave = pty.openpty()
    try:
        words = ("--engine", "board", "--port", os.ttyname(slave), "--timeout", "0.3")
        assert attend("out.npz", *words) == 1
    finally:
        os.close(master)
        os.close(slave)
    said = capfd.readouterr()
    assert "a board must answer within 0.3 s" in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert [path.name for path in folder.iterdir()] == ["in.npz"]


# Last: it ends the board
def test_interrupt_ends_the_board(simulated: tuple[subprocess.Popen[str], str]) -> None:
    process, port = simulated
    assert Path(port).exists()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 0
    assert not Path(port).exists()
