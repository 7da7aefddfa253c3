"""Every mistake ends with one line on stderr, status 2 and nothing written."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Arrays = dict[str, np.ndarray]


def changed(name: str, value: object) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({name: np.asarray(value)})


def entry(name: str, index: tuple[int, ...], value: float) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        arrays[name][index] = value

    return change


def resized(tokens: int, head_dim: int) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        del arrays["bias"]
        for name in "qkv":
            arrays[name] = np.ones((1, tokens, head_dim), dtype=np.float32)

    return change


def all_but_row(heads: int, tokens: int, head: int, row: int) -> np.ndarray:
    mask = np.ones((heads, tokens, tokens), dtype=bool)
    mask[head, row] = False
    return mask


WRONG_ARRAYS = {
    "missing": (lambda a: a.pop("k"), "must hold q, k and v; k is missing"),
    "unknown": (changed("query", [1.0]), "array must be one of q, k, v, bias, mask, .*, not 'query'"),
    "rank 2": (changed("q", np.ones((5, 4), np.float32)), r"q must be .*head_dim\].*not float32 \[5, 4\]"),
    "integers": (changed("q", np.ones((2, 5, 4), np.int64)), r"q must be float32 .*, not int64"),
    "complex": (changed("v", np.ones((2, 5, 4), np.complex64)), r"v must be float32 .*, not complex64"),
    "text": (changed("k", "abc"), r"k must be float32 .*, not <U3 \[\]"),
    "extended precision": (changed("q", np.ones((2, 5, 4), np.longdouble)), r"q must be float32"),
    "shape of k": (
        changed("k", np.ones((2, 6, 4), np.float32)),
        r"k must be .*\[2, 5, 4\].*\[2, 6, 4\]",
    ),
    "shape of v": (
        changed("v", np.ones((1, 5, 4), np.float32)),
        r"v must be .*\[2, 5, 4\].*\[1, 5, 4\]",
    ),
    "shape of bias": (changed("bias", np.ones((5, 5), np.float32)), r"bias must be .*\[2, 5, 5\].*\[5, 5\]"),
    "shape of mask": (
        changed("mask", np.ones((5, 5), bool)),
        r"mask must be bool \[5\] or \[2, 5, 5\] .*, not bool \[5, 5\]",
    ),
    "type of mask": (changed("mask", np.ones(5, np.float32)), r"mask must be bool .*, not float32 \[5\]"),
    "shape of scale": (changed("scale_q", [1.0]), r"scale_q must be float32 \[2\] .*, not float64 \[1\]"),
    "scalar scale": (changed("scale_q", 1.0), r"scale_q must be float32 \[2\] .*, not float64 \[\]"),
    "zero scale": (changed("scale_k", [1.0, 0.0]), "scale_k must be positive, not 0"),
    "negative scale": (changed("scale_v", [1.0, -2.0]), "scale_v must be positive, not -2"),
    "infinite scale": (changed("scale_v", [1.0, np.inf]), r"scale_v must be finite, not inf at \[1\]"),
    "scales far apart": (changed("scale_o", [1e6, 1e6]), "scale_o/scale_v must be in"),
    "tiny float64": (changed("scale_o", [1e-200, 1e-200]), "scale_o must be at least 1e-100, not 1e-200"),
    "huge float64": (changed("q", np.full((2, 5, 4), 1e60)), r"q must be at most 3.40282e.38 .*, not 1e.60"),
    "NaN": (entry("q", (1, 2, 3), np.nan), r"q must be finite, not nan at \[1, 2, 3\]"),
    "infinity": (entry("v", (0, 0, 1), -np.inf), r"v must be finite, not -inf at \[0, 0, 1\]"),
    "NaN in bias": (entry("bias", (0, 4, 1), np.nan), r"bias must be finite, not nan at \[0, 4, 1\]"),
    "infinite bias": (entry("bias", (0, 4, 1), np.inf), r"bias must be finite, not inf at \[0, 4, 1\]"),
    "row masked by its bias": (
        lambda a: a["bias"][1, 3].fill(-np.inf),
        r"bias, which masks at -5000 or less, and mask must allow .* none in head 1, row 3",
    ),
    "no heads": (
        changed("q", np.ones((0, 5, 4), np.float32)),
        r"one of each, not float32 \[0, 5, 4\]",
    ),
    "no tokens": (
        changed("q", np.ones((2, 0, 4), np.float32)),
        r"one of each, not float32 \[2, 0, 4\]",
    ),
    "no features": (changed("q", np.ones((2, 5, 0), np.float32)), r"not float32 \[2, 5, 0\]"),
    "row without keys": (changed("mask", all_but_row(2, 5, 1, 3)), "none in head 1, row 3"),
    "no keys": (changed("mask", np.zeros(5, bool)), "none in head 0, row 0"),
    "endless bias": (entry("bias", (0, 0, 0), 3e38), "bias must stay below .*, not 3e.38"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS.keys())
@pytest.mark.parametrize("engine", ["golden", "model"])
def test_arrays(
    folder: Path, arrays: Arrays, refused: Callable[..., str], engine: str, change, message: str
) -> None:
    change(arrays)
    np.savez(folder / "in.npz", **arrays)
    words = ["attention", "in.npz", "out.npz", "--report", "report.json", "--engine", engine]
    line = refused(*words, says=message)
    assert line.startswith("onespike: in.npz: ")


BEYOND = {
    "tokens": (resized(129, 4), "default", "tokens must be at most 128 in this configuration, not 129"),
    "features": (resized(2, 65), "default", "head_dim must be at most 64 in this configuration, not 65"),
    "bias": (
        entry("bias", (0, 0, 0), 1e4),
        "default",
        r"bias must be at most \d+ score .*width 21",
    ),
    "no bias": (lambda a: None, "tiny", "bias must be absent: this configuration has bias = false"),
    "no mask": (
        lambda a: (a.pop("bias"), a.update(mask=np.ones(5, bool))),
        "tiny",
        "mask must be absent: this configuration has mask = false",
    ),
}


@pytest.mark.parametrize(("change", "preset", "message"), BEYOND.values(), ids=BEYOND.keys())
@pytest.mark.parametrize("engine", ["model", "rtl"])
def test_beyond_the_configuration(
    folder: Path, arrays: Arrays, refused: Callable[..., str], engine: str, change, preset: str, message: str
) -> None:
    change(arrays)
    np.savez(folder / "in.npz", **arrays)
    refused("attention", "in.npz", "out.npz", "--engine", engine, "--preset", preset, says=message)


@pytest.mark.parametrize("change", [resized(129, 4), resized(2, 65)])
def test_golden_takes_any_shape(folder: Path, arrays: Arrays, run, change) -> None:
    change(arrays)
    np.savez(folder / "in.npz", **arrays)
    assert run("attention", "in.npz", "out.npz").status == 0


def test_no_traceback_of_the_process(folder: Path, arrays: Arrays) -> None:
    """The same, seen from outside: what a shell sees of a mistake."""
    arrays["q"][0, 0, 0] = np.nan
    np.savez(folder / "in.npz", **arrays)
    words = [sys.executable, "-m", "onespike", "attention", "in.npz", "out.npz"]
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == "onespike: in.npz: q must be finite, not nan at [0, 0, 0]\n"
    assert [path.name for path in folder.iterdir()] == ["in.npz"]


@pytest.mark.parametrize("magnitude", [np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max])
def test_whole_range_of_float32(folder: Path, arrays: Arrays, run, magnitude: np.float32) -> None:
    """The largest and the smallest numbers are taken, without a warning or a number that is none."""
    given = {name: np.sign(arrays[name]) * magnitude for name in "qkv"}
    np.savez(folder / "in.npz", **given)
    assert run("attention", "in.npz", "out.npz", "--report", "r.json").status == 0
    with np.load(folder / "out.npz") as archive:
        assert np.isfinite(archive["out_raw"]).all()
