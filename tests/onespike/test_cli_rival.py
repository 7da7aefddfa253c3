"""`onespike attention --scheme integer` and `onespike dev rival`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from golden.integer.job import compute, decode_outputs, prepare
from studies.data.random import random_heads
from studies.rival.contest import contenders
from tests.onespike.conftest import Ran


def test_arrays_and_report(run: Callable[..., Ran], folder: Path) -> None:
    arrays = random_heads(2, 9, 8, seed=3)
    np.savez("in.npz", **arrays)
    (folder / "core.toml").write_text("bits = 6\nlanes = 4\ncluster = 4\ntokens = 9\nhead_dim = 8\n")
    files = ("in.npz", "out.npz", "--engine", "model", "--report", "r.json")
    ran = run("attention", *files, "--scheme", "integer", "--config", "core.toml")
    assert ran.status == 0
    job, scales = prepare(**arrays, bits=6)
    integers = compute(job)
    with np.load("out.npz") as found:
        assert (found["out_code"] == integers.out).all()
        assert (found["weight"] == integers.weight).all()
        assert (found["out"] == decode_outputs(job, integers, scales)[0]).all()
    report = json.loads((folder / "r.json").read_text())
    assert report["scheme"] == "integer"
    assert report["configuration"]["bits"] == 6
    assert report["events"]["score_products"] == 2 * 9 * 9 * 8
    assert report["error"]["out"]["relative_rmse"] < 0.2


def test_key_serial(run: Callable[..., Ran], refused: Callable[..., str], folder: Path) -> None:
    """The same file as of the lane-parallel core, and a report that names the scheme."""
    np.savez("in.npz", **random_heads(2, 8, 8, seed=3))
    files = ("--preset", "tiny", "--engine", "model", "--window", "7")
    assert run("attention", "in.npz", "a.npz", *files).status == 0
    serial = ("attention", "in.npz", "b.npz", "--scheme", "key-serial")
    assert run(*serial, *files, "--report", "r.json").status == 0
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    report = json.loads((folder / "r.json").read_text())
    assert report["scheme"] == "key-serial"
    assert report["events"]["trace_lookups"] == 2 * 2 * 8 * 8 * 8
    (folder / "core.toml").write_text('trace_store = "logic"\n')
    refused(*serial, "--config", "core.toml", says="core.toml: unknown key 'trace_store'")


def test_options_of_other_schemes(refused: Callable[..., str], folder: Path) -> None:
    np.savez("in.npz", **random_heads(1, 4, 4, seed=3))
    scheme = ("attention", "in.npz", "out.npz", "--scheme", "integer")
    refused(*scheme, "--window", "3", says="--window needs --scheme spiked or key-serial, not integer")
    refused(*scheme, "--steps", "3", says="--steps needs --scheme stochastic, not integer")
    refused(*scheme, "--preset", "pico", says="preset must be one of default, lean, digits, not 'pico'")


def test_contest(run: Callable[..., Ran], folder: Path) -> None:
    np.savez("in.npz", **random_heads(2, 8, 4, seed=3))
    ran = run("dev", "rival", "in.npz", "--report", "r.json")
    assert ran.status == 0
    labels = [contender.label for contender in contenders()]
    assert [standing["label"] for standing in json.loads((folder / "r.json").read_text())] == labels
    assert all(word in ran.out for word in ("spikes", "8 bits", "4 bits", "cosine"))


def test_mistakes(refused: Callable[..., str], folder: Path) -> None:
    refused("dev", "rival", "--whole", says="--whole needs --synthesise")
    refused("dev", "rival", "--synthesise", "8", "--route", says="--route needs --whole")
    refused("dev", "rival", "--synthesise", "8", "--whole", "--seeds", "2", says="--seeds needs --route")
    refused("dev", "rival", "--synthesise", "bytes", says="--synthesise must be part of a name of a core")
    np.savez("big.npz", **random_heads(1, 129, 4, seed=3))
    refused("dev", "rival", "big.npz", says="tokens must be at most 128 in this configuration, not 129")
