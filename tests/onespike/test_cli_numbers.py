"""Numbers as text, too large, too long or none at all: one short line, at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

NINES = "9" * 4200
# More digits than Python reads in decimal, but in another base they come through
HEX = "0x" + "f" * 9000
LONG = "x" * 9000

FRACTIONS = ["1e999999", "1e-99999999", f"1/{NINES}"]
INTEGERS = [NINES, HEX, "9" * 5000, "1e400", f'"{LONG}"']


@pytest.fixture
def short(refused: Callable[..., str]) -> Callable[..., None]:
    """`refused`, and the line is short."""

    def call(*words: str, says: str) -> None:
        assert len(refused(*words, says=says)) < 600

    return call


@pytest.mark.parametrize("text", FRACTIONS, ids=lambda text: text[:12])
def test_fractions(folder: Path, source: str, short: Callable[..., None], text: str) -> None:
    says = 'must be a fraction "a/b", not '
    (folder / "c.toml").write_text(f'log2_base = "{text}"\n')
    (folder / "g.toml").write_text(f'log2_base = ["{text}"]\n')
    short("attention", source, "out.npz", "--config", "c.toml", says=f"c.toml: log2_base {says}")
    short("sweep", "--grid", "g.toml", "-o", "sweep", says=f"log2_base {says}")
    short("infer", "-o", "infer", "--log2-base", text, says=f"'--log2-base': {says}")
    words = ("convert", source, "-o", "model", "--samples", source)
    short(*words, "--log2-base", text, says=f"'--log2-base': {says}")


@pytest.mark.parametrize("text", INTEGERS, ids=lambda text: text[:12])
def test_integers_in_files(folder: Path, source: str, short: Callable[..., None], text: str) -> None:
    says = "must be an integer|not a TOML file"
    for key in ("lanes", "steps", "head_dim"):
        (folder / "c.toml").write_text(f"{key} = {text}\n")
        short("attention", source, "out.npz", "--config", "c.toml", says=says)
    for key in ("tokens", "head_dim", "width", "seed", "draw_bits"):
        sizes = {"tokens": "4", "head_dim": "4"} | {key: text}
        (folder / "s.toml").write_text("".join(f"{name} = {value}\n" for name, value in sizes.items()))
        words = ("attention", source, "out.npz", "--scheme", "stochastic", "--config", "s.toml")
        short(*words, says=f"{says}|must be a width")
    for key in ("lanes", "images"):
        (folder / "g.toml").write_text(f"{key} = {text}\n")
        short("sweep", "--grid", "g.toml", "-o", "sweep", says=f"{says}|must be a list of integers")


@pytest.mark.parametrize("text", [NINES, "9" * 30, "-1", LONG], ids=lambda t: t[:12])
@pytest.mark.parametrize(
    "words",
    [
        *(["attention", "in.npz", "out.npz", option] for option in ("--window", "--seed")),
        *(["energy", "hardware", option] for option in ("--heads", "--tokens", "--head-dim", "--seed")),
        *(["predict", "bert-base", option] for option in ("--tokens", "--seed")),
        *(["example", "new.npz", option] for option in ("--heads", "--tokens", "--head-dim", "--seed")),
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_integer_options(source: str, short: Callable[..., None], words: list[str], text: str) -> None:
    short(*words, text, says="must be an integer")


@pytest.mark.parametrize("text", ["1e400", "nan", "-1", LONG], ids=lambda text: text[:12])
@pytest.mark.parametrize(
    "words",
    [
        ["predict", "bert-base", "--clock"],
        ["predict", "bert-base", "--density"],
        ["predict", "bert-base", "--dense-density"],
        ["energy", "hardware", "--clock-pj"],
        ["energy", "stochastic", "--rate"],
        ["energy", "stochastic", "--score-rate"],
        ["energy", "stochastic", "--register-pj"],
        ["synth", "--clock"],
        ["attention", "in.npz", "out.npz", "--engine", "board", "--port", "p", "--timeout"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_number_options(source: str, short: Callable[..., None], words: list[str], text: str) -> None:
    short(*words, text, says=r"must be a number in .* not '")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["attention", "in.npz", "out.npz", "--engine", LONG], "must be one of golden, .* not 'xxx"),
        (["attention", "in.npz", "out.npz", "--preset", LONG], "preset must be one of default, .* not 'xxx"),
        (["attention", "in.npz", "out.npz", f"--{LONG}"], "No such option: --xxx"),
        (["attention", "in.npz", "out.npz", LONG], "unexpected extra argument.* .xxx"),
        (["attention", LONG, "out.npz"], "xxx.*cannot be read .File name too long"),
        ([LONG], "No such command 'xxx"),
        (["energy", "paper", LONG], "MODEL must be one of .* not 'xxx"),
        (["synth", "--board", LONG], "board must be one of .* not 'xxx"),
    ],
    ids=lambda value: value[-1][:9] if isinstance(value, list) else None,
)
def test_long_words(source: str, short: Callable[..., None], words: list[str], says: str) -> None:
    short(*words, says=says)


def test_long_names(folder: Path, arrays: dict[str, np.ndarray], short: Callable[..., None]) -> None:
    np.savez(folder / "in.npz", **arrays, **{LONG: np.zeros(1)})
    short("attention", "in.npz", "out.npz", says="array must be one of .* not 'xxx")
    (folder / "c.toml").write_text(f"{LONG} = 1\n")
    short("rtl", "-o", "verilog", "--config", "c.toml", says="c.toml: unknown key 'xxx")
