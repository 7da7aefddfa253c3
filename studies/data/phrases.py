"""Labelled phrases as GLUE has them (SST-2): a .tsv, or a .tsv.gz, whose header names its two columns."""

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted

# Of a label
DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """Texts and their classes, int64 [texts]."""

    texts: list[str]
    labels: NDArray[np.int64]


def read_phrases(path: Path) -> Phrases:
    """Texts and labels; of the two columns one is named label, in either order.

    Raises:
        InputError: the file cannot be read, is damaged or empty, or a line is not of this form.
    """
    if not path.name.endswith((".tsv", ".tsv.gz")):
        raise InputError(f"{path}: labelled phrases must be a .tsv or .tsv.gz file")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (EOFError, zlib.error):
        raise InputError(f"{path}: must be a whole gz file, it is damaged or cut short") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not readable as UTF-8 text in columns ({error})") from None
    header = rows[0] if rows else []
    if len(header) != 2 or header.count("label") != 1:
        raise InputError(f"{path}: must begin with a header of two columns, one of them label")
    where = header.index("label")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2:
            raise InputError(f"{path}: line {number} must have 2 columns, not {len(row)}")
        label = row[where]
        if not (label.isascii() and label.isdecimal() and len(label) <= DIGITS):
            raise InputError(
                f"{path}: label in line {number} must be 0..{10**DIGITS - 1}, not {quoted(label)}"
            )
        if not row[1 - where].strip():
            raise InputError(f"{path}: line {number} must have a text")
    if len(rows) < 2:
        raise InputError(f"{path}: the data set is empty")
    texts = [row[1 - where].strip() for row in rows[1:]]
    return Phrases(texts=texts, labels=np.array([int(row[where]) for row in rows[1:]], dtype=np.int64))
