"""`onespike convert` and `onespike evaluate` from end to end, on processes and on a Dask cluster."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from models.conversion.store import load
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.layouts import Options, read_model
from onespike.cli import main
from studies.data.tables import read_labelled
from studies.evaluate.samples import sentence_samples
from studies.evaluate.work import outputs_of, pieces

Flags = Callable[[str], list[str]]
REFERENCE = Path(__file__).parents[3] / "tests" / "models" / "reference"


def test_round_trip_through_the_folder(converted: Path, images: Path) -> None:
    stored = load(converted)
    assert stored.layout == "vit"
    assert stored.conversion.scheme.code.steps == 24
    assert {"head", "embedding", "block0.query"} <= set(stored.conversion.linears)
    assert stored.conversion.linears["head"].weight.dtype == np.int16
    assert len(stored.calibration["rows"]) == 4


def test_report(converted: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report_file = tmp_path / "report.json"
    arguments = ["evaluate", str(converted), str(images), "--jobs", "1", "--report", str(report_file)]
    assert main([*arguments, "--literal", "2"]) == 0
    report = json.loads(report_file.read_text())
    assert report["samples"] == 16  # four set the scales
    wrong = sum(row not in load(converted).calibration["rows"] for row in (18, 19))
    assert report["modes"]["float"]["score"]["value"] == 100 * (16 - wrong) / 16
    for mode in ("attention", "linear"):
        entry = report["modes"][mode]
        assert entry["cosine"]["mean"] > 0.9
        assert entry["loss"]["low"] <= entry["loss"]["value"] <= entry["loss"]["high"]
        assert 0 < entry["activity"]["block0.attention.q"]["density"] <= 1
    assert "block0.mlp1.x" in report["modes"]["linear"]["activity"]
    assert "block0.mlp1.x" not in report["modes"]["attention"]["activity"]
    literal = report["literal"]
    assert literal["codes"] == 2 * 2 * 17 * 16  # samples, blocks, tokens, features
    assert literal["codes_differ"] < 0.05 * literal["codes"]
    assert literal["parts"] == "linear"
    assert 0 < literal["difference"] < 0.1
    assert "norm" not in report["modes"]
    out = capsys.readouterr().out
    assert "linear" in out
    assert "times faster" in out


def test_pieces_hold_every_sample_once() -> None:
    samples = [np.zeros(size) for size in (3, 5, 3, 3, 7, 5)]
    work = pieces(samples, size=2)
    assert sorted(np.concatenate([piece.where for piece in work]).tolist()) == list(range(6))
    for piece in work:
        assert all(samples[i].shape == piece.batch.shape[1:] for i in piece.where)


@pytest.mark.filterwarnings("ignore")  # dask warns of ports, memory and its own deprecations
def test_dask_gives_the_same_outputs(converted: Path, images: Path) -> None:
    from dask.distributed import Client, LocalCluster

    samples = list(read_labelled(images).inputs)
    here = outputs_of(converted, "linear", samples, jobs=1)
    ready: list[int] = []
    # joblib does the work itself where a cluster has a single thread
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        there = outputs_of(converted, "linear", samples, progress=ready.append)
        executed = sum(worker.state.executed_count for worker in cluster.workers.values())
    assert executed > 0
    np.testing.assert_array_equal(here.values, there.values)
    assert here.activity == there.activity
    assert sum(ready) == len(samples)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_named_on_the_command_line(converted: Path, images: Path, tmp_path: Path) -> None:
    from dask.distributed import LocalCluster

    reports = [tmp_path / "here.json", tmp_path / "there.json"]
    start = ["evaluate", str(converted), str(images), "--modes", "linear", "--report"]
    assert main([*start, str(reports[0]), "--jobs", "1"]) == 0
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        assert main([*start, str(reports[1]), "--dask", cluster.scheduler_address]) == 0
        executed = sum(worker.state.executed_count for worker in cluster.workers.values())
    assert executed > 0  # the work went there
    here, there = (json.loads(report.read_text()) for report in reports)
    assert here["modes"] == there["modes"]


@pytest.mark.parametrize("layout", ["bert", "vit", "swin", "torch_norm_last", "torch_norm_first"])
def test_every_layout_from_a_file_to_a_score(
    layout: str, flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tiny model of random weights made with numpy, through both commands, norms in spikes too."""
    rng = np.random.default_rng(7)
    tensors = {
        name: (rng.normal(size=array.shape) * array.std() + array.mean()).astype(np.float32)
        for name, array in load_file(REFERENCE / f"{layout}.safetensors").items()
    }
    model, data, report_file = tmp_path / "m.safetensors", tmp_path / "data.npz", tmp_path / "report.json"
    save_file(tensors, model)
    inputs = np.load(REFERENCE / f"{layout}.npz")["inputs"]
    if layout == "bert":
        words = [f"w{number}" for number in range(len(tensors["embeddings.word_embeddings.weight"]))]
        write_tokenizer(tmp_path / "tokenizer.json", words)
        data = tmp_path / "data.csv"
        rows = [" ".join(rng.choice(words, rng.integers(2, 6))) for _ in range(24)]
        data.write_text(
            "".join(f"{a},{b},{rng.random():.2f}\n" for a, b in zip(rows[::2], rows[1::2], strict=True))
        )
    else:
        samples = rng.normal(size=(12, *inputs.shape[1:])).astype(np.float32)
        np.savez(data, inputs=samples, labels=np.zeros(12, int))
    target = tmp_path / "converted"
    convert = ["convert", model, "--samples", data, "--count", 4, *flags(layout)]
    convert += ["--steps", 40, "--log2-base", "1/5", "-o"]
    evaluate = ["--jobs", 1, "--report", report_file]
    study = [target.with_name("study"), "--parts", "norm", "--weight-bits", 12]
    assert main([str(word) for word in [*convert, *study]]) == 0
    shown = capsys.readouterr().out
    verdicts = load(study[0]).conversion.verdicts
    assert {v.outcome for v in verdicts} >= {"approximate", "float", "exact"}
    assert all(v.node in shown and not v.hardware for v in verdicts)
    assert main([str(word) for word in ["evaluate", study[0], data, *evaluate]]) == 0
    modes = json.loads(report_file.read_text())["modes"]
    assert list(modes) == ["float", "attention", "linear", "norm"]
    for mode in ("attention", "linear", "norm"):
        assert modes[mode]["cosine"]["mean"] > 0.98

    assert main([str(word) for word in [*convert, target]]) == 0
    shown = capsys.readouterr().out
    verdicts = load(target).conversion.verdicts
    assert {v.outcome for v in verdicts} == {"approximate", "exact"}
    assert all(v.node in shown for v in verdicts)
    assert main([str(word) for word in ["evaluate", target, data, *evaluate]]) == 0
    modes = json.loads(report_file.read_text())["modes"]
    assert list(modes) == ["float", "network"]
    assert modes["network"]["cosine"]["mean"] > 0.9
    refused = ["evaluate", target, data, "--jobs", 1, "--literal", 1]
    assert "--literal needs a model converted with --parts attention" in mistake(capsys, *refused)
    activity = modes["network"]["activity"]
    assert {"attention.q", "attention.attention", "mlp1.x", "mlp2.x"} <= {
        name.partition(".")[2] if layout != "swin" else name.split(".", 2)[2]
        for name in activity
        if "block" in name
    }
    assert all(0 < counted["spikes"] <= counted["neurons"] for counted in activity.values())
    again = load(target)
    assert again.conversion.network is not None
    batch = inputs[:1]
    direct = again.conversion.network.run(again.model, batch)
    np.testing.assert_array_equal(load(target).conversion.network.run(again.model, batch), direct)


