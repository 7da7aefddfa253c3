import json

import numpy as np
import pytest

from golden.stochastic.network import SHAPES, load_network
from onespike.cli import main
from studies.data.datasets import load_images
from studies.stochastic import demo
from golden.stochastic.inference import classify


def test_shipped_digits_network():
    network = load_network(demo.WEIGHTS)
    assert (network.shape, network.kind) == (SHAPES["digits"], "ssa")
    assert demo.WEIGHTS.stat().st_size < 1_000_000
    data = load_images("digits")
    hits = (classify(network, data.test, 10) == data.test_labels).sum()
    # Spike-exact for seed 1: a change of one spike anywhere may change this number
    assert hits == 445


def test_attention_in_rtl(capsys):
    assert main(["stochastic", "demo", "--images", "4", "--steps", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 digits, T=3, seed 1"
    assert lines[1] == f"spikes: {2 * 3 * 16 * (9 * 9 + 9 * 16)} compared with the golden model, 0 differ"


def test_accuracy_command(tmp_path, capsys):
    arguments = [str(demo.WEIGHTS), "--images", "20", "--steps", "1,10", "--seeds", "2", "--float", "98"]
    arguments += ["--report", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.png")]
    assert main(["stochastic", "accuracy", *arguments]) == 0
    report = json.loads((tmp_path / "a.json").read_text())
    assert (report["images"], report["float"]) == (20, 98)
    assert np.mean(report["accuracy"]["ssa"]["10"]) >= 90
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert (tmp_path / "a.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accuracy", "absent.npz"), "absent.npz: cannot be read"),
        (("accuracy", str(demo.WEIGHTS), "--steps", "0"), "steps must be an integer in 1..1024, not 0"),
        (("accuracy", str(demo.WEIGHTS), "--steps", "1,x"), "must be integers with commas between them"),
        (("accuracy", str(demo.WEIGHTS), "--dataset", "mnist"), "data set must be one of digits"),
        (("accuracy", str(demo.WEIGHTS), "--dataset", "cifar10"), "data set cifar10 needs a folder"),
        (("accuracy", str(demo.WEIGHTS), "--score", "x"), "must be one of unit, row"),
        (
            ("accuracy", str(demo.WEIGHTS), "--float", "nan"),
            "--float must be a percentage in 0..100",
        ),
        (("demo", "--images", "451"), "--images must be an integer in 1..450, not 451"),
        (("demo", "--steps", "0"), "--steps must be an integer in 1..1024, not 0"),
        (("demo", "--seed", "0"), "--seed must be an integer in 1..4294967295, not 0"),
    ],
)
def test_mistakes(arguments, message, capsys):
    assert main(["stochastic", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
