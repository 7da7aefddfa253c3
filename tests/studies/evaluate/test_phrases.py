"""Labelled phrases, and a text classifier through both commands."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from golden.errors import InputError
from models.conversion.store import checksum
from onespike.cli import main
from studies.data.phrases import read_phrases

REFERENCE = Path(__file__).parents[3] / "tests" / "models" / "reference"


def test_both_orders_of_columns(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('label\tsentence\n1\t"quoted, so\n0\t two words \n')
    with gzip.open(tmp_path / "b.tsv.gz", "wt") as file:
        file.write('sentence\tlabel\n"quoted, so\t1\ntwo words\t0\n')
    for name in ("a.tsv", "b.tsv.gz"):
        phrases = read_phrases(tmp_path / name)
        assert phrases.texts == ['"quoted, so', "two words"]
        np.testing.assert_array_equal(phrases.labels, [1, 0])


WHOLE = gzip.compress(b"label\ttext\n" + b"1\tgood\n" * 500)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.tsv", None, "cannot be read (No such file or directory)"),
        ("a.csv", b"label\ttext\n1\tgood\n", "labelled phrases must be a .tsv or .tsv.gz file"),
        ("a.tsv", b"", "must begin with a header of two columns, one of them label"),
        ("a.tsv", b"1\tgood\n0\tbad\n", "must begin with a header of two columns, one of them label"),
        ("a.tsv", b"label\ttext\n", "the data set is empty"),
        ("a.tsv", b"label\ttext\n1\tgood\tbad\n", "line 2 must have 2 columns, not 3"),
        ("a.tsv", b"label\ttext\n1\t \n", "line 2 must have a text"),
        ("a.tsv", b"label\ttext\n-1\tbad\n", "label in line 2 must be 0..9999, not '-1'"),
        ("a.tsv", b"label\ttext\n10000\tbad\n", "label in line 2 must be 0..9999, not '10000'"),
        ("a.tsv", b"label\ttext\n1\t\xff\n", "not readable as UTF-8 text in columns"),
        ("a.tsv.gz", b"label\ttext\n1\tgood\n", "cannot be read (Not a gzipped file"),
        ("a.tsv.gz", WHOLE[:-9], "must be a whole gz file, it is damaged or cut short"),
        ("a.tsv.gz", WHOLE[:12] + b"\xff" * 9, "must be a whole gz file, it is damaged or cut short"),
    ],
    ids=range(13),
)
def test_bad_phrases(tmp_path: Path, name: str, content: bytes | None, rule: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_phrases(path)
    assert str(error.value).startswith(f"{path}: {rule}")


def test_adapters_through_both_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target, report = tmp_path / "source", tmp_path / "converted", tmp_path / "report.json"
    source.mkdir()
    save_file(load_file(REFERENCE / "bert.safetensors"), source / "model.safetensors")
    (source / "config.json").write_text(json.dumps({"model_type": "bert", "num_attention_heads": 2}))
    tokenizer = Tokenizer(WordLevel({f"w{number}": number for number in range(40)}, unk_token="w0"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(source / "tokenizer.json"))
    rng, layer = np.random.default_rng(1), "encoder.layer.0.output.dense"
    adapters = {f"{layer}.a": rng.normal(size=(2, 32)), f"{layer}.b": rng.normal(size=(16, 2))}
    head = {"classifier.weight": rng.normal(size=(2, 16)), "classifier.bias": np.zeros(2)}
    save_file(adapters | head, tmp_path / "adapters.safetensors")
    phrases = tmp_path / "phrases.tsv"
    lines = [f"{n % 2}\tw{n} w{3 * n} w{2 * n + 1}" for n in range(1, 13)]
    phrases.write_text("\n".join(["label\ttext", *lines]))
    words = ["convert", source, "--adapters", tmp_path / "adapters.safetensors", "-o", target]
    assert main([str(word) for word in (*words, "--samples", phrases, "--count", 4)]) == 0
    assert "classifier" in capsys.readouterr().out
    arguments = ["evaluate", str(target), str(phrases), "--jobs", "1", "--report", str(report)]
    assert main(arguments) == 0
    found = json.loads(report.read_text())
    assert (found["metric"], found["samples"]) == ("accuracy, %", 8)
    assert (found["model"], found["data"]) == ("converted", "phrases.tsv")
    assert found["sha256"] == {"model": checksum(target / "conversion.json"), "data": checksum(phrases)}
    assert set(found["modes"]) == {"float", "network"}
    assert found["modes"]["network"]["cosine"]["mean"] > 0.9
    assert "classifier.x" in found["modes"]["network"]["activity"]
    capsys.readouterr()
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("w1,w2,3\n")
    assert main(["evaluate", str(target), str(pairs)]) == 2
    assert capsys.readouterr().err == f"onespike: {pairs}: labelled phrases must be a .tsv or .tsv.gz file\n"
    phrases.write_text("label\ttext\n2\tw1\n")
    assert main(["evaluate", str(target), str(phrases)]) == 2
    says = f"onespike: {phrases}: labels must be in 0..1, the model's classes, not 2\n"
    assert capsys.readouterr().err == says
    others = (["infer", "--network", target, "--data"], ["convert", *words[1:4], "-o", target, "--samples"])
    for other in others:
        assert main([str(word) for word in (*other, phrases)]) == 2
        assert capsys.readouterr().err == says
