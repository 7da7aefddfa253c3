"""Where generated Verilog comes from: file and line of the Python source, as `src` attributes.

Yosys keeps them, so netlists, reports and waveforms of other tools lead back to the source.
"""

import inspect
import re
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

# Its streams, memories and queues are used by name; a line in them says nothing of this hardware
LIBRARY = "amaranth/"
# Fields of a structure are where the structure is
_DECLARED = re.compile(
    r"  (?:\(\*.*?\*\) )?(?:(?:input|output) )?(?:wire|reg) (?:signed )?(?:\[\d+:\d+\] )?"
    r"(?:\\([^\s.\[]+) |(\w+)\b)"
)
_INSTANCE = re.compile(r"  \w+ +(?:\\(\S+) |(\w+)) +\($")


def with_sources(verilog: str, sources: Mapping[str, Mapping[str, str]], classes: Mapping[str, type]) -> str:
    """Verilog with an attribute in front of each declaration and instance, and above each module.

    Args:
        verilog: as `hw.export.text.tidy_text` leaves it.
        sources: FILE:LINE of signals, memories and instances by name, by name of the module.
        classes: that modules were made from, by name.
    """
    return "\n".join(_lines(verilog, sources, classes))


def _lines(
    verilog: str, sources: Mapping[str, Mapping[str, str]], classes: Mapping[str, type]
) -> Iterator[str]:
    here: Mapping[str, str] = {}
    for line in verilog.split("\n"):
        if line.startswith("module "):
            name = line.split(" ")[1]
            here = sources.get(name, {})
            if name in classes:
                above = place_of_class(classes[name])
                yield from [f'(* src = "{above}" *)'] if above else []
        declared, instance = _DECLARED.match(line), _INSTANCE.match(line)
        found = declared or instance
        place = found and place_of(here.get(found[1] or found[2], ""))
        if not place:
            yield line
        elif instance:
            yield from (f'  (* src = "{place}" *)', line)
        else:
            yield f'  (* src = "{place}" *) {line[2:]}'


def place_of(source: str) -> str:
    """FILE:LINE with the file as seen from the folder that its package is in; empty if it leads nowhere."""
    file, _, line = source.rpartition(":")
    path = _from_package(file)
    return f"{path}:{line}" if path else ""


def place_of_class(kind: type) -> str:
    """The same of a class."""
    try:
        _, line = inspect.getsourcelines(kind)
        return place_of(f"{inspect.getfile(kind)}:{line}")
    # It was made where no file is: in a terminal, or by a function of Python's own
    except (OSError, TypeError):
        return ""


@cache
def _from_package(file: str) -> str:
    """PACKAGE/FOLDER/NAME.py; the name alone for what is in no package.

    Nothing for what is no file, the library's, or Python's own: the end of a `with` is there.
    """
    path = Path(file)
    own = path.is_relative_to(sysconfig.get_path("stdlib")) and "site-packages" not in path.parts
    if own or not path.is_file():
        return ""
    top = path
    while (top.parent / "__init__.py").exists():
        top = top.parent
    seen = path.relative_to(top.parent).as_posix()
    return "" if seen.startswith(LIBRARY) else seen
