"""Exported Verilog and its manifest."""

import json
import re
from pathlib import Path

import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.errors import InputError
from hw.export.verilog import Manifest, PlainPort, describe, export, write

PAIR = data.StructLayout({"sign": 1, "phase": 4})
BIT = {"width": 1, "signed": False}
PAIR_LAYOUT = {
    "width": 5,
    "fields": {
        "sign": {"offset": 0, "layout": BIT},
        "phase": {"offset": 1, "layout": {"width": 4, "signed": False}},
    },
}


class Unit(wiring.Component):
    """A register between two streams, beside ports of every other kind."""

    def __init__(self, domain: str = "sync") -> None:
        self._domain = domain
        bus = wiring.Signature({"request": Out(stream.Signature(3)), "level": In(signed(6))})
        super().__init__(
            {
                "i": In(stream.Signature(PAIR)),
                "o": Out(stream.Signature(PAIR, always_ready=True)),
                "bus": In(bus).array(2),
                "enable": In(1),
                "empty": In(0),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.i.ready.eq(self.enable)
        m.d[self._domain] += [self.o.payload.eq(self.i.payload), self.o.valid.eq(self.i.valid)]
        for bus in self.bus:
            m.d[self._domain] += bus.level.eq(bus.request.payload)
        return m


def test_manifest_names_every_port() -> None:
    """Directions are the component's: a request that comes in over `bus` is an input."""
    text, manifest = export(Unit(), "unit", parameters={"lanes": 4}, latency={"o": 1})
    assert (manifest.name, manifest.clock, manifest.reset) == ("unit", "clk", "rst")
    assert [(s.name, s.direction, s.width) for s in manifest.streams] == [
        ("i", "in", 5),
        ("o", "out", 5),
        ("bus__0__request", "in", 3),
        ("bus__1__request", "in", 3),
    ]
    assert [s.always_ready for s in manifest.streams] == [False, True, False, False]
    assert not any(s.always_valid for s in manifest.streams)
    assert manifest.ports == (
        PlainPort(name="bus__0__level", direction="out", width=6, signed=True),
        PlainPort(name="bus__1__level", direction="out", width=6, signed=True),
        PlainPort(name="enable", direction="in", width=1, signed=False),
    )
    assert manifest.parameters == {"lanes": 4}
    assert manifest.latency == {"o": 1}
    header = text[text.index("module unit (") : text.index(");")]
    assert "o__ready" not in header
    assert "empty" not in header
    for name in ("i__payload", "i__valid", "i__ready", "o__payload", "o__valid", "bus__0__request__ready"):
        assert name in header


def test_layouts() -> None:
    """Structures, arrays, enumerations and numbers, nested."""
    assert describe(PAIR) == PAIR_LAYOUT
    assert describe(signed(7)) == {"width": 7, "signed": True}
    assert describe(data.ArrayLayout(PAIR, 3)) == {"width": 15, "length": 3, "element": PAIR_LAYOUT}

    class Mode(enum.Enum, shape=2):
        IDLE = 0
        BUSY = 3

    class Word(data.Struct):
        mode: Mode
        nothing: data.StructLayout({"x": 0})
        pair: PAIR

    assert describe(Word) == {
        "width": 7,
        "fields": {
            "mode": {"offset": 0, "layout": {"width": 2, "signed": False}},
            "pair": {"offset": 2, "layout": PAIR_LAYOUT},
        },
    }
    assert describe(data.StructLayout({})) == {"width": 0, "signed": False}


def test_union_is_refused() -> None:
    with pytest.raises(
        InputError, match="payload must be made of integers, structures and arrays, not Union"
    ):
        describe(data.StructLayout({"u": data.UnionLayout({"a": 1, "b": 2})}))


def test_same_input_same_bytes() -> None:
    first, second = (export(Unit(), "unit") for _ in range(2))
    assert first == second
    assert first[1].to_json() == second[1].to_json()


def test_manifest_survives_json() -> None:
    manifest = export(Unit(), "unit", parameters={"lanes": 4}, latency={"o": 1})[1]
    assert Manifest.from_json(manifest.to_json()) == manifest
    with pytest.raises(InputError, match=r"stream of unit must be one of i, o, .*, not 'x'"):
        manifest.stream("x")
    assert manifest.stream("o").always_ready


def test_write(tmp_path: Path) -> None:
    """Two files, nothing else, and written again over the old ones."""
    place = tmp_path / "new" / "rtl"
    for lanes in (1, 2):
        paths = write(Unit(), "unit", place, {"lanes": lanes}, {"o": 1})
        assert paths == (place / "unit.v", place / "unit.json")
        assert sorted(place.iterdir()) == sorted(paths)
        assert json.loads(paths[1].read_text())["parameters"] == {"lanes": lanes}
        assert "module unit (" in paths[0].read_text()


def test_bad_name() -> None:
    unit = Unit()
    export(unit, "unit")
    with pytest.raises(InputError, match="name of a module must be a Verilog identifier, not '2x'"):
        export(unit, "2x")


def test_other_clock_domain() -> None:
    with pytest.raises(
        InputError, match="clock of unit must be the domain sync, not that of port 'fast_clk'"
    ):
        export(Unit("fast"), "unit")


class Words(wiring.Component):
    """A memory of so many words, all 0 but the first."""

    def __init__(self, depth: int, first: int) -> None:
        self._depth, self._first = depth, first
        super().__init__({"address": In(range(depth)), "word": Out(8), "data": In(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = Memory(shape=8, depth=self._depth, init=[self._first])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [write.addr.eq(self.address), write.data.eq(self.data), write.en.eq(1)]
        m.d.comb += [read.addr.eq(self.address), self.word.eq(read.data)]
        return m


@pytest.mark.parametrize(("depth", "first", "lines"), [(16, 0, 16), (17, 0, 0), (17, 7, 17)])
def test_zeros_of_deep_memories_are_left_out(
    depth: int, first: int, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amaranth has no way to say so: `_deep_memories` goes by what is inside of it, in this version."""
    monkeypatch.setattr("hw.export.verilog.DEEP", 16)
    verilog, _ = export(Words(depth, first), "words")
    assert len(re.findall(r"^ +\S+\[\d+\] = 8'h", verilog, re.MULTILINE)) == lines
