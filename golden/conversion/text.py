"""Sentences as token numbers, by the tokenizer.json that came with the model."""

from pathlib import Path
from typing import Any

from golden.conversion.optional import optional
from golden.errors import InputError

DEFAULT_LENGTH = 256


def load_tokenizer(path: Path) -> Any:
    """A `tokenizers.Tokenizer` without padding and truncation.

    Raises:
        InputError: missing or damaged file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; text models need their tokenizer.json")
    tokenizers = optional("tokenizers")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises bare Exception
        raise InputError(f"{path}: not readable as a tokenizer ({error})") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def tokenise(tokenizer: Any, sentences: list[str], length: int = DEFAULT_LENGTH) -> list[list[int]]:
    """Token numbers of each sentence, cut to `length` with the last (separating) token kept."""
    numbers = []
    for encoding in tokenizer.encode_batch(sentences):
        ids = list(encoding.ids)
        numbers.append(ids if len(ids) <= length else [*ids[: length - 1], ids[-1]])
    return numbers
