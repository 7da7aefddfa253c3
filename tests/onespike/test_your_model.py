"""docs/your-model.md: every command of the page, on the model that comes with the project."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from models.shipped.vit_file import FOLDER
from onespike.board_options import board_config
from sim.board.simulate import compile_board, running
from sim.cores.network.core import WholeNetworkCore
from studies.infer import infer
from tests.onespike.html.reading import assert_numbers, assert_whole, read_page
from tests.test_documents import ROOT, lines_of_code

PAGE = (ROOT / "docs" / "your-model.md").read_text()
MODEL = FOLDER.parent / "users" / "digits_encoder"


def commands(word: str) -> Iterator[list[str]]:
    """Words after `onespike` of the page's commands of this name."""
    for line in lines_of_code(PAGE):
        words = re.sub(r"\s+#.*", "", line).split()
        if words[:2] == ["onespike", word] and words[2:]:
            yield words[1:]


def only(word: str) -> list[str]:
    (found,) = commands(word)
    return found


@pytest.fixture
def spiking(folder: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """What the conversion into build/spiking said."""
    shutil.copytree(MODEL, folder / "build" / "mine")
    monkeypatch.setattr(WholeNetworkCore, "run", partialmethod(WholeNetworkCore.run, quick=True))
    ran = run(*only("convert"))
    assert (ran.status, ran.err) == (0, "")
    return ran.out


def test_from_file_to_hardware(
    spiking: str, folder: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert re.search(r"block1\.norm2 +approximate +0\.\d+", spiking)
    ran = run(*only("evaluate"), "--report", "r.json", "--jobs", "1", "--html", "p.html")
    assert ran.status == 0, ran.err
    report = json.loads((folder / "r.json").read_text())
    page, modes = read_page(folder / "p.html"), report["modes"]
    assert_whole(page)
    assert_numbers(page, report)
    in_place = page.data["figures"]["errors"]["spec"]["data"][0]
    assert dict(zip(in_place["text"], in_place["y"], strict=True)) == {
        node["node"]: node["error"] for node in report["nodes"] if node["error"] is not None
    }
    trained = re.search(r"(\d\d\.\d\d) % of 450 test images", PAGE)
    assert trained
    assert f"{modes['float']['score']['value']:.2f}" == trained[1]
    assert modes["network"]["score"]["value"] > 97

    monkeypatch.setattr(infer, "RTL_IMAGES", 2)
    simulated, on_board = commands("infer")
    assert "--engine" in on_board
    ran = run(*simulated, "--lanes", "16")  # compiled in half the time
    assert ran.status == 0, ran.err
    found = json.loads((folder / "build" / "infer" / "report.json").read_text())
    assert found["accuracy"]["float_network"] == pytest.approx(float(trained[1]), abs=0.01)
    assert (found["rtl"]["images"], found["rtl"]["different"]) == (2, 0)
    assert found["rtl"]["measured"] == found["rtl"]["predicted"]
    ran = run(*only("rtl"))
    assert ran.status == 0, ran.err
    assert list((folder / "build" / "rtl").glob("*.v"))


def wanted_of(word: str) -> Any:
    """What a command for boards makes, from its options."""
    given = dict(zip(only(word)[1::2], only(word)[2::2], strict=True))
    clock = float(given["--clock"])
    return board_config(given.get("--board", "ulx3s-85f"), None, None, clock, given["--network"])


@pytest.mark.long
@pytest.mark.usefixtures("spiking")
def test_on_a_board(folder: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Placed and routed, loaded by a program that takes the loader's place, and run on a simulated board."""
    ran = run(*only("synth"))
    assert ran.status == 0, ran.err
    loader = folder / "bin" / "openFPGALoader"
    loader.parent.mkdir()
    loader.write_text("#!/bin/sh\n")
    loader.chmod(0o755)
    monkeypatch.setenv("PATH", f"{loader.parent}:/usr/bin:/bin")
    ran = run(*only("program"))
    assert ran.status == 0, ran.err
    assert "loaded by openFPGALoader" in ran.out
    wanted = wanted_of("board-sim")
    _, on_board = commands("infer")
    with running(compile_board(wanted.board, wanted.design, wanted.clock)) as port:
        words = [port if word.startswith("/dev/") else word for word in on_board]
        ran = run(*words, "--images", "3", "--timeout", "120")
    assert ran.status == 0, ran.err
    assert json.loads((folder / "build" / "infer" / "report.json").read_text())["board"]["different"] == 0


@pytest.mark.usefixtures("spiking")
def test_the_core_for_a_board() -> None:
    """What is loaded is what was built, and what is simulated."""
    built, loaded, simulated = (wanted_of(word) for word in ("synth", "program", "board-sim"))
    assert (built.board, built.clock) == (loaded.board, loaded.clock)
    assert built.design.parameters == loaded.design.parameters == simulated.design.parameters
