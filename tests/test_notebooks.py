"""The notebooks run from top to bottom; their cells are Python with comments in Markdown (percent format)."""

import re
import runpy
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
from packaging.requirements import Requirement

from tests.test_documents import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
# Extras for what Onespike itself does; others are tools, or needed by what all installations have
PARTS = ("models", "html", "fpga", "formal", "torch")


def packages(*extras: str) -> set[str]:
    """What the project installs with these extras, and with those that they name."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    found: set[str] = set()
    for requirement in (Requirement(text) for extra in extras for text in known[extra]):
        found |= packages(*requirement.extras) if requirement.name == "onespike" else {requirement.name}
    return found


@pytest.fixture
def as_make_docs_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra `docs` alone: packages of the others are not there."""
    absent = packages(*PARTS) - packages("docs")
    assert "plotly" in absent
    for module, names in packages_distributions().items():
        if absent.intersection(names):
            monkeypatch.setitem(sys.modules, module, None)


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and pictures that nobody looks at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    matplotlib.use("agg")


@pytest.mark.usefixtures("aside", "as_make_docs_installs")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(notebook))
    plt.close("all")
    assert len(capsys.readouterr().out) > 100


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_has_a_title_and_a_place_in_the_site(notebook: Path) -> None:
    text = notebook.read_text()
    assert re.match(r"# %% \[markdown\]\n# # \S", text)
    assert f"\nnotebooks/{notebook.stem}\n" in (ROOT / "docs" / "index.md").read_text()
    for target in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (notebook.parent / target).exists(), target
