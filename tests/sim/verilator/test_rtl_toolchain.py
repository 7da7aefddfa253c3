"""Tools that fail, and tools that are interrupted."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from golden.errors import OutsideError
from sim.verilator.toolchain import run, run_together

# A driver as g++ is: its child works, and holds its output open
DRIVER = ("sh", "-c", "echo begun > $0; sleep 60; true")


def test_failure_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutsideError) as info:
        run(("sh", "-c", "echo hints; echo 'x.cpp:1: error: no such thing\nmore' >&2; exit 3"), tmp_path)
    assert str(info.value) == "sh failed with status 3: x.cpp:1: error: no such thing"
    assert "hints" in info.value.__notes__[0]


def test_failure_ends_the_others(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(OutsideError, match="false failed with status 1: it says nothing"):
        run_together([("false",), (*DRIVER, "a"), (*DRIVER, "b")], tmp_path)
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("together", [False, True])
def test_interrupt_ends_tools_and_their_children(tmp_path: Path, together: bool) -> None:
    """At once, though only this process hears of it."""

    def strike() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    striker = threading.Thread(target=strike)
    command = (*DRIVER, "begun")
    begin = time.monotonic()
    try:
        striker.start()
        with pytest.raises(KeyboardInterrupt):
            run_together([command], tmp_path) if together else run(command, tmp_path)
    finally:
        striker.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begin < 30
