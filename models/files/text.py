"""Sentences as token numbers, by the tokenizer.json that came with the model."""

from pathlib import Path
from typing import Any

from golden.errors import InputError
from models.files.facts import Facts, as_json
from models.files.optional import optional

# Keys of tokenizer_config.json, the class of the step of the tokenizer.json that they set, its attribute
SETTINGS = {
    "do_lower_case": ("normalizer", "BertNormalizer", "lowercase"),
    "strip_accents": ("normalizer", "BertNormalizer", "strip_accents"),
    "tokenize_chinese_chars": ("normalizer", "BertNormalizer", "handle_chinese_chars"),
    "add_prefix_space": ("pre_tokenizer", "ByteLevel", "add_prefix_space"),
}


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


def check_settings(path: Path, config: Facts) -> None:
    """Refuse a tokenizer whose tokenizer_config.json, which the usual libraries follow, says otherwise.

    Raises:
        InputError: as `load_tokenizer`, or settings that differ.
    """
    tokenizer = load_tokenizer(path)
    for key, (step, kind, attribute) in SETTINGS.items():
        found, said = getattr(tokenizer, step), config.table.get(key)
        if said is None or type(found).__name__ != kind:
            continue
        actual = getattr(found, attribute)
        if said != actual:
            raise InputError(
                f"{path}: its {attribute} is {as_json(actual)}, {config.file} says {key} = {as_json(said)}"
            )


def tokenise(tokenizer: Any, sentences: list[str], length: int) -> list[list[int]]:
    """Token numbers of each sentence, those at its end cut to `length` tokens with the special ones."""
    tokenizer.enable_truncation(length)
    return [list(encoding.ids) for encoding in tokenizer.encode_batch(sentences)]
