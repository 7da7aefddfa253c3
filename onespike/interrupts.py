"""Signals that end a command: Ctrl-C, a request to end, a terminal that goes away.

Each raises KeyboardInterrupt, so that a command cleans up whatever it was that ended it; inside
`held`, which guards the steps that must not be cut in two, only at its end.
"""

import gc
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _State:
    """Of the process, as its signals are."""

    last: signal.Signals | None = None  # the one that came last
    depth = 0  # of nested `held`
    due = False  # one came inside them


@contextmanager
def heard() -> Iterator[None]:
    """A block in which the signals raise; those that were ignored stay so, as under nohup."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _State.last, _State.depth, _State.due = None, 0, False
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _handle)
        with warnings.catch_warnings():
            try:
                yield
            finally:
                if _State.last is not None:
                    gc.collect()  # what dies half built, as a circuit does, complains now, unheard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(number: int, frame: FrameType | None) -> None:
    _State.last = signal.Signals(number)
    warnings.simplefilter("ignore")
    if _State.depth:
        _State.due = True
    else:
        raise KeyboardInterrupt


def exit_status() -> int:
    """Status of a command that a signal ended: 130 after Ctrl-C."""
    return 128 + (_State.last or signal.SIGINT)


@contextmanager
def held() -> Iterator[None]:
    """A block that signals do not cut in two: one that comes raises at its end."""
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
        _raise_due()


@contextmanager
def released() -> Iterator[None]:
    """A part of a `held` block that signals may end, such as the work between opening and closing."""
    _State.depth -= 1
    try:
        _raise_due()
        yield
    finally:
        _State.depth += 1


def _raise_due() -> None:
    if _State.due and not _State.depth:
        _State.due = False
        raise KeyboardInterrupt
