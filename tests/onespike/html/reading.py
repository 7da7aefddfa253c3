"""What is in a page, read without a browser."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

# An element without an end
VOID = {"meta", "link", "img", "input", "br", "hr"}


class Reader(HTMLParser):
    """Elements, texts of numbers by their pointers, and scripts that hold data."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.numbers: list[tuple[str, str]] = []
        self.texts: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not self.open:
            return
        tag, attributes = self.open[-1]
        if "data-pointer" in attributes:
            self.numbers.append((attributes["data-pointer"] or "", data))
        if tag == "script" and attributes.get("type") == "application/json":
            name = attributes["id"] or ""
            self.texts[name] = self.texts.get(name, "") + data

    @property
    def data(self) -> dict[str, Any]:
        """What the scripts of data hold, by name."""
        return {name: json.loads(text) for name, text in self.texts.items()}


def read_page(path: Path) -> Reader:
    """A page; its elements must be closed in order."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def at(report: Any, pointer: str) -> Any:
    """What a pointer (RFC 6901) leads to."""
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        report = report[int(key)] if isinstance(report, list) else report[key]
    return report


def unpacked(array: dict[str, Any]) -> np.ndarray:
    values = np.frombuffer(b64decode(array["data"]), np.dtype(array["dtype"]).newbyteorder("<"))
    return values.reshape(array["shape"])


def assert_whole(page: Reader) -> None:
    """Nothing is loaded, and the browser is told so."""
    policies = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
    ]
    for tag, attributes in page.elements:
        assert tag != "link"
        assert not {"srcset", "data"} & set(attributes), (tag, attributes)
        assert attributes.get("src", "data:image/svg+xml;base64,").startswith("data:image/svg+xml;base64,")
        assert attributes.get("href", "#").startswith("#")
    places = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(places) == len(set(places))
    assert set(page.data["figures"]) <= set(places)
    assert {a["href"][1:] for tag, a in page.elements if tag == "a"} <= set(places)


def assert_numbers(page: Reader, report: dict[str, Any]) -> None:
    """The page holds the report, and every number that it shows is one of it, rounded."""
    assert page.data["report"] == report
    for pointer, text in page.numbers:
        value = at(report, pointer)
        if value is None:
            assert text == "?"
            continue
        digits = len(re.sub(r"e.*", "", text).partition(".")[2])
        assert float(text.replace(",", "")) == round_half(value, text, digits), (pointer, text, value)


def round_half(value: float, text: str, digits: int) -> float:
    """The value to as many digits as the text has after its point, or six in all as `{:g}` has them."""
    rounded = float(f"{value:.{digits}f}")
    return rounded if rounded == float(text.replace(",", "")) else float(f"{value:.6g}")
