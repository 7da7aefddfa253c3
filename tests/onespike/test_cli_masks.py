"""However a file writes its mask, the commands compute the same."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Arrays = dict[str, np.ndarray]
KEYS = np.array([True, True, False, True, True])


def forms(arrays: Arrays) -> dict[str, Arrays]:
    """One mask in several forms; the first has nothing to stumble over."""
    mask = np.tril(np.ones((2, 5, 5), bool)) & KEYS
    plain = arrays | {"mask": mask, "bias": np.where(mask, arrays["bias"], 0)}
    spoilt = {name: arrays[name].copy() for name in "qkv"}
    spoilt["k"][:, ~KEYS], spoilt["v"][:, ~KEYS] = np.nan, np.inf
    lowest = np.finfo(np.float64).min
    return {
        "mask": plain,
        "infinity": arrays | {"bias": np.where(mask, arrays["bias"], np.float32(-np.inf))},
        "large number": arrays | {"bias": np.where(mask, arrays["bias"], np.float32(-1e4))},
        "lowest float64": arrays | {"bias": np.where(mask, arrays["bias"], lowest)},
        "mask of keys beside": arrays
        | {"mask": KEYS, "bias": np.where(mask, arrays["bias"], np.float32(-1e9))},
        "NaN at masked keys": plain | {"bias": np.where(mask, arrays["bias"], np.float32(np.nan))} | spoilt,
    }


@pytest.mark.parametrize("engine", ["golden", "model"])
def test_attention(folder: Path, arrays: Arrays, run, engine: str) -> None:
    found = []
    for form in forms(arrays).values():
        np.savez(folder / "in.npz", **form)
        assert run("attention", "in.npz", "out.npz", "--engine", engine, "--report", "r.json").status == 0
        with np.load(folder / "out.npz") as archive:
            written = {name: archive[name].tolist() for name in archive.files}
        found.append((written, json.loads((folder / "r.json").read_text())))
    assert found[0][0]["attn_phase"][0][0][1:] == [-1] * 4
    for result in found[1:]:
        assert result == found[0]


def test_energy_and_sweep(folder: Path, arrays: Arrays, run) -> None:
    names = []
    for name, form in forms(arrays).items():
        names.append(f"{name}.npz")
        np.savez(folder / names[-1], **form)
    axes = 'lanes = [8]\nsteps = [8]\nlog2_base = ["3/4"]\ntrace_bits = [8]\n'
    (folder / "g.toml").write_text(f"{axes}model = {json.dumps(names)}\n")
    assert run("sweep", "--grid", "g.toml", "-o", "sweep", "--jobs", "1").status == 0
    points = json.loads((folder / "sweep" / "sweep.json").read_text())["points"]
    found = []
    for name, point in zip(names, points, strict=True):
        assert point.pop("model") == name
        assert run("energy", "hardware", name, "--report", "r.json").status == 0
        found.append((json.loads((folder / "r.json").read_text()), point))
    for result in found[1:]:
        assert result == found[0]


@pytest.mark.parametrize("option", ["--heads", "--tokens", "--head-dim"])
def test_size_of_random_heads_beside_a_file(folder: Path, arrays: Arrays, run, option: str) -> None:
    np.savez(folder / "in.npz", **arrays)
    ran = run("energy", "hardware", "in.npz", option, "4", "--report", "r.json")
    message = f"onespike: {option} is the size of random heads, it must not stand beside in.npz\n"
    assert (ran.status, ran.err) == (2, message)
    assert not (folder / "r.json").exists()


@pytest.mark.parametrize("written", [-np.inf, -1e4])
def test_core_without_bias_takes_an_additive_mask(folder: Path, arrays: Arrays, run, written: float) -> None:
    (folder / "c.toml").write_text("bias = false\n")
    arrays["bias"] = np.where(KEYS, 0, written) + np.zeros((2, 5, 5))
    np.savez(folder / "in.npz", **arrays)
    assert run("attention", "in.npz", "out.npz", "--engine", "model", "--config", "c.toml").status == 0


def test_core_without_mask_refuses_it(folder: Path, arrays: Arrays, refused: Callable[..., str]) -> None:
    (folder / "c.toml").write_text("mask = false\n")
    arrays["bias"][..., 2] = -np.inf
    np.savez(folder / "in.npz", **arrays)
    refused(
        *("attention", "in.npz", "out.npz", "--engine", "model", "--config", "c.toml"),
        says=r"mask must be absent: .* mask = false .a bias of -5000 or less masks too.",
    )
