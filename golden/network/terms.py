"""Tables of bias and mask as the attention core takes them: words of neighbouring keys, row by row."""

import numpy as np
from numpy.typing import NDArray


class TermTables:
    """A memory of tables one after the other; equal ones are stored once.

    Attributes:
        per_word: neighbouring keys in a word.
    """

    def __init__(self, per_word: int) -> None:
        self.per_word = per_word
        self._tables: list[NDArray[np.int64]] = []

    def stride(self, size: int) -> int:
        """Words of a row of `size` keys."""
        return -(-size // self.per_word)

    def place(self, tables: NDArray[np.int64]) -> int:
        """Where tables [n, rows, keys] begin that follow each other."""
        address = 0
        for known in self._tables:
            if np.array_equal(known, tables):
                return address
            address += self._words(known)
        self._tables.append(tables)
        return address

    def _words(self, tables: NDArray[np.int64]) -> int:
        count, rows, keys = tables.shape
        return count * rows * self.stride(keys)

    def words(self) -> NDArray[np.int64]:
        """int64 [words, per_word], the lowest key of a row first."""
        parts = [
            np.pad(tables, ((0, 0), (0, 0), (0, -tables.shape[-1] % self.per_word))).reshape(
                -1, self.per_word
            )
            for tables in self._tables
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.per_word), np.int64)
