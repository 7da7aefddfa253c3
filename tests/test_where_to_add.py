"""What `docs/architecture.md` says of where things are added, held by who spells their names."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from hw.board.clock import PLL_RANGES
from models.floating.functions import ACTIVATIONS
from models.layouts import LAYOUTS
from synth.boards import BOARDS
from synth.families import FAMILIES
from tests.test_documents import PACKAGES, ROOT

TABLE = "| where do I add ... |"


def row(change: str) -> str:
    """The files cell of a change."""
    (found,) = (line for line in table() if line.startswith(f"| {change} |"))
    return found.split("|")[2].strip()


def table() -> list[str]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    return text[text.index(TABLE) :].split("\n\n")[0].splitlines()[2:]


def paths(cell: str) -> list[str]:
    return re.findall(r"`([\w./]+/[\w./]*)`", cell)


def spelled(path: Path) -> Iterator[str]:
    """Texts of a source."""
    if path.suffix == ".toml":
        yield from re.findall(r"[\w-]+", path.read_text())
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def who_spells(names: Iterable[str]) -> set[str]:
    """Sources of the packages in which one of these names is a text of its own."""
    wanted = set(names)
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".toml") and not wanted.isdisjoint(spelled(path))
    }


def test_the_files_are_there() -> None:
    named = [path for line in table() for path in paths(line)]
    assert len(named) > 20
    for path in named:
        assert (ROOT / path).exists(), path


def test_the_counts_are_those_of_the_files() -> None:
    """`N: ...`; "its file in FOLDER" is a file too, tests are not counted."""
    counted = 0
    for line in table():
        for count, files in re.findall(r"(\d+): ([^|]*?)(?=; \d where|$)", line.split("|")[2].strip()):
            source = [path for path in paths(files) if not path.startswith("tests/")]
            if "where" not in line:
                assert len(source) == int(count), line
                counted += 1
    assert counted >= 4


def test_a_board_of_a_known_family() -> None:
    # One that is no default of a command or a soak
    assert "tangnano9k" in BOARDS
    assert who_spells(["tangnano9k"]) == set(paths(row("a board of a known family")))


def test_a_family() -> None:
    assert set(FAMILIES) == set(PLL_RANGES)
    assert who_spells(set(FAMILIES) - {"ecp5"}) == set(paths(row("a family of devices"))) | {
        "synth/boards.py"
    }


def test_an_activation() -> None:
    # Those of which the conversion knows nothing
    plain = set(ACTIVATIONS) - {"gelu", "relu"}
    assert plain
    # A family of checkpoints may have one by default, or spell one in a way of its own
    outside = {path for path in who_spells(plain) if not path.startswith("models/layouts/")}
    assert outside == {paths(row("an activation function"))[0]}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_of_checkpoints(layout: str) -> None:
    assert (ROOT / f"models/layouts/{layout.replace('-', '_')}.py").exists()
    # A file beside the weights has the name of one
    users = {"distilbert": {"models/files/folder.py"}}
    # Within the folder a name is a kind of model in a configuration too
    outside = {path for path in who_spells([layout]) if not path.startswith("models/layouts/")}
    assert outside == users.get(layout, set())
