"""Generated Verilog is fit to read, and the same hardware as before it was made so."""

import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.attention.config import PRESETS
from golden.errors import InputError, OutsideError
from hw.attention.cluster import Cluster
from hw.attention.core import AttentionCore
from hw.attention.ramp_sequencer import RampSequencer
from hw.attention.score_sequencer import ScoreSequencer
from hw.attention.winner import WinnerTree
from hw.export.axi import LINT
from hw.export.sources import place_of_class
from hw.export.sources import with_sources as add_sources
from hw.export.verilog import export
from sim.verilator.toolchain import run as run_tool
from sim.verilator.toolchain import verilator_root

ROOT = Path(__file__).parents[3]
POINT = data.StructLayout({"up": 1, "value": signed(4)})


class AddLane(wiring.Component):
    """A sum that is cleared, in steps of a parameter; registers and conditions are nameless."""

    def __init__(self, step: int) -> None:
        self._step = step
        super().__init__({"point": In(POINT), "clear": In(1), "sum": Out(signed(8)), "late": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = [Signal(), Signal(2)]
        up, down = Signal(), Signal()
        m.d.comb += [up.eq(self.point.up & ~self.clear), down.eq(~self.point.up)]
        m.d.sync += [held[0].eq(self.point.up & ~self.clear), held[1].eq(held[1] + held[0])]
        m.d.comb += self.late.eq((held[1] == 3) & ~(up & down))
        with m.If(self.point.up):
            m.d.sync += self.sum.eq(self.sum + self.point.value * self._step)
        with m.If(self.clear):
            m.d.sync += self.sum.eq(0)
        return m


class Lanes(wiring.Component):
    """Lanes, all but the last alike, and a memory."""

    def __init__(self) -> None:
        super().__init__(
            {"point": In(POINT).array(4), "clear": In(1), "sum": Out(signed(8)).array(4), "o": Out(8)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = Memory(shape=8, depth=8, init=range(8))
        write, read = words.write_port(), words.read_port()
        late = Signal(4)
        for lane in range(4):
            m.submodules[f"lane_{lane}"] = unit = AddLane(1 if lane < 3 else 2)
            if not lane:
                m.d.comb += [unit.point.up.eq(1), unit.point.value.eq(self.point[0].value)]
            else:
                m.d.comb += unit.point.eq(self.point[lane])
            m.d.comb += [
                unit.clear.eq(self.clear),
                self.sum[lane].eq(unit.sum),
                late[lane].eq(unit.late),
            ]
        m.d.comb += [write.en.eq(late.any()), write.addr.eq(late), write.data.eq(self.sum[0])]
        m.d.comb += [read.addr.eq(self.sum[1]), self.o.eq(read.data)]
        return m


def modules(verilog: str) -> dict[str, str]:
    """Text of each module by its name."""
    return dict(re.findall(r"^module (\S+) (.*?)^endmodule", verilog, re.MULTILINE | re.DOTALL))


@cache
def with_sources(kind: str) -> str:
    """Verilog of what several tests look at, with file and line of its source."""
    if kind == "lanes":
        return export(Lanes(), "top", sources=True)[0]
    config = replace(PRESETS["pico"], taps=True, lanes=4, cluster=2, terms_per_beat=2)
    return export(AttentionCore(config), "core", sources=True)[0]


def text_of(kind: str) -> str:
    """The same without them."""
    text = re.sub(
        r"^\(\* src = .* \*\)\n|^  \(\* src = \S+ \*\)\n", "", with_sources(kind), flags=re.MULTILINE
    )
    return re.sub(r"^  \(\* src = \S+ \*\) ", "  ", text, flags=re.MULTILINE)


def test_a_module_per_kind() -> None:
    """Lane 0 has a constant where the others have an input; that makes it no other kind."""
    found = modules(text_of("lanes"))
    assert set(found) == {"top", "top_add_lane", "top_add_lane_2"}
    assert re.findall(r"^  (top_\w+) (\w+) \($", found["top"], re.MULTILINE) == [
        *[("top_add_lane", f"lane_{lane}") for lane in range(3)],
        ("top_add_lane_2", "lane_3"),
    ]
    assert "    .point(lane_0_point),\n" in found["top"]
    assert "  assign lane_0_point[0] = 1'h1;\n" in found["top"]


def test_names_say_what_is_computed() -> None:
    lane = modules(text_of("lanes"))["top_add_lane"]
    assert "  wire down;" in lane
    assert "  wire up;" in lane  # the tuple that they are assigned as has no names for Amaranth
    assert "  wire up_and_not_clear;" in lane
    assert "  reg up_and_not_clear_held = 1'h0;" in lane
    assert "  wire \\point.up = point[0];" in lane
    assert re.search(r"always @\(posedge clk\) begin\n    if \(\\point.up \) begin\n      sum <= ", lane)


def test_the_whole_core() -> None:
    """No signal is without a name, no two modules are alike, and ports stand in the heads."""
    verilog = text_of("core")
    assert not re.search(r"\\\$|\$auto|\$\d|\b_\d+_\b", verilog)
    found = modules(verilog)
    assert all(name == "core" or name.startswith("core_") for name in found)
    assert "\n// hw.attention.score_lane.ScoreLane\nmodule core_score_lane (\n" in verilog
    assert len(set(found.values())) == len(found)
    assert not re.search(r"^  (input|output) [^;\n]*;", verilog, re.MULTILINE)


def test_sources() -> None:
    """They are attributes alone, lead to the line that is meant, and name no folder of this machine."""
    assert text_of("lanes") == export(Lanes(), "top")[0]
    lines = Path(__file__).read_text().splitlines()
    declared = r'^  \(\* src = "test_readable.py:(\d+)" \*\) .*?(\w+)(?: = \S+)?[;,]?$'
    found = re.findall(declared, with_sources("lanes"), re.M)
    assert {"point", "sum", "late", "up", "up_and_not_clear"} <= {name for _, name in found}
    for line, name in found:
        assert any(word in lines[int(line) - 1] for word in name.split("_")), (line, name)
    core = with_sources("core")
    places = set(re.findall(r'src = "([^"]*)"', core))
    for place in places:
        file, line = place.split(":")
        assert file.startswith("hw/"), place
        assert len((ROOT / file).read_text().splitlines()) >= int(line)
    # Modules of the library have none, above or inside
    assert re.search(r"^// amaranth\S+\nmodule ", core, re.M)
    kinds = re.findall(r'^// (\S+)\n\(\* src = "(hw\S+):(\d+)" \*\)\nmodule ', core, re.M)
    assert len(kinds) > 20
    for name, file, line in kinds:
        assert (
            (ROOT / file).read_text().splitlines()[int(line) - 1].startswith(f"class {name.split('.')[-1]}(")
        )
    instance = re.search(r'^  \(\* src = "(\S+):(\d+)" \*\)\n  core_cluster cluster_0 \($', core, re.M)
    assert instance is not None
    assert "m.submodules" in (ROOT / instance[1]).read_text().splitlines()[int(instance[2]) - 1]


def test_classes_without_a_source() -> None:
    """As in a notebook's cell or a terminal; one of the library, and one of Python."""
    typed: dict[str, type] = {}
    exec(compile("class Typed: pass", "<stdin>", "exec"), {"__name__": "typed"}, typed)
    found = [place_of_class(kind) for kind in (typed["Typed"], Memory, int, Path, AddLane)]
    assert found[:-1] == [""] * 4
    assert re.fullmatch(r"test_readable.py:\d+", found[-1])
    verilog = export(Lanes(), "top")[0]
    assert add_sources(verilog, {}, {"top": typed["Typed"]}) == verilog


def test_ports_are_those_of_the_source() -> None:
    """Whole structures, though some of their fields are constant or pass a unit, and by their names."""
    config = replace(PRESETS["pico"], taps=True, lanes=4, cluster=2, terms_per_beat=2)
    found = modules(text_of("core"))
    head = re.findall(
        r"^  (?:in|out)put (?:wire|reg) (?:signed )?(?:\[\d+:0\] )?(\w+)", found["core_cluster"], re.M
    )
    cluster = Cluster(config, 0)
    names = {"__".join(map(str, path)) for path, *_ in cluster.signature.flatten(cluster)}
    assert set(head) - {"clk", "rst"} <= names
    # the first has nothing to its left, and nothing reads what passes the last
    assert names - set(head) == {"i_winner_bit", "i_context_sum"}
    assert ".i_key(cluster_0_o_key)" in found["core"]


@pytest.mark.parametrize(
    ("tool", "error", "says"),
    [
        ("false", OutsideError, r"^Yosys failed with status 1 \(false\): it said nothing$"),
        ("/no/yosys", InputError, r"^Yosys must be a program that runs, not /no/yosys \(No such file"),
    ],
)
def test_yosys_that_fails(
    tool: str, error: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOSYS", tool)
    with pytest.raises(error, match=says):
        export(AddLane(1), "lane")


UNITS = {
    "lanes": Lanes,
    "winner tree": lambda: WinnerTree(4, first_cluster=True),
    "ramp sequencer": lambda: RampSequencer(PRESETS["tiny"]),
    "score sequencer": lambda: ScoreSequencer(PRESETS["tiny"]),
}
# From reset on, whatever comes in, nothing differs for so many cycles
CYCLES = 4
FROM_RESET = (
    *("-seq", "1", "-set-init-undef", "-set-def-inputs", "-set-at", "1", "in_rst", "1"),
    *("-tempinduct", "-tempinduct-baseonly", "-maxsteps", str(CYCLES)),
)
PROVE = f"""
read_rtlil gold.il
hierarchy -top gold
proc
memory
flatten
opt_clean
rename gold kept
design -stash gold
read_verilog gate.v
hierarchy -top gold
proc
memory
flatten
opt_clean
rename gold gate
design -stash gate
design -copy-from gold kept
design -copy-from gate gate
miter -equiv -flatten kept gate both
hierarchy -top both
sat -verify -prove trigger 0 {" ".join(FROM_RESET)} both
"""


def differs(name: str, folder: Path, old: str = "", new: str = "") -> bool:
    """Whether RTLIL of a unit and Verilog with `new` for `old` differ, by a bounded proof of Yosys."""
    (folder / "gold.il").write_text(rtlil.convert(UNITS[name](), name="gold", emit_src=False))
    verilog = export(UNITS[name](), "gold")[0]
    assert old in verilog
    (folder / "gate.v").write_text(verilog.replace(old, new))
    (folder / "go.ys").write_text(PROVE)
    run = "from pyosys import libyosys; libyosys.run_pass('script go.ys')"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=folder, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 or "proof did fail" in said, said[-1500:]
    return done.returncode != 0


@pytest.mark.parametrize("name", UNITS)
def test_equal_hardware(name: str, tmp_path: Path) -> None:
    assert not differs(name, tmp_path)


def test_other_hardware_is_found(tmp_path: Path) -> None:
    assert differs("lanes", tmp_path, "<= 8'h00;", "<= 8'h01;")


def test_lint(tmp_path: Path) -> None:
    """Verilator says nothing, but for the documented exceptions."""
    (tmp_path / "core.v").write_text(with_sources("core"))
    run_tool((verilator_root() / "bin" / "verilator_bin", "--lint-only", *LINT, "core.v"), tmp_path)
