"""Facts that a model's folder states in JSON: each is followed, known to be harmless, or refused by name."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden.errors import MAX_QUOTED, InputError, cut

Refuse = Callable[[str, str], None]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1


# What a value may be: how to tell, and the words for it
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "flag": (lambda value: isinstance(value, bool), "true or false"),
    "count": (_is_count, "a whole number"),
    "fraction": (_is_number, "a number in 0..1"),
    "text": (lambda value: isinstance(value, str), "text"),
    "table": (lambda value: isinstance(value, dict), "a table"),
}


def as_json(value: Any) -> str:
    """A value as JSON writes it, cut where it is long."""
    return cut(json.dumps(value), MAX_QUOTED)


@dataclass
class Facts:
    """A JSON table, read key by key.

    A reader says of every key that it knows what becomes of it; `settle` refuses the others. A key of
    value null is not set. What is wrong goes to `refuse` under the name of the file, so that the reader
    comes to its end.

    Attributes:
        file: name in the folder, for messages.
        table: what it holds.
        refuse: takes (node, reason).
        known: keys that a reader spoke of.
    """

    file: str
    table: dict[str, Any]
    refuse: Refuse
    known: set[str] = field(default_factory=set)

    def take(self, key: str, rule: str, usual: Any = None) -> Any:
        """A value that the reader follows, `usual` where the key is not set or breaks its rule."""
        self.known.add(key)
        if self.table.get(key) is None:
            return usual
        obeys, words = RULES[rule]
        if obeys(self.table[key]):
            return self.table[key]
        self._wrong(key, words)
        return usual

    def one_of(self, key: str, allowed: Iterable[str]) -> str | None:
        """A name among `allowed`, None where the key is not set or names something else."""
        self.known.add(key)
        allowed, said = list(allowed), self.table.get(key)
        if said is None or said in allowed:
            return said
        self._wrong(key, f"one of {', '.join(allowed)}")
        return None

    def only(self, **values: Any) -> None:
        """Keys that have this value where they are set."""
        for key, value in values.items():
            self.known.add(key)
            said = self.table.get(key)
            if said is not None and not _same(said, value):
                self._wrong(key, as_json(value))

    def agree(self, **actual: Any) -> None:
        """Keys that say again what the tensors say."""
        for key, value in actual.items():
            self.known.add(key)
            said = self.table.get(key)
            if said is not None and not _same(said, value):
                self.refuse(
                    self.file, f"{self.file} says {key} = {as_json(said)}, the tensors {as_json(value)}"
                )

    def harmless(self, *keys: str) -> None:
        """Keys that change no output."""
        self.known.update(keys)

    def settle(self) -> None:
        """Refuse every key that no reader spoke of."""
        for key, value in self.table.items():
            if key not in self.known and value is not None:
                said = f"{self.file} says {cut(key, MAX_QUOTED)} = {as_json(value)}"
                self.refuse(self.file, f"{said}, which is neither followed nor harmless")

    def _wrong(self, key: str, allowed: str) -> None:
        self.refuse(self.file, f"{key} in {self.file} must be {allowed}, not {as_json(self.table[key])}")


def _same(left: Any, right: Any) -> bool:
    """Equality that tells true from 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key is there twice")
    return table


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        InputError: not readable, damaged, or with a key that is there twice.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_each_once)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error})") from None
