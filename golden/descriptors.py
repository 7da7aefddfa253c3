"""Typed descriptors of a core: dataclasses whose fields say the width of their word.

The hardware's layouts are made of such classes, and so are the words that are loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Word:
    """Shape of a field: bits, and how many of them where it is an array."""

    bits: int
    signed: bool = False
    count: int | None = None


def word(make: Callable[[Any], Word | int] | Word | int) -> Any:
    """A field whose word, or its bits where it is unsigned, follows from the configuration of the core; one
    of no bits is left out of the hardware."""

    def shape(config: Any) -> Word:
        made = make(config) if callable(make) else make
        return made if isinstance(made, Word) else Word(made)

    return field(metadata={"word": shape})


def words(kind: type, config: Any) -> dict[str, Word]:
    """The fields of a descriptor or table entry that a core has, in their order."""
    found = {f.name: f.metadata["word"](config) for f in fields(kind)}
    return {name: word for name, word in found.items() if word.bits}
