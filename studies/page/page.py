"""A report as one file for the browser: sections of numbers, plots and views that the reader moves.

The file holds the report itself, `#report`, the same JSON that --report writes; every number in a table names
its place in it, and everything a plot shows lies in `#figures`. Nothing is loaded from anywhere.
"""

import importlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, writing

PACKAGES = ("jinja2", "plotly")
# In the order in which a page needs them
SCRIPTS = ("frame.js", "controls.js", "plots.js", "raster.js", "ramp.js", "maps.js", "start.js")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of a report, as a table shows it.

    Attributes:
        text: for people.
        pointer: its place in the report, an RFC 6901 pointer.
    """

    text: str
    pointer: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of texts and numbers under column titles; the first of a row names it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Number]]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What is drawn.

    Attributes:
        name: of letters, digits and hyphens; no two of a page are the same.
        title: what it shows, in a few words.
        kind: `plot`, a figure of plotly.js, in which texts such as "--blue" stand for colours of the page;
            otherwise a view, drawn by the script of that name.
        spec: data and layout of plotly.js, or what the view wants.
        caption: what is to be seen, and where it comes from.
    """

    name: str
    title: str
    kind: Literal["plot", "raster", "ramp", "maps"]
    spec: Mapping[str, Any]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A picture that does not move; `name` as that of a figure, `title` what it shows, `svg` its text."""

    name: str
    title: str
    svg: str

    @property
    def address(self) -> str:
        """The picture itself, as an address."""
        return f"data:image/svg+xml;base64,{b64encode(self.svg.encode()).decode('ascii')}"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page; `name` as that of a figure, it is the end of the address too."""

    name: str
    title: str
    parts: Sequence[Table | Figure | Drawing]
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A report for the browser.

    Attributes:
        title, remark: what was computed, by what.
        report: what --report writes.
        heads: that the views can show; 0 without views.
    """

    title: str
    remark: str
    report: Mapping[str, Any]
    sections: Sequence[Section]
    heads: int = 0


def number(report: Any, pointer: str, form: str = "{:,}") -> Number:
    """The number at a place of a report, formatted; what is not known is a question mark."""
    value = report
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return Number(text="?" if value is None else form.format(value), pointer=pointer)


def key(name: str) -> str:
    """A key as part of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array of at most 53 bits as the page holds it: type, shape, little-endian bytes in base 64."""
    small = array
    if array.dtype.kind in "iub":
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        kinds = ("int8", "int16", "int32", "float64")
        small = array.astype(next(kind for kind in kinds if _holds(kind, low, high)))
    little = np.ascontiguousarray(small, small.dtype.newbyteorder("<"))
    return {
        "dtype": small.dtype.name,
        "shape": list(array.shape),
        "data": b64encode(little.tobytes()).decode("ascii"),
    }


def _holds(kind: str, low: int, high: int) -> bool:
    if kind == "float64":
        return True
    limits = np.iinfo(kind)
    return bool(limits.min <= low and high <= limits.max)


def check_packages(*others: str) -> None:
    """Raise InputError unless what draws a page is installed, and others that one needs besides."""
    for package in (*PACKAGES, *others):
        try:
            importlib.import_module(package)
        except ImportError:
            raise InputError(
                f"--html needs the package {package}, it is not installed (pip install -e '.[html]')"
            ) from None


def write_page(page: Page, path: Path) -> None:
    """Write a page; the same page gives the same bytes.

    Raises:
        InputError: a package is not installed, or the disk is full or the like.
    """
    check_packages()
    from jinja2 import Environment, StrictUndefined
    from plotly.offline import get_plotlyjs

    here = files("studies.page")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    environment.tests["table"] = lambda part: isinstance(part, Table)
    environment.tests["drawing"] = lambda part: isinstance(part, Drawing)
    environment.tests["number"] = lambda cell: isinstance(cell, Number)
    template = environment.from_string((here / "page.html").read_text(encoding="utf-8"))
    figures = [part for section in page.sections for part in section.parts if isinstance(part, Figure)]
    text = template.render(
        page=page,
        figures={figure.name: {"kind": figure.kind, "spec": figure.spec} for figure in figures},
        plotly=get_plotlyjs(),
        style=(here / "page.css").read_text(encoding="utf-8"),
        scripts=[(here / name).read_text(encoding="utf-8") for name in SCRIPTS],
    )
    with writing(path.name):
        path.write_text(text, encoding="utf-8")
