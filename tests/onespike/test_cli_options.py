"""Wrong options and configurations."""

from collections.abc import Callable
from pathlib import Path

import pytest

OPTIONS = {
    "engine": (["--engine", "fast"], "'--engine': must be one of golden, model, rtl, board, not 'fast'"),
    "preset": (["--preset", "huge"], "preset must be one of default, .*, not 'huge'"),
    "both": (["--preset", "tiny", "--config", "c.toml"], "--preset and --config exclude each other"),
    "window, long": (["--window", "17"], r"--window must be an integer in 1\.\.16, not 17"),
    "window, none": (["--window", "0"], r"--window must be an integer in 1\.\.16, not 0"),
    "window, word": (["--window", "all"], "'--window': must be an integer, not 'all'"),
    "window of a preset": (["--preset", "tiny", "--window", "9"], r"--window must be .* 1\.\.8, not 9"),
    "seed": (["--seed", "1.5"], "'--seed': must be an integer, not '1.5'"),
    "waves of golden": (["--waves", "w.fst"], "--waves needs --engine rtl, not golden"),
    "waves of the model": (
        ["--waves", "w.fst", "--engine", "model"],
        "--engine rtl, not model",
    ),
    "form of waves": (["--waves", "w.vcd", "--engine", "rtl"], "--waves must name an .fst file, not w.vcd"),
    "unknown": (["--speed"], "No such option: --speed"),
    "value missing": (["--report"], "--report"),
    "word too many": (["more"], "unexpected extra argument"),
}


@pytest.mark.parametrize(("words", "message"), OPTIONS.values(), ids=OPTIONS.keys())
def test_options(source: str, refused: Callable[..., str], words: list[str], message: str) -> None:
    refused("attention", source, "out.npz", *words, says=message)


CONFIGS = {
    "unknown key": ("lane = 4", "c.toml: unknown key 'lane'; allowed are base, steps"),
    "unknown table": ("[core]\nlanes = 4", "c.toml: unknown key 'core'"),
    "no TOML": ("lanes: 4", "c.toml: not a TOML file"),
    "no text": ("\x00\x01", "c.toml: not a TOML file"),
    "range": ("lanes = 0", r"lanes must be an integer in 1\.\.256, not 0"),
    "type": ('lanes = "64"', r"lanes must be an integer in 1\.\.256, not '64'"),
    "no integer": ("steps = 16.0", r"steps must be an integer in 1\.\.64, not 16.0"),
    "boolean": ("bias = 1", "bias must be true or false, not 1"),
    "fraction": ('log2_base = "a/b"', "log2_base must be a fraction \"a/b\", not 'a/b'"),
    "base beyond": ('log2_base = "5/2"', r"log2_base must be a fraction a/b in \(0, 2\]"),
    "combination": ("lanes = 60\ncluster = 8", r"cluster must divide lanes \(60\), not 8"),
    "tokens per lane": ("lanes = 4\ncluster = 4\ntokens = 65", r"at most 16 per lane \(64\), not 65"),
    "preset": ('base = "none"', "preset must be one of .*, not 'none'"),
}


@pytest.mark.parametrize(("text", "message"), CONFIGS.values(), ids=CONFIGS.keys())
@pytest.mark.parametrize("command", [["attention", "in.npz", "out.npz"], ["rtl", "-o", "verilog"]])
def test_configurations(
    folder: Path, source: str, refused: Callable[..., str], command: list[str], text: str, message: str
) -> None:
    (folder / "c.toml").write_text(text)
    refused(*command, "--config", "c.toml", says=message)


def test_absent_configuration(source: str, refused: Callable[..., str]) -> None:
    refused("attention", source, "out.npz", "--config", "c.toml", says="c.toml: cannot be read .No such file")


def test_name_with_a_line_break(source: str, refused: Callable[..., str]) -> None:
    refused("attention", source, "out.npz", "--config", "c\n.toml", says="c .toml: cannot be read")


def test_file_as_output_folder(source: str, refused: Callable[..., str]) -> None:
    for command in ("rtl", "sim"):
        refused(command, "-o", source, says="-o must be a folder, not the file in.npz")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--heads", "0"], r"--heads must be an integer in 1\.\.64, not 0"),
        (["--tokens", "2000"], r"--tokens must be an integer in 1\.\.1024, not 2000"),
        (["--head-dim", "x"], "'--head-dim': must be an integer, not 'x'"),
        (["--seed", "-1"], "--seed must be an integer in 0"),
    ],
)
def test_example(refused: Callable[..., str], words: list[str], message: str) -> None:
    refused("example", "in.npz", *words, says=message)


def test_seed(source: str, refused: Callable[..., str]) -> None:
    for words in (["attention", source, "out.npz"], ["sim"], ["bench"]):
        refused(*words, "--seed", "-1", says=r"--seed must be an integer in 0\.\.4294967295, not -1")


def test_commands(refused: Callable[..., str]) -> None:
    refused("train", says="No such command 'train'")
    refused("attention", says="Missing argument 'IN.npz'")
    refused("rtl", says="Missing option '-o'")
