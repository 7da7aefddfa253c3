"""Help pages, and the places of commands and options."""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.onespike.commands import COMMANDS
from tests.onespike.conftest import Ran

FOLDER = Path(__file__).parents[2] / "onespike" / "commands"
# Options of one name that mean something of their own in each of these commands
OWN = {
    "--board": {"board_options", "board_table"},
    "--clock": {"board_options", "infer", "predict"},
    "--codes": {"losses", "robustness"},
    "--data": {"network_options", "infer"},
    "--engine": {"attention", "board_options", "demo"},
    "--head-dim": {"options", "area", "stochastic"},
    "--heads": {"options", "convert", "stochastic", "study"},
    "--images": {"accuracy", "demo", "dense", "infer", "robustness", "sim"},
    "--json": {"options", "presets"},
    "--network": {"board_options", "demo", "dense", "infer", "rtl"},
    "--output": {"area", "dense", "losses", "options", "rival", "robustness", "soak", "sweep", "synth"},
    "--pairs": {"robustness", "search"},
    "--preset": {"board_options", "board_table", "options"},
    "--samples": {"convert", "losses"},
    "--seed": {"attention", "compare", "demo", "options"},
    "--seeds": {"accuracy", "board_options"},
    "--size": {"area", "study"},
    # Of random heads, of a text encoder, and of the network of a model
    "--tokens": {"convert", "network_options", "options", "stochastic"},
    "--steps": {"accuracy", "attention", "compare", "demo", "options", "stochastic"},
    "--streamed": {"network_options", "predict"},
    "--synthesise": {"dense", "rival"},
    "--waves": {"attention", "infer", "sim"},
}


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "onespike")
def test_page(words: tuple[str, ...], run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns nothing is cut, and lines of code stand by themselves."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    page = run(*words, "--help").out
    lines = [line.strip() for line in page.splitlines()]
    assert max(map(len, page.splitlines())) <= 80
    assert "…" not in page
    command = COMMANDS[words]
    for line in re.findall(r"^ {4}(\S.*)", inspect.cleandoc(command.help), re.MULTILINE):
        assert line.strip() in lines, f"broken: {line}"
    shown = "".join(re.sub(r"[│\s]", "", page))
    for parameter in command.params:
        for option in parameter.opts:
            assert option in page or parameter.metavar in page, option
        text = re.sub(r"[`\s]", "", getattr(parameter, "help", None) or "")
        assert text, f"{parameter.name} has no help"
        pieces = [re.sub(r"\s", "", piece) for piece in columns(page)]
        assert any(text in piece for piece in pieces) or text in shown, f"cut: {text}"


def columns(page: str) -> list[str]:
    """Texts of the last column of a table, joined over its lines."""
    rows, texts = [line[1:-1] for line in page.splitlines() if line.startswith("│")], []
    starts = sorted({match.start() for row in rows for match in re.finditer(r"(?<=  )\S", row)})
    for start in starts:
        texts.append(" ".join(row[start:] for row in rows))
    return texts


def test_places() -> None:
    """A command has the file of its name, a group the folder of its name, and there is no other file."""
    places = set()
    for words, command in COMMANDS.items():
        if command.callback is not None and not hasattr(command, "commands"):
            place = ".".join(("onespike.commands", *(word.replace("-", "_") for word in words)))
            assert inspect.unwrap(command.callback).__module__ == place
            places.add(Path(*place.split(".")[2:]).with_suffix(".py"))
    assert places == {p.relative_to(FOLDER) for p in FOLDER.rglob("*.py") if p.name != "__init__.py"}


def test_commands_for_developers_stand_apart(run: Callable[..., Ran]) -> None:
    page = run("--help").out
    assert re.search(r"─ For developers of Onespike ─+╮\n│ dev ", page)
    assert {words[1:] for words in COMMANDS if words[:1] == ("dev",)} > {("soak",), ("area",)}


def test_options_are_written_once() -> None:
    """An option of one name in several files is one of those that mean different things there."""
    files = defaultdict(list)
    for path in [*FOLDER.rglob("*.py"), *FOLDER.parent.glob("*options.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Option", "_size"):
                names = [a.value for a in node.args if isinstance(a, ast.Constant)]
                for name in names:
                    if str(name).startswith("--"):
                        files[name].append(path.stem)
    assert {name: sorted(set(places)) for name, places in files.items() if len(places) > 1} == {
        name: sorted(places) for name, places in OWN.items()
    }
