"""`import onespike`: what it gives, that every name has an example that runs, and what loading it costs."""

import doctest
import inspect
import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import onespike
import onespike.public
from tests.models.test_libraries import FOLDERS

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
MODULES = [f"onespike.public.{module.name}" for module in pkgutil.iter_modules(onespike.public.__path__)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A current folder that the examples write to, one after the other."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("examples")
    shutil.copytree(FOLDERS / "sentence_bert", place / "sentence_bert")
    os.chdir(place)
    yield place
    os.chdir(before)


def test_page(folder: Path) -> None:
    ran = doctest.testfile(str(PAGE), module_relative=False)
    assert ran.attempted > 40
    assert ran.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_functions(folder: Path, name: str) -> None:
    module = import_module(name)
    ran = doctest.testmod(module)
    assert ran.failed == 0
    for function in (value for value in vars(module).values() if inspect.isfunction(value)):
        if function.__module__ == name:
            assert ">>>" in (function.__doc__ or ""), f"{name}.{function.__name__} has no example"


@pytest.mark.parametrize("name", onespike.public.__all__)
def test_every_name_is_documented(name: str) -> None:
    value = getattr(onespike, name)
    assert value is getattr(onespike.public, name)
    examples = "\n".join(example.source for example in doctest.DocTestParser().get_examples(PAGE.read_text()))
    assert f"onespike.{name}" in examples
    assert f"`onespike.{name}`" in PAGE.read_text()
    assert isinstance(value, dict) or value.__doc__


def test_names() -> None:
    assert dir(onespike) == sorted({"__version__", *onespike.public.__all__})
    with pytest.raises(AttributeError, match="module 'onespike' has no attribute 'spiking'"):
        _ = onespike.spiking
    # A module that is loaded becomes an attribute of its package and would hide the name
    assert not set(onespike.public.__all__) & {
        module.name for module in pkgutil.iter_modules(onespike.__path__)
    }
    space: dict[str, object] = {}
    exec("from onespike import *", space)
    assert set(onespike.public.__all__) <= set(space)


@pytest.mark.parametrize("name", ["attention", "convert", "load_network"])
def test_mistakes_name_the_value(name: str, folder: Path) -> None:
    calls = {
        "attention": (([[1.0]], [[1.0]], [[1.0]]), {"engine": "board"}, "engine board needs an open board"),
        "convert": (("absent.npz", "absent.txt", "out"), {}, "absent.npz"),
        "load_network": ((Path("absent.npz"),), {}, "absent.npz: cannot be read"),
    }
    words, options, says = calls[name]
    with pytest.raises(onespike.InputError, match=says):
        getattr(onespike, name)(*words, **options)
    assert not Path("out").exists()


def test_loading_is_quick() -> None:
    """The import alone loads nothing of ours, let alone NumPy; the first name loads all of them."""
    script = """
import sys
import onespike
assert onespike.__version__
ours = {"golden", "models", "hw", "sim", "synth", "energy", "studies", "numpy", "amaranth", "typer"}
print(*sorted(ours & {name.partition(".")[0] for name in sys.modules}))
onespike.PhaseCode
print("numpy" in sys.modules, "matplotlib" in sys.modules, "sklearn" in sys.modules, "typer" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["", "True False False False"]
