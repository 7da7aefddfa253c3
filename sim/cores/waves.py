"""What a waveform viewer shows a core's signals with: spikes and states in words, signals by unit.

Formats: save file and "Translate Filter File" of GTKWave, "mapping translator" of Surfer.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Fragment, Shape
from amaranth.lib import data, wiring
from vcd.gtkw import GTKWSave, make_translation_filter

from golden.code import PhaseCode, phase_text, spike_text
from hw.export.axi import CORE
from hw.export.axi_bench import core_path
from hw.export.names import SIGNAL_TOO

if TYPE_CHECKING:
    from sim.cores.core import Core

# The scope that Verilator puts around a design
SCOPE = "TOP"
# What a value reads as that stands for nothing
UNUSED = "unused"


@dataclass(frozen=True)
class Kind:
    """Signals that read alike.

    Attributes:
        texts: what each value reads as; their number is a power of two.
        fields: of the structures that are of this kind; none for a number.
    """

    texts: tuple[str, ...]
    fields: frozenset[str] = frozenset()

    @property
    def width(self) -> int:
        return (len(self.texts) - 1).bit_length()

    def gtkwave(self) -> str:
        """Translate Filter File, for values shown in binary."""
        return make_translation_filter(list(enumerate(self.texts)), "bin", self.width) + "\n"

    def surfer(self, name: str) -> str:
        """Mapping translator, a format that Surfer lists under `name`."""
        lines = [f"Name = {name}", f"Bits = {self.width}"]
        return "\n".join(lines + [f"0b{v:0{self.width}b} {text}" for v, text in enumerate(self.texts)]) + "\n"


def spike_kinds(code: PhaseCode, layouts: Mapping[str, data.StructLayout]) -> dict[str, Kind]:
    """Kinds of the structures with one-spike codes, and `phase`, that of a phase alone.

    Args:
        layouts: structures with fields `active` and `phase`, with `negative` unless positive, by name.
    """

    def reading(layout: data.StructLayout, bits: int) -> str:
        value = layout.from_bits(bits)
        if value.active and value.phase >= code.steps:
            return UNUSED
        negative = "negative" in layout.members and value.negative
        return spike_text((-1 if negative else 1) if value.active else 0, value.phase)

    kinds = {
        name: Kind(
            tuple(reading(layout, bits) for bits in range(1 << layout.size)), frozenset(layout.members)
        )
        for name, layout in layouts.items()
    }
    (width,) = {Shape.cast(layout["phase"].shape).width for layout in layouts.values()}
    phases = [phase_text(phase) for phase in range(code.steps)]
    return kinds | {"phase": _filled(phases, width)}


def _filled(texts: Sequence[str], width: int) -> Kind:
    return Kind((*texts, *[UNUSED] * ((1 << width) - len(texts))))


def state_kinds(component: wiring.Component) -> dict[str, Kind]:
    """Kinds of the state registers of a component and of its units, by their path in it."""

    def walk(fragment: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Kind]]:
        for name, machine in fragment.generated.items():
            states = [machine.decoding[n] for n in range(len(machine.decoding))]
            yield ".".join((*path, f"{name}_state")), _filled(states, (len(states) - 1).bit_length())
        for unit, name, _ in fragment.subfragments:
            yield from walk(unit, (*path, str(name)))

    return dict(walk(Fragment.get(component, None), ()))


@dataclass(frozen=True)
class Scope:
    """A module of generated Verilog.

    Attributes:
        widths: bits of every signal, by name.
        signed: names of those that are signed.
        ports: names.
        units: name of the module of every instance.
    """

    widths: dict[str, int]
    signed: frozenset[str]
    ports: tuple[str, ...]
    units: dict[str, str]


_MODULE = re.compile(r"^module (\w+) \((.*?)\n\);\n(.*?)^endmodule", re.MULTILINE | re.DOTALL)
_SIGNAL = re.compile(
    r"^  (input |output )?(?:\(\*.*?\*\) )?(?:input |output )?(?:wire|reg) (signed )?(?:\[(\d+):0\] )?"
    r"(?:\\(\S+) |(\w+))(?: ?= [^;\n]*?)?[ ,;]*$",
    re.MULTILINE,
)
_INSTANCE = re.compile(r"^  (\w+) +(?:\\(\S+)|(\w+)) +\($", re.MULTILINE)


def scopes(verilog: str) -> dict[str, Scope]:
    """The modules of generated Verilog, by name."""
    found = {}
    for name, head, body in _MODULE.findall(verilog):
        ports, inside = (
            [(a or b, int(top or 0) + 1, bool(sign)) for _, sign, top, a, b in _SIGNAL.findall(text)]
            for text in (head, body)
        )
        found[name] = Scope(
            widths={signal: width for signal, width, _ in ports + inside},
            signed=frozenset(signal for signal, _, signed in ports + inside if signed),
            ports=tuple(signal for signal, _, _ in ports),
            units={a or b: module for module, a, b in _INSTANCE.findall(body)},
        )
    return found


def _natural(name: str) -> list[Any]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


@dataclass(frozen=True)
class Trace:
    """A signal to show: its name in its scope, bits, how to show it without a kind, and its kind."""

    name: str
    width: int
    form: str
    kind: str | None


def _traces(scope: Scope, name: str, kinds: Mapping[str, Kind]) -> Iterator[Trace]:
    """A signal: itself where it is of a kind or a number, otherwise its fields."""
    width = scope.widths.get(name)
    if width is None:
        return
    inside = re.compile(re.escape(name) + r"(?:\.(\w+)|\[\d+\])")
    parts = {part: match[1] for part in scope.widths if (match := inside.fullmatch(part))}
    fields = frozenset(field for field in parts.values() if field)
    kind = next((k for k, v in kinds.items() if v.width == width and fields and v.fields == fields), None)
    if kind is None and parts:
        for part in sorted(parts, key=_natural):
            yield from _traces(scope, part, kinds)
        return
    if kind is None and "phase" in kinds and name.endswith(".phase") and width == kinds["phase"].width:
        kind = "phase"
    form = "signed" if name in scope.signed else "dec"
    yield Trace(name, width, form if kind is None and width > 1 else "bin", kind)


def groups(
    verilog: str,
    module: str,
    place: str,
    units: Sequence[str],
    kinds: Mapping[str, Kind],
    states: Mapping[str, Kind],
) -> list[tuple[str, str, list[Trace]]]:
    """What is shown: the ports of the module, then per unit its states and ports.

    Args:
        verilog: text of a core.
        module: name of its top.
        place: path of its instance in a waveform.
        units: see `sim.cores.core.Core`; others follow in the order of their names.
        kinds: of structures and phases, by name.
        states: kinds of state registers, by their path.

    Returns:
        (name of the group, path of the scope, traces); an instance that had to be renamed in the Verilog
        keeps its name here.
    """
    found = scopes(verilog)
    top = found[module]
    names = {instance.removeprefix(SIGNAL_TOO): instance for instance in top.units}
    order = [
        name
        for unit in units
        for name in sorted(names, key=_natural)
        if re.fullmatch(rf"{unit}(_\d+)?", name)
    ]
    order += sorted(set(names) - set(order), key=_natural)
    shown = [("ports", place, top, "")]
    shown += [(u, f"{place}.{names[u]}", found[top.units[names[u]]], f"{u}.") for u in order]
    made = []
    for name, path, scope, prefix in shown:
        traces = [
            Trace(state, width, "bin", prefix + state)
            for state, width in scope.widths.items()
            if prefix + state in states
        ]
        for port in sorted(scope.ports, key=_natural):
            if port not in ("clk", "rst"):
                traces += _traces(scope, port, kinds)
        made.append((name, path, traces))
    return made


@dataclass(frozen=True)
class Place:
    """Where a core is in a waveform.

    Attributes:
        module: its name in the Verilog.
        path: of its instance.
        escape: what names with dots and brackets begin with.
    """

    module: str
    path: str
    escape: str = ""


def in_bench(verilog: str, name: str) -> Place:
    """The place of the core in what Icarus Verilog writes of the bench of an IP.

    Args:
        verilog: text of the IP.
        name: of its module.
    """
    return Place(scopes(verilog)[name].units[CORE], core_path(name), escape="\\")


def view_files(
    core: "Core[Any, Any, Any]", verilog: str, name: str, place: Place | None = None
) -> dict[str, str]:
    """Files to view a waveform of a core with.

    Args:
        core: whose signals they are.
        verilog: text of it.
        name: of the save file of GTKWave.
        place: that of the core in the waveform; that of a top in what Verilator writes if absent.

    Returns:
        Contents by file name: NAME.gtkw; KIND.filter.txt, which it names, and KIND.surfer.txt for every kind.
    """
    kinds, states = core.kinds(), state_kinds(core.component())
    text = io.StringIO()
    save = GTKWSave(text)
    place = place or Place(core.module, f"{SCOPE}.{core.module}")
    for group, path, traces in groups(verilog, place.module, place.path, core.units, kinds, states):
        with save.group(group, closed=group != "ports"):
            for trace in traces:
                escape = place.escape if re.search(r"[.\[]", trace.name) else ""
                save.trace(
                    f"{path}.{escape}{trace.name}" + (f"[{trace.width - 1}:0]" if trace.width > 1 else ""),
                    # Of a name with dots GTKWave shows what stands behind the last
                    alias=trace.name.replace(".", "/"),
                    datafmt=trace.form,
                    translate_filter_file=None if trace.kind is None else f"{trace.kind}.filter.txt",
                )
    files = {f"{name}.gtkw": text.getvalue()}
    for label, kind in (kinds | states).items():
        files[f"{label}.filter.txt"] = kind.gtkwave()
        files[f"{label}.surfer.txt"] = kind.surfer(f"onespike-{label}")
    return files


def views_of(waves: Path) -> Path:
    """The folder beside a waveform, or beside Verilog, that holds what to view it with."""
    return waves.with_suffix(".views")
