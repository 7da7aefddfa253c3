import json
from dataclasses import replace
from functools import partialmethod

import numpy as np
import pytest

from golden.stochastic.inference import classify
from golden.stochastic.network import SHAPES, load_network
from golden.stochastic.program import compile_network
from onespike.cli import main
from sim.cores.stochastic.network import WholeStochasticCore
from studies.data.datasets import load_images
from studies.stochastic.cases import WEIGHTS as FOLDER

WEIGHTS = FOLDER / "ssa_digits.npz"


def test_shipped_digits_network():
    network = load_network(WEIGHTS)
    assert (network.shape, network.kind) == (SHAPES["digits"], "ssa")
    assert WEIGHTS.stat().st_size < 1_000_000
    data = load_images("digits")
    hits = (classify(network, data.test, 10) == data.test_labels).sum()
    # Spike-exact for seed 1: a change of one spike anywhere may change this number
    assert hits == 443


def test_whole_network_in_rtl(capsys, monkeypatch, tmp_path):
    """And the cycle model, which says the same cycles without it."""
    report, words_of_both = tmp_path / "r.json", ["stochastic", "demo", "--images", "2", "--steps", "2"]
    monkeypatch.setattr(WholeStochasticCore, "run", partialmethod(WholeStochasticCore.run, quick=True))
    assert main([*words_of_both, "--report", str(report)]) == 0
    measured = json.loads(report.read_text())["cycles"]
    lines = capsys.readouterr().out.splitlines()
    # Words of 32 spikes for every token and time step: the stream, and q, k, v, attention, its projection,
    # hidden neurons and theirs in two blocks; class scores
    words = 9 * 2 * (2 + 2 * (6 + 4 + 2 + 4 + 2))
    assert lines[0] == "ssa_digits: 2 images, T=2, seed 1"
    compared = 2 * (32 * words + 10)
    assert lines[1] == f"spikes and scores: {compared} compared with the golden model, 0 differ"
    assert lines[2] == "classes: 2 of 2 right (100.00 %)"
    assert lines[3].endswith(" 0 of 2 images end in another cycle than predicted")
    monkeypatch.setattr(WholeStochasticCore, "run", None)
    assert main([*words_of_both, "--engine", "model", "--report", str(report)]) == 0
    _, classes, cycles, _ = capsys.readouterr().out.splitlines()
    assert classes == "classes: 2 of 2 right (100.00 %)"
    found = json.loads(report.read_text())
    assert (found["comparison"], found["wrong_cycles"]) == (None, 0)
    assert cycles == f"cycles: {found['cycles']:.0f} per image by the cycle model"
    assert found["cycles"] == measured


def test_streamed_weights(capsys, tmp_path):
    """Of 32 lanes and 16 bits: 16 words of an input, and a header of each pass; the lanes wait for some."""
    report, words = tmp_path / "r.json", ["stochastic", "demo", "--images", "2", "--engine", "model"]
    assert main([*words, "--report", str(report)]) == 0
    inside = json.loads(report.read_text())
    assert inside["memory"] is None
    assert main([*words, "--streamed", "--report", str(report)]) == 0
    streamed = json.loads(report.read_text())
    program = compile_network(load_network(WEIGHTS), 32, 10)
    passes = sum(op.passes for op in program.layers)
    assert streamed["memory"]["words"] == 16 * len(program.weights) + passes
    layers = streamed["memory"]["layers"]
    assert sum(layer["words"] for layer in layers) == streamed["memory"]["words"]
    assert {layer["bound"] for layer in layers} <= {"memory", "lanes"}
    waited = sum(layer["waited"] for layer in layers)
    assert waited > 0
    assert f"waited for those of the first {waited} cycles" in capsys.readouterr().out
    assert streamed["cycles"] > inside["cycles"]


def test_a_difference_is_told(capsys, monkeypatch):
    """Golden of another seed: spikes and cycles differ, and the status says so."""
    compute = WholeStochasticCore.compute

    def other(self, job):
        plan = replace(self.config.plan, seed=2)
        return compute(WholeStochasticCore(replace(self.config, plan=plan), taps=True), job)

    monkeypatch.setattr(WholeStochasticCore, "compute", other)
    monkeypatch.setattr(WholeStochasticCore, "run", partialmethod(WholeStochasticCore.run, quick=True))
    assert main(["stochastic", "demo", "--images", "2", "--steps", "2"]) == 1
    assert "the core must agree with the golden model: image 0, " in capsys.readouterr().err


def test_accuracy_command(tmp_path, capsys):
    arguments = [str(WEIGHTS), "--images", "20", "--steps", "1,10", "--seeds", "2", "--float", "98"]
    arguments += ["--report", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.png")]
    assert main(["stochastic", "accuracy", *arguments]) == 0
    report = json.loads((tmp_path / "a.json").read_text())
    assert (report["images"], report["float"]) == (20, 98)
    assert np.mean(report["accuracy"]["ssa"]["10"]) >= 90
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_accuracy_of_a_converted_network_beside(tmp_path, capsys):
    arguments = [str(WEIGHTS), "--images", "30", "--steps", "1,16", "--seeds", "1", "--converted", "digits"]
    assert main(["stochastic", "accuracy", *arguments, "--report", str(tmp_path / "a.json")]) == 0
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["accuracy"]["spiked attention"]["16"][0] >= 90
    assert report["accuracy"]["spiked attention"]["1"][0] < 90
    assert report["float"] >= 90
    assert "30 images; float network:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accuracy", "absent.npz"), "absent.npz: cannot be read"),
        (("accuracy", str(WEIGHTS), "--steps", "0"), "steps must be an integer in 1..1024, not 0"),
        (("accuracy", str(WEIGHTS), "--steps", "1,x"), "must be integers with commas between them"),
        (("accuracy", str(WEIGHTS), "--dataset", "mnist"), "data set must be one of digits"),
        (("accuracy", str(WEIGHTS), "--dataset", "cifar10"), "data set cifar10 needs a folder"),
        (("accuracy", str(WEIGHTS), "--score", "x"), "must be one of unit, row"),
        (
            ("accuracy", str(WEIGHTS), "--float", "nan"),
            "--float must be a percentage in 0..100",
        ),
        (("demo", "--images", "451"), "--images must be an integer in 1..450, not 451"),
        (("demo", "--network", "absent.npz"), "absent.npz: cannot be read"),
        (("demo", "--network", str(FOLDER / "lif_digits.npz")), "has ssa attention, not lif"),
        (("accuracy", str(WEIGHTS), "--float", "98", "--converted", "digits"), "--float must be absent"),
        (("accuracy", str(WEIGHTS), "--steps", "65", "--converted", "digits"), "must be an integer in 1..64"),
        (("accuracy", str(WEIGHTS), "--converted", "absent.npz"), "absent.npz: cannot be read"),
        (
            ("accuracy", str(WEIGHTS), "--images", "2", "--steps", "1", "--converted", "fashion"),
            "images must be 28x28 pixels",
        ),
        (("demo", "--network", "cifar10"), "data set cifar10 needs a folder"),
        (("demo", "--network", "fashion-mnist"), "data set fashion-mnist needs a folder"),
        (("demo", "--lanes", "12"), "StochasticNetworkConfig.lanes must be a power of two, not 12"),
        (("demo", "--engine", "board"), "--engine board needs --port"),
        (("demo", "--steps", "0"), "--steps must be an integer in 1..1024, not 0"),
        (("demo", "--seed", "0"), "--seed must be an integer in 1..4294967295, not 0"),
    ],
)
def test_mistakes(arguments, message, capsys):
    assert main(["stochastic", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
