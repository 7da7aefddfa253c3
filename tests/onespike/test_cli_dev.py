"""`onespike dev`: the rules for bad input hold, and an engine alone is measured as its report says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studies.waves.picture import waveform
from studies.waves.trace import chosen, read_signals, read_views
from tests.onespike.conftest import Ran

MISTAKES = {
    "soak --frames 0": r"--frames must be an integer in 1\.\.1000000000, not 0",
    "soak --minutes x": r"'--minutes': must be a number in 0\.\.1e\+06, not 'x'",
    "soak --seed -1": r"--seed must be an integer in 0\.\.4294967295, not -1",
    "area --size 0": r"tokens must be an integer in 1\.\.256, not 0",
    "area --size 8 --rows 9": r"rows must be an integer in 1\.\.8, not 9",
    "area --scheme spiked --plans": "--plans needs --scheme stochastic, not spiked",
    "area --frequency 0": r"'--frequency': must be a number in 0\.001\.\.1e\+06 MHz, not '0'",
    "area --report no/r.json": "--report no/r.json: cannot be written .No such file",
    "sentences absent --report no/r.json": "--report no/r.json: cannot be written .No such file",
    "board-table": "docs/boards.md is to be written: must run in the repository's folder",
    "estimate --once": "No such option: --once",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes(refused: Callable[..., str], words: str) -> None:
    refused("dev", *words.split(), says=MISTAKES[words])


@pytest.mark.parametrize(("option", "known"), [("--board", "ulx3s-85f"), ("--preset", "default")])
def test_unknown_rows(refused: Callable[..., str], folder: Path, option: str, known: str) -> None:
    """Before anything is built or written."""
    (folder / "docs").mkdir()
    (folder / "docs" / "boards.md").write_text("")
    refused("dev", "board-table", option, "other", says=f"{option} must be one of {known}, .* not 'other'")


def test_area(run: Callable[..., Ran], folder: Path) -> None:
    ran = run("dev", "area", "--size", "2", "--encoders", "--report", "r.json", "-o", "tools")
    assert ran.status == 0
    report = json.loads((folder / "r.json").read_text())
    assert (report["size"], report["head_dim"], report["rows"]) == (2, 2, 2)
    ((label, engine),) = report["engines"].items()
    assert label.endswith(", encoders")
    assert engine["lut4"] > engine["flip_flops"] / 2 > 0
    assert engine["dsps"] == 0
    assert engine["tools"]["yosys"]
    assert label in ran.out


# What a file holds behind an empty line, and what is said of it
BAD_VIEWS = {
    "w.gtkw": {
        "+abc": r"line 2 must be \+{NAME} PATH, not '\+abc'",
        "^0": r"line 2 must be \^NUMBER FILTER, not '\^0'",
        "^1 ": r"line 2 must be \^NUMBER FILTER, not '\^1 '",
        "+{\xff} p": "must be UTF-8 text, it is not",
    },
    "spike.filter.txt": {
        "00": "line 2 must be BITS WORD, not '00'",
        "3 THREE": "line 2 must be BITS WORD, not '3 THREE'",
        "00 \xff": "must be UTF-8 text, it is not",
    },
}


def test_waveform(folder: Path, run: Callable[..., Any], refused: Callable[..., None]) -> None:
    """A picture of a waveform that is written here: three signals, a clock of ten cycles."""
    views = folder / "w.views"
    views.mkdir()
    (views / "spike.filter.txt").write_text("00 silent\n01 +B^-0\n10 silent\n11 +B^-1\n")
    (views / "w.gtkw").write_text(
        "@800200\n-ports\n@2028\n^1 spike.filter.txt\n+{i.spike} tb.dut.core.\\i.spike[1:0]\n"
        "@28\n+{valid} tb.dut.core.valid\n@1000200\n-ports\n@800201\n-score\n+{n} tb.dut.core.score.n[1:0]\n"
    )
    head = (
        "$timescale 1s $end $scope module tb $end $var reg 1 c clk $end $var reg 1 ! aclk $end\n"
        "$scope module dut $end $scope module core $end $var wire 2 s \\i.spike [1:0] $end\n"
        "$var wire 1 v valid $end $scope module score $end $var reg 2 n n [1:0] $end\n"
        "$upscope $end $upscope $end $upscope $end $upscope $end $enddefinitions $end\n"
    )
    steps = "".join(
        f"#{10 * n}\n1!\nb{n % 4:b} s\nb{n % 4:b} n\n{n % 2}v\n#{10 * n + 5}\n0!\n" for n in range(1, 11)
    )
    waves = folder / "w.vcd"
    waves.write_text(f"{head}#0\nbx s\nbx n\nxv\n0!\n{steps}#200\n")
    names = ["i.spike", "valid", "score.n"]
    found = read_signals(waves, chosen(read_views(views), names), "aclk")
    assert [signal.name for signal in found] == names
    assert found[0].values == ["+B^-0", "silent", "+B^-1", "silent"] * 2 + ["+B^-0", "silent"]
    assert (found[1].values[:3], found[2].values[:4]) == (["1", "0", "1"], ["1", "2", "3", "0"])
    words = ("dev", "waveform", "w.vcd", "--plot", "w.png", "--signals", ",".join(names), "--cycles", "8")
    ran = run(*words, "--begin", "2")
    assert (ran.status, ran.out) == (0, "w.png\n")
    assert (folder / "w.png").read_bytes()[:4] == b"\x89PNG"
    refused(*words, "--begin", "3", says="must lie in the 10 cycles of the waveform, not 3 and 8")
    refused(*words[:6], "i.spike,o", says="--signals: must be of the save file, 'o' is not")
    refused(*words[:4], "w.gif", says="--plot must name a .png, .svg, .pdf file, not w.gif")
    refused(*words, "--begin", "-1", says="--begin must be an integer in 0..4294967296, not -1")
    waves.write_text(head.replace("aclk", "bclk"))
    refused(*words, says="w.vcd: must hold the signal aclk, it does not")
    (views / "mine.gtkw").write_text("a save file of the user's is no hindrance")
    for text in ("FST", "$upscope $end", f"{head}bqq v", f"{head}b\xff v"):
        waves.write_bytes(text.encode("latin-1"))
        refused(*words, says="w.vcd: must be a value change dump")
    for name, lines in BAD_VIEWS.items():
        path = views / name
        good = path.read_bytes()
        for line, says in lines.items():
            path.write_bytes(b"\n" + line.encode("latin-1"))
            refused(*words, says=f"w.views/{name}: {says}")
        path.write_bytes(good)
    (views / "spike.filter.txt").unlink()
    refused(*words, says="w.views/spike.filter.txt: cannot be read")
    (views / "w.gtkw").unlink()
    refused(*words, says="w.views/w.gtkw: cannot be read .No such file")


def test_what_is_read_of_a_waveform(tmp_path: Path) -> None:
    """Nothing behind the last cycle that is wanted, and a filter belongs to one signal."""
    waves, views = tmp_path / "w.vcd", tmp_path / "w.views"
    views.mkdir()
    (views / "state.filter.txt").write_text("0 IDLE\n1 BUSY\n")
    (views / "w.gtkw").write_text(
        "-u\n^1 state.filter.txt\n@28\n+{a} t.a\n+{b} t.b\n^1 state.filter.txt\nt.c\n+c t.a\n"
    )
    steps = "".join(f"#{2 * n}\n1!\n{n % 2}a\n{n % 2}b\n#{2 * n + 1}\n0!\n" for n in range(1, 5))
    head = "$scope module t $end $var reg 1 ! clk $end $var reg 1 a a $end $var reg 1 b b $end $upscope $end "
    waves.write_text(f"{head}$enddefinitions $end\n#0\n0!\n{steps}bqq a\n")
    state, bit, same = read_signals(waves, read_views(views), "clk", 1, 2)
    assert (state.name, state.values) == ("u.a", ["IDLE", "BUSY"])
    assert (bit.values, same.values) == (["0", "1"], ["0", "1"])
    figure = waveform([state, bit], 1, "", "")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["IDLE", "BUSY"]
    assert len(axes.lines) == 1
