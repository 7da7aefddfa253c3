"""Names from the source: of what passes between units, and of what is assigned as a tuple."""

import ast
import linecache
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

from amaranth.hdl import Signal, ValueCastable
from amaranth.hdl._ast import SignalDict
from amaranth.hdl._ir import Design, DesignFragmentInfo, Fragment
from amaranth.lib import wiring
from amaranth.lib.fifo import FIFOInterface

Unit: TypeAlias = wiring.Component | FIFOInterface


def unit_of(fragment: Fragment) -> Unit | None:
    """What a fragment was made from, before wrappers: a component, or a queue of Amaranth's library."""
    made = [origin for origin in fragment.origins or () if isinstance(origin, Unit)]
    return made[0] if made else None


def ports_of(unit: Unit) -> Iterator[tuple[str, bool, Signal]]:
    """Name, whether it is an output, and signal of each port that is a signal."""
    if isinstance(unit, FIFOInterface):  # which has no signature
        for name in ("w_data", "w_en", "r_en"):
            yield name, False, getattr(unit, name)
        for name in ("w_rdy", "w_level", "r_data", "r_rdy", "r_level"):
            yield name, True, getattr(unit, name)
        return
    for path, member, value in unit.signature.flatten(unit):
        signal = value
        while isinstance(signal, ValueCastable):
            signal = signal.as_value()
        if isinstance(signal, Signal) and len(signal):
            yield "__".join(map(str, path)), member.flow == wiring.Out, signal


def declared_at(unit: Unit) -> dict[str, str]:
    """FILE:LINE at which a unit's signature has the member that each port comes from, by name of the port.

    The signals themselves say where the signature of a stream is.
    """
    if isinstance(unit, FIFOInterface):
        return {}
    members = unit.signature.members
    found = {}
    for path, *_ in unit.signature.flatten(unit):
        file, line = members[str(path[0])].src_loc
        found["__".join(map(str, path))] = f"{file}:{line}"
    return found


def name_interfaces(design: Design) -> None:
    """Let the signals of every component's signature be called for it, inside and in the unit around.

    Where one net has several names, Amaranth takes the first: the unit's own ports, then signals of its
    source, then outputs of the units inside, then their inputs.
    """
    words = _from_tuples(design)
    for unit, info in design.fragments.items():
        made_from = unit_of(unit)
        own = {} if made_from is None else {id(signal): name for name, _, signal in ports_of(made_from)}
        inner: dict[int, tuple[bool, str]] = {}
        for part, _, _ in unit.subfragments:
            instance = design.fragments[part].name[-1].split("$")[0]
            part_from = unit_of(part)
            for name, output, signal in () if part_from is None else ports_of(part_from):
                inner.setdefault(id(signal), (output, f"{instance}_{name}"))
        _rename(info, unit is design.fragment, own, inner, words)


def _rename(
    info: DesignFragmentInfo,
    top: bool,
    own: dict[int, str],
    inner: dict[int, tuple[bool, str]],
    words: dict[int, str],
) -> None:
    """Order and name the signals of a unit. Ports of the top have their names."""

    def rank(signal: Signal) -> int:
        if id(signal) in own:
            return 0
        return 1 if id(signal) not in inner else 2 if inner[id(signal)][0] else 3

    # Instances keep theirs
    taken = info.assigned_names - set(info.signal_names.values())
    named: SignalDict = SignalDict()
    for signal in sorted(info.signal_names, key=rank):
        name = words[id(signal)] if signal.name.startswith("$") and id(signal) in words else signal.name
        if id(signal) in own:
            name = info.signal_names[signal] if top else own[id(signal)]
        elif id(signal) in inner:
            name = inner[id(signal)][1]
        named[signal] = name if name not in taken else f"{name}${len(taken)}"
        taken.add(named[signal])
    info.signal_names = named


def _from_tuples(design: Design) -> dict[int, str]:
    """Names of signals that are made and assigned together, `a, b = Signal(), Signal()`.

    Amaranth has a name for the last of two or three at best, which of them depends on the version of Python.
    They are told apart by the order in which they were made, so all must be in the design.
    """
    made: defaultdict[tuple[str, int], dict[int, Signal]] = defaultdict(dict)
    for info in design.fragments.values():
        for signal in info.signal_names:
            made[signal.src_loc][signal.duid] = signal
    words: dict[int, str] = {}
    for (file, line), signals in made.items():
        names = _tuples(file).get(line, [])
        if not names or len(signals) % len(names):
            continue
        order = [signals[duid] for duid in sorted(signals)]
        for start in range(0, len(order), len(names)):
            group = order[start : start + len(names)]
            if group[-1].duid - group[0].duid == len(names) - 1 and all(
                signal.name in (name, "$signal", "$like") for signal, name in zip(group, names, strict=True)
            ):
                words |= zip(map(id, group), names, strict=True)
    return words


@cache
def _tuples(file: str) -> dict[int, list[str]]:
    """By line, the variables that are assigned signals as a tuple there."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for node in ast.walk(ast.parse("".join(linecache.getlines(file)))):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for target, value in zip(targets, values, strict=False):
                    makes = isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1]
                    if makes in ("Signal", "like"):
                        found[value.lineno].append(ast.unparse(target).split(".")[-1])
    return found
