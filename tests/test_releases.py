"""CITATION.cff and CHANGELOG.md say what the project says of itself."""

import re
import tomllib
from datetime import date
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_citation() -> None:
    """The keys that the format asks for, this version, and both papers."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert citation["authors"][0]["name"].lower() in (ROOT / "LICENSE").read_text().lower()
    readme = (ROOT / "README.md").read_text()
    for paper, where in zip(citation["references"], ("NeurIPS 2024", "AICAS 2024"), strict=True):
        assert paper["type"] == "conference-paper"
        assert all({"given-names", "family-names"} == author.keys() for author in paper["authors"])
        assert f"{paper['title'].partition(':')[0]} ({where})" in readme
    (preprint,) = citation["references"][1]["identifiers"]
    assert preprint["value"].replace(":", " ") in (ROOT / "docs" / "results.md").read_text()


def test_changelog() -> None:
    """Sections of the format, newest first; the last release is the version of the project."""
    text = (ROOT / "CHANGELOG.md").read_text()
    first, *releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert first == "[Unreleased]"
    known = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", release) for release in releases]
    assert all(known)
    assert known[0] is not None
    assert known[0][1] == PROJECT["version"]
    days = [date.fromisoformat(found[2]) for found in known if found]
    assert days == sorted(days, reverse=True)
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= KINDS
