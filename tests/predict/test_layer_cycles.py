"""Cycles of whole networks: attention against the cycle model head by head, dense layers by hand."""

import json
from pathlib import Path

import pytest

from golden.config import PRESETS
from golden.energy.layers import layer_list
from golden.errors import InputError
from onespike.cli import main
from sim.cycle_model import predict
from sim.layer_cycles import attention_cycles, network_cycles, predict_linear, sample_job


def test_attention_of_many_heads_extends_the_cycle_model() -> None:
    config = PRESETS["swin-window"]
    dense = sample_job(12, 49, 32, config, 1.0, seed=1)
    assert attention_cycles(dense, config, 12) == int(predict(dense, config).heads[-1]) + 1
    sparse = sample_job(12, 49, 32, config, 0.4, seed=1)
    whole = int(predict(sparse, config).heads[-1]) + 1
    assert attention_cycles(sample_job(4, 49, 32, config, 0.4, seed=2), config, 12) == pytest.approx(
        whole, rel=0.03
    )


def test_density_of_a_sample() -> None:
    job = sample_job(4, 64, 32, PRESETS["default"], 0.25, seed=3)
    for spikes in (job.q, job.k, job.v):
        assert spikes.count() / spikes.sign.size == pytest.approx(0.25, abs=0.03)


def test_dense_layer() -> None:
    layer = next(x for x in layer_list("bert-base") if x.name == "block0.mlp1")
    predicted = predict_linear(layer, PRESETS["default"], 0.5)
    assert predicted.cycles == 128 * 768 // 2 * (3072 // 64)
    assert predicted.utilisation == 1.0


def test_every_layer_once() -> None:
    found = network_cycles("minilm-l6", PRESETS["default"], density=1, dense_density=1, seed=0, tokens=16)
    names = [layer.name for layer in found]
    assert len(set(names)) == len(names) == 6 * 7
    with pytest.raises(InputError, match=r"density must be in 0..1, not 1.5"):
        network_cycles("minilm-l6", PRESETS["default"], density=1.5, dense_density=1, seed=0)
    with pytest.raises(InputError, match="tokens must be at most 64"):
        network_cycles("bert-base", PRESETS["swin-window"], density=1, dense_density=1, seed=0)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    activity = {
        "b.attention.q": {"neurons": 10, "spikes": 5},
        "b.mlp1.x": {"neurons": 10, "spikes": 8},
        "b.attention.attention": {"neurons": 10, "spikes": 3},
        "b.attention.out": {"neurons": 10, "spikes": 1},
    }
    measured, report = tmp_path / "measured.json", tmp_path / "report.json"
    measured.write_text(json.dumps({"modes": {"linear": {"activity": activity}}}))
    arguments = ["predict", "minilm-l6", "--tokens", "16", "--activity", str(measured)]
    assert main([*arguments, "--report", str(report)]) == 0
    written = json.loads(report.read_text())
    assert (written["density"], written["dense_density"]) == (0.5, 0.8)
    assert written["cycles"] == sum(layer["cycles"] for layer in written["layers"])
    measured.write_text("{}")
    assert main(arguments) == 2
    assert "must be a report of onespike evaluate" in capsys.readouterr().err
