"""Reads a save file of GTKWave."""

from dataclasses import dataclass

from vcd.gtkw import decode_flags


@dataclass(frozen=True)
class Shown:
    """A trace: its group, full name, flags, and filter file if it has one."""

    group: str
    path: str
    flags: frozenset[str]
    filter: str | None


def traced(text: str) -> list[Shown]:
    """The traces of a save file of groups, aliases and filter files; any other line is an error."""
    shown = []
    flags: frozenset[str] = frozenset()
    group, filter_file = "", None
    for line in text.splitlines():
        kind, rest = line[0], line[1:]
        if kind == "@":
            flags = frozenset(decode_flags(rest))
        elif kind == "-":
            group = rest if "grp_begin" in flags else ""
        elif kind == "^":
            filter_file = rest.split(" ", 1)[1]
        else:
            assert kind == "+", f"no line of a trace: {line}"
            alias, path = rest.split(" ", 1)
            assert "." not in alias
            assert path.split("[")[0].endswith(alias.strip("{}").replace("/", ".").split("[")[0])
            assert (filter_file is None) == ("ftranslated" not in flags)
            shown.append(Shown(group, path, flags, filter_file))
            filter_file = None
    return shown
