"""Tokens of sentences: cut with their special tokens, by a tokenizer that its settings agree with."""

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import ByteLevel, Whitespace
from tokenizers.processors import TemplateProcessing

from golden.errors import InputError
from models.files.facts import Facts
from models.files.text import check_settings, load_tokenizer, tokenise

WORDS = ["[UNK]", "<s>", "</s>", "a", "b", "c", "d", "e"]


def write(path: Path, byte_level: bool = False) -> Path:
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False) if byte_level else Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s> </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(path / "tokenizer.json"))
    return path / "tokenizer.json"


def test_long_sentences_keep_their_special_tokens(tmp_path: Path) -> None:
    """Padding and length are the caller's, whatever the file was saved with."""
    tokenizer = load_tokenizer(write(tmp_path))
    assert tokenise(tokenizer, ["A b c d e", "a"], 6) == [[1, 3, 4, 5, 2, 2], [1, 3, 2, 2]]


@pytest.mark.parametrize(
    ("byte_level", "settings", "message"),
    [
        (False, {"do_lower_case": True, "strip_accents": None}, None),
        (
            False,
            {"do_lower_case": False},
            "its lowercase is true, tokenizer_config.json says do_lower_case = fa",
        ),
        (False, {"strip_accents": True}, "its strip_accents is null, .* says strip_accents = true"),
        (False, {"tokenize_chinese_chars": False}, "its handle_chinese_chars is true, .* = false"),
        (False, {"add_prefix_space": True}, None),  # words have no space to add
        (True, {"add_prefix_space": True}, "its add_prefix_space is false, .* says add_prefix_space = true"),
    ],
)
def test_settings_of_the_folder_must_be_those_of_the_tokenizer(
    tmp_path: Path, byte_level: bool, settings: dict[str, Any], message: str | None
) -> None:
    path = write(tmp_path, byte_level)
    facts = Facts("tokenizer_config.json", settings, lambda node, reason: None)
    if message is None:
        check_settings(path, facts)
        return
    with pytest.raises(InputError, match=message):
        check_settings(path, facts)
