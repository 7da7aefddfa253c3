"""Signals of a value change dump in the words of the save file and filters that lie beside the Verilog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vcd.reader import ScalarChange, ScopeDecl, TokenKind, VarDecl, VCDParseError, VectorChange, tokenize

from golden.errors import InputError, quoted

UNKNOWN = "x"


@dataclass(frozen=True)
class Shown:
    """A signal of a save file: its path in the waveform, and what its values read as, by their bits."""

    path: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Signal:
    """What a signal reads as in each cycle; one of a bit reads as "0" and "1"."""

    name: str
    width: int
    values: Sequence[str]


def read_views(folder: Path) -> dict[str, Shown]:
    """The signals of a save file of GTKWave, by their name in the core: UNIT.NAME, a port as NAME.

    Args:
        folder: with one save file, which `sim.cores.waves.view_files` wrote, and its filters.

    Raises:
        InputError: there is none, or a filter is missing.
    """
    files = sorted(folder.glob("*.gtkw"))
    if len(files) != 1:
        raise InputError(f"{folder}: must hold one .gtkw file, as onespike rtl leaves it, not {len(files)}")
    shown: dict[str, Shown] = {}
    group, words = "", {}
    for line in files[0].read_text().splitlines():
        kind, rest = line[:1], line[1:]
        if kind == "-":
            group = rest
        elif kind == "^":
            words = _words(folder / rest.split(" ", 1)[1])
        elif kind == "+":
            alias, path = rest.split(" ", 1)
            name = alias.strip("{}")
            shown[name if group == "ports" else f"{group}.{name}"] = Shown(path, words)
            words = {}
    return shown


def _words(path: Path) -> dict[str, str]:
    try:
        return dict(line.split(" ", 1) for line in path.read_text().splitlines() if line)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def read_signals(waves: Path, shown: Mapping[str, Shown], clock: str) -> list[Signal]:
    """What signals read as behind each rising edge of a clock, until the next.

    Args:
        waves: a value change dump (.vcd).
        shown: signals, by the name that they get.
        clock: name of the clock in the outermost scope.

    Raises:
        InputError: no such file, or one that lacks a signal.
    """
    wanted = {_plain(view.path): name for name, view in shown.items()}
    codes: dict[str, str] = {}
    widths: dict[str, int] = {}
    scope: list[str] = []
    now: dict[str, str] = {}
    edges, before = "", ""
    rows: list[dict[str, str]] = []
    try:
        with waves.open("rb") as file:
            for token in tokenize(file):
                match token.data:
                    case ScopeDecl(ident=ident):
                        scope.append(ident)
                    case None if token.kind is TokenKind.UPSCOPE:
                        scope.pop()
                    case VarDecl() as var:
                        name = wanted.get(_plain(".".join([*scope, var.ref_str])))
                        if name is not None:
                            codes[name], widths[name] = var.id_code, var.size
                        if len(scope) == 1 and var.reference == clock:
                            edges = var.id_code
                    case ScalarChange(id_code=code, value=value) | VectorChange(id_code=code, value=value):
                        now[code] = value if isinstance(value, str) else f"{value:b}"
                    case int() if token.kind is TokenKind.CHANGE_TIME:
                        if (before, now.get(edges)) == ("0", "1"):
                            rows.append(dict(now))
                        before = now.get(edges, "")
    except OSError as error:
        raise InputError(f"{waves}: cannot be read ({error.strerror})") from None
    except (VCDParseError, UnicodeDecodeError):
        raise InputError(f"{waves}: must be a value change dump (.vcd)") from None
    for name, there in [(clock, edges), *((name, codes.get(name)) for name in shown)]:
        if not there:
            raise InputError(f"{waves}: must hold the signal {name}, it does not")
    return [
        Signal(
            name,
            widths[name],
            [_reading(row.get(codes[name], UNKNOWN), widths[name], view.words) for row in rows],
        )
        for name, view in shown.items()
    ]


def _plain(path: str) -> str:
    """A path without what begins escaped names, which not all simulators write."""
    return path.replace("\\", "")


def _reading(bits: str, width: int, words: Mapping[str, str]) -> str:
    """What a value reads as: its word, or its number."""
    if not set(bits) <= {"0", "1"}:
        return UNKNOWN
    return words.get(bits.zfill(width), str(int(bits, 2)))


def chosen(views: Mapping[str, Shown], names: Sequence[str]) -> dict[str, Shown]:
    """Signals by their names.

    Raises:
        InputError: there is none of a name.
    """
    for name in names:
        if name not in views:
            raise InputError(f"--signals: must be of the save file, {quoted(name)} is not")
    return {name: views[name] for name in names}


def cut(signals: Sequence[Signal], begin: int, cycles: int) -> list[Signal]:
    """Some cycles of signals.

    Raises:
        InputError: they have not so many.
    """
    there = len(signals[0].values)
    if not 0 <= begin <= there - cycles:
        raise InputError(
            f"--begin and --cycles must lie in the {there} cycles of the waveform, not {begin} and {cycles}"
        )
    return [Signal(s.name, s.width, s.values[begin : begin + cycles]) for s in signals]
