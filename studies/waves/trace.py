"""Signals of a value change dump in the words of the save file and filters that lie beside the Verilog."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vcd import reader
from vcd.reader import ScalarChange, ScopeDecl, TokenKind, VarDecl, VectorChange

from golden.errors import InputError, quoted

UNKNOWN = "x"
# Lines of a save file and of a filter
_FILTER = re.compile(r"\^\d+ (\S.*)")
_SIGNAL = re.compile(r"\+(?:\{(\S+)\}|(\S+)) (\S+)")
_READING = re.compile(r"([01]+) (\S.*)")


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
        folder: NAME.views with NAME.gtkw, which `sim.cores.waves.view_files` wrote, and its filters.

    Raises:
        InputError: a file is missing, or is not of its format.
    """
    path = folder / f"{folder.stem}.gtkw"
    shown: dict[str, Shown] = {}
    group, words = "", {}
    for number, line in enumerate(_lines(path), 1):
        kind = line[:1]
        if kind == "-":
            group = line[1:]
        elif kind == "^":
            (filter_file,) = _fields(path, number, line, _FILTER, "^NUMBER FILTER")
            words = _words(folder / filter_file)
        elif kind == "+":
            quoted_alias, alias, place = _fields(path, number, line, _SIGNAL, "+{NAME} PATH")
            name = (quoted_alias or alias).replace("/", ".")
            shown[name if group == "ports" else f"{group}.{name}"] = Shown(place, words)
        # A filter is that of the signal that follows, of which flags and a colour may come first
        if kind not in "^@[":
            words = {}
    return shown


def _words(path: Path) -> dict[str, str]:
    lines = [(number, line) for number, line in enumerate(_lines(path), 1) if line]
    return {
        bits: word
        for number, line in lines
        for bits, word in [_fields(path, number, line, _READING, "BITS WORD")]
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: must be UTF-8 text, it is not") from None


def _fields(path: Path, number: int, line: str, form: re.Pattern[str], allowed: str) -> Sequence[str]:
    found = form.fullmatch(line)
    if found is None:
        raise InputError(f"{path}: line {number} must be {allowed}, not {quoted(line)}")
    return found.groups()


def read_signals(
    waves: Path, shown: Mapping[str, Shown], clock: str, begin: int = 0, cycles: int | None = None
) -> list[Signal]:
    """What signals read as behind each rising edge of a clock, until the next.

    Args:
        waves: a value change dump (.vcd).
        shown: signals, by the name that they get.
        clock: name of the clock in the outermost scope.
        begin: the first cycle that is wanted, from 0.
        cycles: how many are; all that follow if absent.

    Raises:
        InputError: no such file, one that lacks a signal, or has not so many cycles.
    """
    try:
        with waves.open("rb") as file:
            tokens = reader.tokenize(file)
            declared = _declared(tokens, {_plain(view.path) for view in shown.values()} | {clock})
            for name, path in [(clock, clock), *((name, _plain(view.path)) for name, view in shown.items())]:
                if path not in declared:
                    raise InputError(f"{waves}: must hold the signal {name}, it does not")
            codes = [declared[_plain(view.path)].id_code for view in shown.values()]
            found = _cycles(tokens, codes, declared[clock].id_code)
            passed = sum(1 for _ in islice(found, begin))
            rows = list(islice(found, cycles))
    except OSError as error:
        raise InputError(f"{waves}: cannot be read ({error.strerror})") from None
    except InputError:
        raise
    # The reader checks its grammar alone, not digits and characters
    except (reader.VCDParseError, ValueError):
        raise InputError(f"{waves}: must be a value change dump (.vcd)") from None
    if cycles is not None and len(rows) < cycles:
        raise InputError(
            f"--begin and --cycles must lie in the {passed + len(rows)} cycles of the waveform, "
            f"not {begin} and {cycles}"
        )
    columns = list(zip(*rows, strict=True)) or [()] * len(codes)
    signals = []
    for (name, view), column in zip(shown.items(), columns, strict=True):
        width = declared[_plain(view.path)].size
        signals.append(Signal(name, width, [_reading(bits, width, view.words) for bits in column]))
    return signals


def _declared(tokens: Iterator[reader.Token], wanted: Set[str]) -> dict[str, VarDecl]:
    """Declarations by path, in the outermost scope by name; tokens are read to the end of them."""
    found: dict[str, VarDecl] = {}
    scope: list[str] = []
    for token in tokens:
        match token.data:
            case ScopeDecl(ident=ident):
                scope.append(ident)
            case VarDecl() as var:
                path = _plain(".".join([*scope, var.ref_str]))
                for known in {path, var.reference if len(scope) == 1 else path} & wanted:
                    found[known] = var
            case None if token.kind is TokenKind.UPSCOPE:
                if not scope:
                    raise ValueError("$upscope of no scope")
                scope.pop()
            case None if token.kind is TokenKind.ENDDEFINITIONS:
                break
    return found


def _cycles(tokens: Iterator[reader.Token], codes: Sequence[str], clock: str) -> Iterator[tuple[str, ...]]:
    """The bits of signals in each cycle, by their codes."""
    now = dict.fromkeys([*codes, clock], UNKNOWN)
    before = UNKNOWN
    for token in tokens:
        match token.data:
            case ScalarChange(id_code=code, value=value) | VectorChange(id_code=code, value=value):
                if code in now:
                    now[code] = value if isinstance(value, str) else f"{value:b}"
            case int() if token.kind is TokenKind.CHANGE_TIME:
                if (before, now[clock]) == ("0", "1"):
                    yield tuple(now[code] for code in codes)
                before = now[clock]


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
