"""The notebooks run from top to bottom; their cells are Python with comments in Markdown (percent format)."""

import re
import runpy
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

from tests.test_documents import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and pictures that nobody looks at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    matplotlib.use("agg")


@pytest.mark.usefixtures("aside")
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
