"""What the command line tells a user in one line instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

MAX_QUOTED = 80


class InputError(ValueError):
    """A value the user gave cannot be used.

    The message is one sentence that names the thing, its value and what is allowed; the command
    line prints it as it is and exits with status 2.
    """


class OutsideError(RuntimeError):
    """Something outside the program failed: a tool, a serial line, a board.

    The message is one sentence that says what to look at; the command line prints it as it is and
    exits with status 1.
    """


def quoted(value: object) -> str:
    """`value` as a message quotes it: as Python writes it, cut where it is long."""
    try:
        text = str(value) if isinstance(value, Fraction) else repr(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return "a number of thousands of digits"
    return cut(text, MAX_QUOTED)


def cut(text: str, length: int) -> str:
    """`text`, of which no more than `length` characters are shown."""
    return text if len(text) <= length else f"{text[:length]}... ({len(text)} characters)"


@contextmanager
def writing(what: object) -> Iterator[None]:
    """A block that writes `what`, as the user calls it.

    Raises:
        InputError: the system refuses: no permission, a full disk and the like.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{what}: cannot be written ({error.strerror or error})") from None
