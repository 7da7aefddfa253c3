"""Training of low-rank adapters: resumed, and read without torch."""

import argparse
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
transformers = pytest.importorskip("transformers", reason="training on text needs transformers")

from models.files.adapters import merge_adapters  # noqa: E402
from models.files.tensors import read_tensors  # noqa: E402
from models.floating.engine import FloatEngine  # noqa: E402
from models.layouts import Options, read_model  # noqa: E402
from training import sst2  # noqa: E402

ARGS = argparse.Namespace(epochs=3, batch=8, rate=1e-2, rank=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder of random weights."""
    place = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
        max_position_embeddings=10,
    )  # fmt: skip
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(place)
    return place


def trained(folder: Path, out: Path) -> sst2.Judge:
    rng = np.random.default_rng(1)
    tokens = [rng.integers(1, 30, size).tolist() for size in rng.integers(3, 9, 40)]
    phrases = sst2.Phrases(tokens, rng.integers(0, 2, 40).tolist(), torch.device("cpu"))
    torch.manual_seed(5)
    judge = sst2.Judge(folder)
    adapters = judge.adapt(ARGS.rank)
    sst2.train(judge, phrases, ARGS, 5, out.with_suffix(".checkpoint"))
    sst2.write(judge, adapters, out, 5)
    return judge


def test_resumed_adapters_are_the_same(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(folder, tmp_path / "whole.safetensors").state_dict()

    def save_and_stop(*arguments: object) -> None:
        save(*arguments)
        raise KeyboardInterrupt

    save = sst2.save_checkpoint
    with monkeypatch.context() as patch:
        patch.setattr(sst2, "save_checkpoint", save_and_stop)
        for _ in range(2):  # one epoch each
            with pytest.raises(KeyboardInterrupt):
                trained(folder, tmp_path / "cut.safetensors")
    resumed = trained(folder, tmp_path / "cut.safetensors").state_dict()
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name


def test_conversion_reads_what_was_trained(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    trained(folder, file)
    tensors = read_tensors(folder)
    merge_adapters(tensors, file)
    _, model = read_model(tensors, Options())
    tokens = np.random.default_rng(2).integers(1, 30, (6, 7))
    with torch.no_grad():
        batch = torch.tensor(tokens)
        expected = sst2.read(folder, file).eval()(batch, torch.ones_like(batch)).numpy()
    np.testing.assert_allclose(model.run(tokens, FloatEngine()), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 1e-2
