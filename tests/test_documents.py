"""Commands, options, files and names that documents and sources give exist."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from onespike.cli import app

ROOT = Path(__file__).parents[1]
PACKAGES = ("golden", "models", "hw", "sim", "synth", "energy", "studies", "onespike")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def lines_of_code(text: str) -> Iterator[str]:
    """Code spans of a document, each on one line, and its lines of indented or fenced code."""
    fenced = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```[a-z]*\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for block in fenced:
        yield from block.splitlines()
    yield from re.findall(r"^ {4}(.+)", rest, re.MULTILINE)
    spans = re.sub(r"^ {4}.+", "", rest, flags=re.MULTILINE)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", spans))


def commands(program: str) -> list[tuple[str, list[str]]]:
    """(document, words after the program) of every call of a program."""
    found = []
    for document in DOCUMENTS:
        for line in lines_of_code(document.read_text()):
            for part in re.split(r"&&|[|;]|\$\(", line):
                words = re.sub(r"(^|\s)#.*", "", part).split()
                while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                    words = words[1:]
                if words and words[0].removeprefix(".venv/bin/") == program:
                    found.append((document.name, words[1:]))
    return found


@cache
def group() -> Any:
    return typer.main.get_command(app)


def test_the_command_line() -> None:
    calls = commands("onespike")
    assert len(calls) > 50
    for document, words in calls:
        command = group()
        while hasattr(command, "commands") and words and not words[0].startswith("-"):
            name, *words = words
            # `onespike synth` with its kinds in a list: synth|program
            several = [command.commands.get(part) for part in name.split("|")]
            assert all(several), f"{document}: onespike has no command {name}"
            command = several[0]
            if len(several) > 1:
                break
        known = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        known |= {"--help"}
        for word in words:
            option = word.split("=")[0]
            if re.fullmatch(r"--?[a-z][a-z0-9-]*", option):
                assert option in known, f"{document}: {command.name} has no option {option}"


def test_modules() -> None:
    calls = [(document, words[1]) for document, words in commands("python") if words[:1] == ["-m"]]
    assert len(calls) > 10
    for document, module in calls:
        if module in ("pytest", "pip", "venv"):
            continue
        path = ROOT.joinpath(*module.split("."))
        file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
        assert file.exists(), f"{document}: no module {module}"
        assert path.is_dir() or '__name__ == "__main__"' in file.read_text(), f"{document}: {module}"


def test_targets() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    calls = commands("make")
    assert len(calls) > 5
    for document, words in calls:
        for word in words:
            if re.fullmatch(r"[a-z][a-z0-9-]*", word):
                assert word in targets, f"{document}: make has no target {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document: Path) -> None:
    prose = re.sub(r"^ {4}.+|`[^`]+`", "", document.read_text(), flags=re.MULTILINE)
    for target in re.findall(r"\]\(([\w./-]+)[^)]*\)", prose):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_pages_of_the_site() -> None:
    """`make docs` ends where a page has no place, or a link leads to Python that is no page."""
    pages = set(re.findall(r"^[\w/-]+$", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE))
    for document in (ROOT / "docs").glob("*.md"):
        assert document.stem in pages | {"index"}, f"{document.name}: not in a toctree of index.md"
        for target in re.findall(r"\]\(([\w./-]+)\.py\)", document.read_text()):
            assert target in pages, f"{document.name}: {target}.py is no page"


def test_the_gallery_has_every_figure() -> None:
    figures = sorted(path.name for path in (ROOT / "docs" / "figures").glob("*.png"))
    shown = re.findall(r"\]\(figures/([\w.-]+)\)", (ROOT / "docs" / "gallery.md").read_text())
    assert sorted(shown) == figures


def exists(name: str) -> bool:
    """Whether a dotted name leads from a module to something that is there."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:depth]))
        except ImportError:
            continue
        for part in parts[depth:]:
            if part in getattr(found, "__annotations__", {}):  # of a class, without a value
                return True
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("package", PACKAGES)
def test_names_in_sources(package: str) -> None:
    """Files, and names that begin with a package or with a module that the source imports."""
    for source in sorted((ROOT / package).rglob("*.py")):
        module = ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for span in re.findall(r"`([\w./-]+)`", source.read_text()):
            first = span.partition(".")[0]
            where = f"{source.relative_to(ROOT)}: {span}"
            if re.fullmatch(r"[\w.-]+(/[\w.-]+)+\.(py|md|json|toml)", span):
                assert (ROOT / span).exists(), where
            elif re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", span):
                assert exists(span), where
            elif re.fullmatch(r"[a-z_]\w*(\.[A-Za-z_]\w*)+", span) and first in imported(source):
                assert exists(f"{module}.{span}"), where


def imported(source: Path) -> set[str]:
    """Modules of a package that a source imports by `from package import module`."""
    lines = re.findall(
        rf"^from (?:{'|'.join(PACKAGES)})[\w.]* import ([\w, ]+)$", source.read_text(), re.MULTILINE
    )
    return {name.strip() for line in lines for name in line.split(",")}
