"""The main job: accuracies, verdict, report, tables and picture."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob, AttentionSpikes, compute
from golden.code import PhaseCode
from golden.errors import InputError
from models.conversion.record import record
from models.conversion.scales import attention_of
from models.conversion.scheme import Scheme
from models.floating.engine import FloatEngine, SpikingEngine
from models.shipped.vit_file import load_vit
from sim.timing.cycles import CycleReport
from studies.data import handwritten_digits as dataset
from studies.demo.result import DemoResult
from studies.demo.run import PICTURE, REPORT, WAVE_IMAGES, WEIGHTS, run_demo, write_results
from studies.demo.tables import demo_tables
from tests.studies.demo.demo_engines import Found, StandIn, core, golden_run


def test_float_accuracy(result: DemoResult) -> None:
    assert len(result.digits.test_labels) == 450
    assert result.float_accuracy >= 0.97
    assert result.float_accuracy == pytest.approx(result.training["test_accuracy"])


def test_spikes_cost_at_most_half_a_point(result: DemoResult) -> None:
    assert result.config.code == PhaseCode()
    assert result.loss_points <= 0.5


def test_the_split_shares_no_image() -> None:
    digits = dataset.load()
    seen = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in seen for image in digits.test_images)
    assert len(digits.train_images) + len(digits.test_images) == 1797
    assert np.bincount(digits.test_labels).min() >= 43


def test_every_head_of_every_chosen_image_runs(result: DemoResult) -> None:
    layers, heads = 2, 4
    assert [run.layer for run in result.runs] == list(range(layers))
    assert [run.job.heads for run in result.runs] == [4 * heads] * layers
    # per head: scores and attention phases, winner and normaliser, context and both of out
    per_head = 2 * 16 * 16 + 2 * 16 + 3 * 16 * 16
    assert result.compared == layers * 4 * heads * per_head


def test_agreement_passes(result: DemoResult) -> None:
    assert result.different == 0
    assert result.failures == []
    assert result.passed
    np.testing.assert_array_equal(result.engine_predicted, result.spiking_predicted[result.chosen])


def test_divergence_fails_and_names_the_first(diverging: DemoResult) -> None:
    assert not diverging.passed
    assert diverging.different == 2  # one in each layer
    first = diverging.runs[0]
    score = int(compute(first.job).score[4, 7, 3])
    cycle = int(first.predicted.rows[4, 9])
    assert diverging.failures[:2] == [
        f"layer 0, head 4, row 7, score[3]: golden {score}, engine {score + 1}",
        f"layer 0, head 4, row 9, completion cycle: predicted {cycle}, measured {cycle + 1}",
    ]
    assert not diverging.to_json()["passed"]


def test_the_engine_under_test_feeds_the_next_layer() -> None:
    """An engine that silences every output must change what the second layer sees."""

    def mute(job: AttentionJob, spikes: AttentionSpikes, cycles: CycleReport, **how: Any) -> Found:
        spikes.out.sign[:] = 0
        return spikes, cycles

    muted = run_demo(core(mute), images=1)
    plain = run_demo(core(), images=1)
    assert (muted.runs[0].job.q.phase == plain.runs[0].job.q.phase).all()
    assert (muted.runs[1].job.q.phase != plain.runs[1].job.q.phase).any()


def test_seed_chooses_the_images(result: DemoResult) -> None:
    again = run_demo(core(), images=4)
    other = run_demo(core(), images=4, seed=1)
    assert again.to_json() == result.to_json()
    assert other.chosen.tolist() != result.chosen.tolist()
    assert other.to_json()["seed"] == 1


def test_images_and_waves(tmp_path: Path) -> None:
    """All images by default, few with waveforms, which get one file per layer."""
    files: list[Path | None] = []

    def run(*found: Any, waves: Path | None, progress: object) -> Found:
        files.append(waves)
        return golden_run(*found)

    assert len(run_demo(core(run), waves=tmp_path).chosen) == WAVE_IMAGES
    assert files == [tmp_path / "layer0.fst", tmp_path / "layer1.fst"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layer0.views", "layer1.views"]
    assert run_demo(core(run)).chosen.tolist() == list(range(450))


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []

    def run(*found: Any, waves: Path | None, progress: Any) -> Found:
        progress(10, 30, 40)
        return golden_run(*found)

    run_demo(core(run), images=1, progress=lambda part, share: told.append((part, share)))
    assert ("layer 1: 4 heads through the RTL", 0.75) in told
    assert len({part for part, _ in told}) == 5


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"images": 0}, "images must be an integer in 1..450, not 0"),
        ({"images": 451}, "images must be an integer in 1..450, not 451"),
        ({"seed": -1}, "seed must be an integer in 0..4294967295, not -1"),
    ],
)
def test_bad_options(options: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as caught:
        run_demo(core(), **options)
    assert str(caught.value) == line


def test_a_core_that_is_too_small() -> None:
    small = StandIn(CoreConfig(lanes=8, tokens=8, cluster=4))
    with pytest.raises(InputError, match="tokens must be at most 8 in this configuration, not 16"):
        run_demo(small, images=1)


def test_report(result: DemoResult, tmp_path: Path) -> None:
    written = write_results(result, tmp_path)
    assert written == [tmp_path / REPORT, tmp_path / PICTURE]
    report = json.loads((tmp_path / REPORT).read_text())
    assert report == result.to_json()
    assert report["accuracy"].keys() == {"float", "spiking", "loss_points", "changed_classes"}
    assert report["engine"]["integers_different"] == 0
    assert report["engine"]["images"]["index"] == result.chosen.tolist()
    assert report["configuration"]["lanes"] == 16
    assert report["network"]["training"]["recipe"]["seed"] == 0
    assert {"python", "numpy", "verilator", "scikit-learn"} <= report["tools"].keys()
    for layer in report["engine"]["layers"]:
        assert layer["cycles_predicted"] == layer["cycles_measured"]
        assert len(layer["cycles_measured"]["head_durations"]) == layer["heads"]
        assert sum(layer["cycles_measured"]["head_durations"]) == layer["cycles_measured"]["total"] + 1
        assert 0 < layer["lane_utilisation"] <= 1
        assert all(count > 0 for count in layer["events"].values())


def test_picture_is_written_and_is_reproducible(result: DemoResult, tmp_path: Path) -> None:
    images = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_results(result, tmp_path / name)
        images.append((tmp_path / name / PICTURE).read_bytes())
    assert images[0].startswith(b"\x89PNG")
    assert len(images[0]) > 50_000
    assert images[0] == images[1]


def test_tables(result: DemoResult, diverging: DemoResult) -> None:
    def text(shown: DemoResult) -> str:
        console = Console(width=80)
        with console.capture() as capture:
            for table in demo_tables(shown):
                console.print(table)
        return capture.get()

    good = text(result)
    assert f"{result.float_accuracy:.2%}" in good
    assert str(result.compared) in good
    assert "loss of accuracy" in good
    assert "seed 0" in good
    assert "…" not in good
    (row,) = [line.split() for line in text(diverging).splitlines() if line.startswith(" all ")]
    assert row[2:4] == [str(diverging.compared), "2"]


def test_scales_are_the_largest_magnitudes_of_each_head() -> None:
    network, images = load_vit(WEIGHTS), dataset.load().train_images[:50, None]
    seen: dict[str, list[np.ndarray]] = {}

    class Watch(FloatEngine):
        def attention(self, name: str, q: Any, k: Any, v: Any, bias: Any = None, allowed: Any = None) -> Any:
            out = super().attention(name, q, k, v, bias, allowed)
            seen[name] = [np.abs(x).max(axis=(0, 2, 3)) for x in (q, k, v, out)]
            return out

    network.run(images, Watch())
    ranges, _ = record(network, [images])
    assert list(ranges.attention) == list(seen)
    for name, (q, k, v, out) in seen.items():
        scales = attention_of(ranges.attention[name], Scheme()).scales
        np.testing.assert_array_equal(scales, [q, k, v, np.minimum(out, v)])


def test_heads_of_a_batch_are_heads_of_one_job() -> None:
    """Two images at once give what each gives alone: scales follow the head, not the batch."""
    network, digits = load_vit(WEIGHTS), dataset.load()
    ranges, _ = record(network, [digits.train_images[:50, None]])
    attentions = {name: attention_of(largest, Scheme()) for name, largest in ranges.attention.items()}
    engine, images = SpikingEngine({}, attentions, {}), digits.test_images[:2, None]
    both = network.run(images, engine)
    alone = [network.run(images[n : n + 1], engine)[0] for n in range(2)]
    np.testing.assert_allclose(both, alone, rtol=1e-9)