def write_tokenizer(path: Path, words: list[str]) -> None:
    """One token per word."""
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=words[0]))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(path))


def test_what_the_folder_says_goes_with_the_converted_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pooling, length, positions and a head that was left out, through both commands."""
    tensors = load_file(REFERENCE / "bert.safetensors") | {"classifier.weight": np.ones((3, 16), np.float32)}
    source, target = tmp_path / "source", tmp_path / "converted"
    (source / "1_Pooling").mkdir(parents=True)
    save_file(tensors, source / "model.safetensors")
    write_tokenizer(source / "tokenizer.json", [f"w{number}" for number in range(40)])
    start = "sentence_transformers.models."
    modules = [{"path": "", "type": f"{start}Transformer"}, {"path": "1_Pooling", "type": f"{start}Pooling"}]
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    facts = {
        "config.json": {"model_type": "camembert", "num_attention_heads": 2, "pad_token_id": 1},
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": 5},
    }
    for name, content in facts.items():
        (source / name).write_text(json.dumps(content))
    data = tmp_path / "data.csv"
    data.write_text("".join(f"w{n} w{n + 1} w{n + 2},w{n + 3} w2 w3 w4 w5 w6,{n}\n" for n in range(4, 12)))
    arguments = ["convert", source, "-o", target, "--samples", data, "--count", 4]
    assert "--leave-out classifier" in mistake(capsys, *arguments)
    assert main([str(word) for word in [*arguments, "--leave-out", "classifier"]]) == 0
    model = load(target).model
    assert isinstance(model, Bert)
    assert (model.pooling, model.unit, model.length, len(model.positions)) == ("cls", False, 5, 10)
    assert main(["evaluate", str(target), str(data), "--jobs", "1"]) == 0
    data.write_text("w4 w1,w5,1\nw6,w7,2\n")
    assert "gives the padding token for 'w4 w1', which has no position" in mistake(
        capsys, "evaluate", target, data
    )


def test_a_refused_model_shows_every_node(
    images: Path, flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = load_file(REFERENCE / "vit.safetensors")
    tensors["blocks.1.norm1.weight"][0] = np.inf
    del tensors["blocks.0.mlp.fc2.bias"]
    model = tmp_path / "m.safetensors"
    save_file(tensors, model)
    arguments = ["convert", model, "-o", tmp_path / "out", "--samples", images, *flags("vit")]
    assert main([str(word) for word in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "tensor blocks.0.mlp.fc2.bias is missing (and 1 more reasons to refuse it)" in shown.err
    for name in tensors:
        assert (name.rpartition(".")[0] or name) in shown.out
    refused = re.findall(r"^ *(\S+) +refused ", shown.out, re.MULTILINE)
    assert refused == ["blocks.0.mlp.fc2", "blocks.1.norm1"]
    assert "must be finite in float32, not inf at [0]" in " ".join(shown.out.split())


def mistake(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of a refused command."""
    assert main([str(argument) for argument in arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("onespike: ")
    assert "\n" not in error
    return error


def test_mistakes_of_evaluate(
    converted: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, text = tmp_path / "empty.npz", tmp_path / "text.npz"
    np.savez(empty, inputs=np.zeros((0, 3, 16, 16), np.float32), labels=np.zeros(0, int))
    np.savez(text, inputs=np.zeros((2, 3, 16, 16), np.float32), labels=np.array(["cat", "dog"]))
    assert "inputs must not be empty" in mistake(capsys, "evaluate", converted, empty)
    assert "labels must be 2 integers" in mistake(capsys, "evaluate", converted, text)
    strange = tmp_path / "strange.npz"
    np.savez(strange, inputs=np.zeros((2, 3, 16, 16), np.float32), labels=np.array([0, 30]))
    assert "labels must be in 0..4, the model's classes, not 30" in mistake(
        capsys, "evaluate", converted, strange
    )
    absent = mistake(capsys, "evaluate", converted, tmp_path / "absent.npz")
    assert "absent.npz: cannot be read (No such file" in absent
    small = tmp_path / "small.npz"
    np.savez(small, inputs=np.zeros((2, 3, 8, 8), np.float32), labels=np.zeros(2, int))
    assert "images must be 16 x 16 pixels, not 8 x 8" in mistake(capsys, "evaluate", converted, small)
    assert "--modes must be taken from" in mistake(capsys, "evaluate", converted, images, "--modes", "x")
    assert "--modes norm needs a model converted with --parts norm" in mistake(
        capsys, "evaluate", converted, images, "--modes", "norm"
    )
    assert "holds no conversion.json" in mistake(capsys, "evaluate", tmp_path, images)


def test_samples_that_say_more_or_nothing_are_refused(
    flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, samples = np.random.default_rng(0).normal(size=(3, 3, 16, 16)), tmp_path / "samples.npz"
    start = ("convert", REFERENCE / "vit.safetensors", "-o", tmp_path / "out", "--samples", samples)
    np.savez(samples, inputs=images, mask=np.zeros((3, 7), bool))
    assert "must hold inputs and, if any, labels; mask is not followed" in mistake(
        capsys, *start, *flags("vit")
    )
    np.savez(samples, inputs=np.ones((2, 3, 16, 16)) * [[[[1.0]]], [[[2.0]]]])
    assert "calibration samples must not all be constant" in mistake(capsys, *start, *flags("vit"))
    tensors = load_file(REFERENCE / "vit.safetensors")
    for name in ("weight", "bias"):
        tensors[f"blocks.0.attn.qkv.{name}"][:] = 0
    save_file(tensors, tmp_path / "dead.safetensors")
    np.savez(samples, inputs=images)
    dead = ("convert", tmp_path / "dead.safetensors", *start[2:], *flags("vit"))
    assert "calibration leaves node block0.projection at zero" in mistake(capsys, *dead)
    assert not (tmp_path / "out").exists()


def test_a_changed_folder_is_refused(
    converted: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(converted, folder)
    with (folder / "integers.npz").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\0\0\0")
    assert "changed since it was converted" in mistake(capsys, "evaluate", folder, images)
    (folder / "conversion.json").write_text("{")
    assert "damaged description" in mistake(capsys, "evaluate", folder, images)


def test_mistakes_of_convert_leave_nothing(
    images: Path, flags: Flags, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    reference = Path(__file__).parents[3] / "tests" / "models" / "reference"
    model = reference / "vit.safetensors"
    start = ("convert", model, "-o", target, "--samples", images)
    assert "give --architecture, or --heads, --epsilon, --activation, --pooling" in mistake(capsys, *start)
    assert "--count must be an integer in" in mistake(capsys, *start, *flags("vit"), "--count", 0)
    assert "log2-base" in mistake(capsys, *start, *flags("vit"), "--log2-base", "1/0")
    tokens = ("convert", reference / "bert.safetensors", "-o", target, "--samples", tmp_path / "s.csv")
    (tmp_path / "s.csv").write_text("one,two,high\n")
    assert "score in row 1 must be a number, not 'high'" in mistake(capsys, *tokens, *flags("bert"))
    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def test_a_classifier_of_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder of a BERT with a head, through both commands; classes are those that floats give."""
    folders = REFERENCE / "folders"
    rng = np.random.default_rng(3)
    sentences = [" ".join(f"w{n}" for n in rng.integers(4, 40, rng.integers(3, 9))) for _ in range(24)]
    _, model = read_model(read_tensors(folders / "bert_classifier"), Options())
    samples = sentence_samples(model, folders / "sentence_bert" / "tokenizer.json", sentences)
    labels = [int(model.run(sample[None], FloatEngine()).argmax()) for sample in samples]
    data, target, report = tmp_path / "data.tsv", tmp_path / "out", tmp_path / "r.json"
    rows = "".join(f"{text}\t{label}\n" for text, label in zip(sentences, labels, strict=True))
    data.write_text(f"sentence\tlabel\n{rows}")
    words = ["convert", str(folders / "bert_classifier"), "-o", str(target), "--samples", str(data)]
    words += ["--tokenizer", str(folders / "sentence_bert" / "tokenizer.json"), "--count", "8"]
    assert main([*words, "--steps", "40", "--log2-base", "1/5"]) == 0
    assert main(["evaluate", str(target), str(data), "--report", str(report), "--jobs", "1"]) == 0
    found = json.loads(report.read_text())
    assert (found["metric"], found["samples"]) == ("accuracy, %", 16)
    assert found["modes"]["float"]["score"]["value"] == 100
    assert found["modes"]["network"]["score"]["value"] > 60
    data.write_text("sentence\tlabel\nw5 w6\t7\n")
    assert "labels must be in 0..2, the model's classes, not 7" in mistake(capsys, "evaluate", target, data)


def test_a_decoder(tmp_path: Path) -> None:
    """GPT-2 on lines of text: cosine of the logits of the next token, sentences of several lengths."""
    folders = REFERENCE / "folders"
    rng = np.random.default_rng(4)
    lines = [" ".join(f"w{n}" for n in rng.integers(4, 40, rng.integers(3, 9))) for _ in range(12)]
    data, target, report = tmp_path / "data.txt", tmp_path / "out", tmp_path / "r.json"
    data.write_text("\n".join(lines))
    words = ["convert", str(folders / "gpt2"), "-o", str(target), "--samples", str(data), "--count", "4"]
    assert main([*words, "--tokenizer", str(folders / "sentence_bert" / "tokenizer.json")]) == 0
    assert main(["evaluate", str(target), str(data), "--report", str(report), "--jobs", "1"]) == 0
    found = json.loads(report.read_text())
    assert (found["metric"], found["samples"]) == ("cosine with floats x 100", 8)
    assert 80 < found["modes"]["network"]["score"]["value"] < 100
