"""Mistakes in the words of `onespike robustness`."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "one of --pairs, --phrases and --data must be given, there is none"),
        (
            ("--phrases", "p.tsv"),
            "--phrases needs --adapters with a classifier, and --adapters needs --phrases",
        ),
        (("--pairs", "p.csv", "--joined", "3"), r"--joined must be an integer in 4\.\."),
        (("--pairs", "p.csv", "--codes", "8"), "--codes must be codes T@a/b"),
    ],
)
def test_bad_words(words: tuple[str, ...], says: str, refused: Callable[..., str]) -> None:
    refused("robustness", "m", *words, says=says)


def test_a_model_and_images_alone(refused: Callable[..., str]) -> None:
    says = "MODEL is for --pairs and --phrases: given with one of them, absent with --data alone"
    refused("robustness", "m", "--data", ".", says=says)
    refused("robustness", "--pairs", "p.csv", says=says)
