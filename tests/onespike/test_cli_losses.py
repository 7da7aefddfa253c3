"""Mistakes in the words of `onespike losses`."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        ("16", "--codes must be codes T@a/b with commas between, not '16'"),
        ("16@1/2,16@1/2", "--codes must name a code once, not '16@1/2,16@1/2'"),
        ("16@x", "--codes must be a fraction \"a/b\", not 'x'"),
        ("99@1/2", "PhaseCode.steps must be an integer in 1..64, not 99"),
    ],
)
def test_codes_that_cannot_be(refused: Callable[..., str], codes: str, says: str) -> None:
    refused("losses", "m", "d", "--codes", codes, says=says)
