"""Cycles of whole networks: attention against the cycle model head by head, dense layers by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from energy.layers import layer_list
from golden.attention.config import PRESETS
from golden.errors import InputError
from golden.network.reader import SDRAM
from onespike.cli import main
from sim.timing.attention import predict
from studies.predict.layer_cycles import attention_cycles, network_cycles, predict_linear, sample_job


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


def test_dense_layer_by_the_neuron_cores_model() -> None:
    layer = next(x for x in layer_list("bert-base") if x.name == "block0.mlp1")
    config = PRESETS["default"]
    passes, lanes = 3072 // 64, 64
    whole = predict_linear(layer, config, 1.0, seed=0)
    # A spike per cycle and pass; beside it the first fetch, and the way of the last pass out of the core
    spikes = 128 * 768 * passes
    assert spikes + lanes < whole.cycles < spikes + lanes + 40
    assert whole.utilisation == spikes / whole.cycles
    half = predict_linear(layer, config, 0.5, seed=0)
    assert half.cycles == pytest.approx(spikes / 2, rel=0.01)
    # Fewer spikes than lanes: the drain of one neuron per cycle is what a pass waits for
    idle = predict_linear(layer, config, 0.01, seed=0)
    assert 128 * passes * lanes < idle.cycles < 128 * passes * lanes + 100
    assert idle.utilisation == pytest.approx(0.01 * 768 / lanes, rel=0.05)


def test_streamed_weights() -> None:
    """Few rows wait for the memory, many for the lanes; each weight comes once."""
    query = next(x for x in layer_list("bert-base") if x.name == "block0.query")
    config, found = PRESETS["default"], {}
    for tokens in (8, 128):
        layer = replace(query, tokens=tokens, outputs=tokens * 768)
        found[tokens] = predict_linear(layer, config, 1.0, seed=0, reader=SDRAM)
        # of each pass two words of a header and four for each neuron
        assert found[tokens].words == 768 // config.lanes * 2 + 768 * 4 + 768 * 768 // 2
    assert [made.bound for made in found.values()] == ["memory", "lanes"]
    assert found[8].cycles == pytest.approx(found[8].words / SDRAM.share, rel=0.05)
    rows = 128 * 768 * 768 // config.lanes
    # the first pass is waited for
    assert rows < found[128].cycles < rows + 1.1 * found[128].words / (768 // config.lanes)


def test_dense_layers_take_the_density_of_their_part() -> None:
    found = {
        layer.name: layer.cycles
        for layer in network_cycles(
            "minilm-l6",
            PRESETS["default"],
            density=1,
            dense_density={"": 0.5, "mlp2": 1.0},
            seed=0,
            tokens=8,
        )
    }
    assert found["block0.mlp2"] > 1.9 * found["block0.mlp1"]
    assert found["block0.query"] < 0.6 * 8 * 384 * 6


def test_every_layer_once() -> None:
    found = network_cycles("minilm-l6", PRESETS["default"], density=1, dense_density=1, seed=0, tokens=16)
    names = [layer.name for layer in found]
    assert len(set(names)) == len(names) == 6 * 7
    with pytest.raises(InputError, match=r"density must be in 0..1, not 1.5"):
        network_cycles("minilm-l6", PRESETS["default"], density=1.5, dense_density=1, seed=0)
    with pytest.raises(InputError, match="tokens must be at most 64"):
        network_cycles("bert-base", PRESETS["swin-window"], density=1, dense_density=1, seed=0)


def test_command(
    put_report: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    activity = {
        "b.attention.q": {"neurons": 10, "spikes": 5},
        "b.mlp1.x": {"neurons": 10, "spikes": 8},
        "b.attention.attention": {"neurons": 10, "spikes": 3},
        "b.attention.out": {"neurons": 10, "spikes": 1},
    }
    measured, report = tmp_path / "measured.json", tmp_path / "report.json"
    measured.write_text(json.dumps({"modes": {"linear": {"activity": activity}}}))
    core, slower = tmp_path / "core.toml", replace(PRESETS["default"], lanes=32)
    core.write_text("lanes = 32\n")
    arguments = ["predict", "minilm-l6", "--tokens", "16", "--activity", str(measured)]
    assert main([*arguments, "--report", str(report)]) == 0
    written = json.loads(report.read_text())
    assert 50 < written["clock_mhz"] <= 100  # a build of the documentation
    assert written["clock_source"].endswith("boards.json")
    arguments += ["--config", str(core)]
    capsys.readouterr()
    assert main([*arguments, "--report", str(report)]) == 0
    written = json.loads(report.read_text())
    assert (written["density"], written["dense_density"]) == (0.5, 0.8)
    assert written["cycles"] == sum(layer["cycles"] for layer in written["layers"])
    assert written["densities"] == {"": 0.8, "mlp1": 0.8}
    assert written["milliseconds"] is None  # no build of this core in an empty folder
    shown = capsys.readouterr().out
    assert "clock unknown" in shown
    assert "largest part: mlp2" in shown or "largest part: mlp1" in shown
    put_report(tmp_path / "build/synth/board/default-1", slower, fmax=61.25, clock=60.0)
    assert main([*arguments, "--report", str(report)]) == 0
    written = json.loads(report.read_text())
    assert written["milliseconds"] == written["cycles"] / 60 / 1000
    assert written["clock_source"].endswith("default-1/report.json")
    assert "clock 60 MHz" in capsys.readouterr().out
    assert main([*arguments, "--clock", "0"]) == 2
    assert "'--clock': must be a number in 0.001..1e+06 MHz, not '0'" in capsys.readouterr().err
    measured.write_text("{}")
    assert main(arguments) == 2
    assert "must be a report of onespike evaluate" in capsys.readouterr().err
