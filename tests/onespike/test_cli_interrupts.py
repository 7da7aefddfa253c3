"""A signal ends a command at once: one line, its status, nothing left."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from onespike.files import filled_folder, whole_or_nothing
from onespike.interrupts import exit_status, heard, held, released

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
# The work of a command, replaced by one that says when it has begun; the rest is the real thing
STOPPED = """
import gc, sys, time
from amaranth.hdl import Fragment, Module
import studies.attention.spiked
from golden.attention.config import preset
from hw.attention.core import AttentionCore
from onespike.cli import main

def work(*_, **__):
    # A circuit that is not finished when the signal comes would complain of it
    Fragment.get(Module(), None)
    core = AttentionCore(preset("pico"))
    print("begun", flush=True)
    time.sleep(60)

studies.attention.spiked.run_engine = work
status = main(["attention", "in.npz", "out.npz", "--report", "r.json"])
gc.collect()
sys.exit(status)
"""


def ended(script: str, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """A script that gets a signal once it says that it has begun."""

    def heard_again() -> None:
        # Background jobs of a shell ignore interrupts, and so do their children
        for known in STATUS:
            signal.signal(known, signal.SIG_DFL)

    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard_again,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_command(folder: Path, source: str, number: signal.Signals) -> None:
    ran = ended(STOPPED, number)
    assert (ran.returncode, ran.stderr) == (STATUS[number], "onespike: interrupted\n")
    assert [path.name for path in folder.iterdir()] == [source]


def test_ignored_signals_stay_ignored() -> None:
    """Under nohup a command outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with heard():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_held(number: signal.Signals) -> None:
    """Once, at the end of the block or where it lets go; the handlers of before come back."""
    before = [signal.getsignal(known) for known in STATUS]
    said = []

    def work() -> None:
        with listening(), held():
            signal.raise_signal(number)
            said.append("in one piece")
            with held():
                signal.raise_signal(number)
            said.append("nested")
            with released():
                said.append("never here")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert said == ["in one piece", "nested"]
    assert exit_status() == STATUS[number]
    assert [signal.getsignal(known) for known in STATUS] == before
    with listening(), held():
        pass


@contextmanager
def listening() -> Iterator[None]:
    """`heard`, also where these tests run with interrupts or hang-ups ignored."""
    usual = dict.fromkeys(STATUS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    try:
        with heard():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("when", ["mkdtemp", "replace", "rmtree"])
@pytest.mark.parametrize("writer", ["file", "folder"])
def test_at_the_worst_moment(folder: Path, monkeypatch: pytest.MonkeyPatch, when: str, writer: str) -> None:
    """Just when a place is made, moved or removed: all of the output is there, or nothing."""
    owner = {"mkdtemp": tempfile, "replace": Path, "rmtree": shutil}[when]
    real = getattr(owner, when)

    def struck(*arguments: object, **options: object) -> object:
        done = real(*arguments, **options)
        signal.raise_signal(signal.SIGTERM)
        return done

    monkeypatch.setattr(owner, when, struck)
    target = folder / "made" if writer == "folder" else folder / "made.txt"

    def write() -> None:
        if writer == "folder":
            with listening(), filled_folder("-o", target) as place:
                (place / "a.txt").write_text("whole")
        else:
            with listening(), whole_or_nothing({"OUT": target}) as places:
                places["OUT"].write_text("whole")

    with pytest.raises(KeyboardInterrupt):
        write()
    left = {path.name for path in folder.rglob("*")}
    whole = {"made", "a.txt"} if writer == "folder" else {"made.txt"}
    assert left == (set() if when == "mkdtemp" else whole)
