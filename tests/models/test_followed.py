"""What a folder says and the reader follows: positions, shards, pooling, lengths, masks, heads left out."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from golden.errors import InputError
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.floating.functions import apply_norm
from models.floating.vit import Vit
from models.layouts import Options, read_model
from models.verdict import RefusedModel
from tests.models.model_folders import (
    CLS,
    INPUTS,
    MEAN,
    MODULES,
    NORMALIZE,
    TENSORS,
    VIT_ARGUMENTS,
    VIT_OPTIONS,
    Folder,
    outputs,
    read,
    reference,
)


@pytest.mark.parametrize("model_type", ["roberta", "camembert", "xlm-roberta"])
def test_positions_begin_behind_the_padding_token(folder: Folder, model_type: str) -> None:
    name = "embeddings.position_embeddings.weight"
    longer = np.concatenate([np.full((2, 16), 9, np.float32), TENSORS["bert"][name]])
    config = {"model_type": model_type, "pad_token_id": 1, "max_position_embeddings": 14, "architectures": []}
    tensors = {**TENSORS["bert"], name: longer}
    np.testing.assert_array_equal(
        outputs(read(folder("bert", config, tensors=tensors)), "bert"), reference("bert")
    )
    model = read(folder("bert", config, tensors=tensors))
    assert isinstance(model, Bert)
    assert (model.padding, len(model.positions)) == (1, 12)
    inside = {f"roberta.{key}": value for key, value in tensors.items()}
    np.testing.assert_array_equal(
        outputs(read(folder("bert", config, tensors=inside)), "bert"), reference("bert")
    )
    with pytest.raises(RefusedModel, match="model_type bert names its tensors bert"):
        read(folder("bert", {"max_position_embeddings": 14}, tensors=inside))


def test_shards_are_joined_by_their_index(folder: Folder) -> None:
    path = folder("bert")
    (path / "model.safetensors").unlink()
    places = {}
    for number, late in enumerate((False, True), start=1):
        part = {k: v for k, v in TENSORS["bert"].items() if ("layer.1." in k) == late}
        save_file(part, path / f"model-0000{number}-of-00002.safetensors")
        places |= dict.fromkeys(part, f"model-0000{number}-of-00002.safetensors")
    index = path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    np.testing.assert_array_equal(outputs(read(path), "bert"), reference("bert"))
    with pytest.raises(InputError, match="is one of 2 shards; give the folder"):
        read(path / "model-00001-of-00002.safetensors")
    fewer = {name: place for name, place in places.items() if "pooler" not in name}
    index.write_text(json.dumps({"weight_map": fewer}))
    with pytest.raises(InputError, match=r"has, beyond weight_map, tensor pooler.dense.bias"):
        read(path)
    index.write_text(json.dumps({"weight_map": {**places, "x": "model-00001-of-00002.safetensors"}}))
    with pytest.raises(InputError, match="has no tensor x"):
        read(path)
    index.write_text(json.dumps({"weight_map": {**places, "x": "../a.safetensors"}}))
    with pytest.raises(InputError, match=r"weight_map must name files beside it, not '../a.safetensors'"):
        read(path)
    index.unlink()
    with pytest.raises(InputError, match="must hold the weights of one model, not model-00001-of-00002"):
        read(path)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_pooling_of_sentence_transformers(folder: Folder, pooling: str, unit: bool) -> None:
    table = CLS if pooling == "cls" else MEAN
    modules = [*MODULES, NORMALIZE] if unit else MODULES
    model = read(folder("bert", files={"modules.json": modules, "1_Pooling/config.json": table}))
    assert isinstance(model, Bert)
    hidden = model.encode(INPUTS["bert"], FloatEngine())
    expected = hidden[:, 0] if pooling == "cls" else hidden.mean(axis=1)
    if unit:
        expected = expected / np.linalg.norm(expected, axis=-1, keepdims=True)
    np.testing.assert_allclose(outputs(model, "bert"), expected, rtol=1e-5)
    new = {"embedding_dimension": 16, "pooling_mode": pooling, "include_prompt": True}
    again = read(folder("bert", files={"modules.json": modules, "1_Pooling/config.json": new}))
    np.testing.assert_array_equal(outputs(again, "bert"), outputs(model, "bert"))
    with pytest.raises(RefusedModel, match=f'the folder says pooling = "{pooling}", the option'):
        read(folder("bert"), Options(pooling="mean" if pooling == "cls" else "cls"))


def test_the_length_of_sentences(folder: Folder) -> None:
    def length(files: dict[str, Any]) -> int:
        for name in ("sentence_bert_config.json", "tokenizer_config.json"):
            (path / name).unlink(missing_ok=True)
        model = read(folder("bert", files=files))
        assert isinstance(model, Bert)
        return model.length

    path = folder("bert")
    assert length({}) == 12
    assert length({"tokenizer_config.json": {"model_max_length": 7, "do_lower_case": True}}) == 7
    assert length({"tokenizer_config.json": {"model_max_length": 10**30}}) == 12
    settings = {"max_seq_length": 9, "do_lower_case": False}
    tokenizer = {"model_max_length": 7}
    assert length({"tokenizer_config.json": tokenizer, "sentence_bert_config.json": settings}) == 9


@pytest.mark.parametrize("separate", [True, False])
def test_the_mean_over_patches(folder: Folder, separate: bool) -> None:
    """timm's global_pool avg: with a norm of its own behind it, or behind the final norm."""
    new = {"norm.weight": "fc_norm.weight", "norm.bias": "fc_norm.bias"} if separate else {}
    tensors = {new.get(name, name): array for name, array in TENSORS["vit"].items()}
    arguments = {**VIT_ARGUMENTS, "global_pool": "avg", "fc_norm": separate}
    path = folder("vit", {"global_pool": "avg", "model_args": arguments}, tensors=tensors)
    model = read(path, VIT_OPTIONS)
    assert isinstance(model, Vit)
    assert model.head is not None

    class Seen(FloatEngine):
        def norm(self, name: str, x: Any, norm: Any) -> Any:
            self.last = x if name == "block1.norm2" else getattr(self, "last", None)
            return super().norm(name, x, norm)

        def linear(self, name: str, x: Any, layer: Any) -> Any:
            out = super().linear(name, x, layer)
            self.mlp = out if name == "block1.mlp2" else getattr(self, "mlp", None)
            return out

    engine = Seen()
    logits = model.run(INPUTS["vit"], engine)
    tokens = (engine.last + engine.mlp)[:, 1:]
    mean = (
        apply_norm(tokens.mean(axis=1), model.norm)
        if separate
        else apply_norm(tokens, model.norm).mean(axis=1)
    )
    np.testing.assert_allclose(logits, mean @ model.head.weight.T + model.head.bias, rtol=1e-4, atol=1e-5)
    # A head that reads the mean of normalised tokens does not read the norm's spikes
    assert ("head" in model.norm_readers()) == separate
    wrong = {**arguments, "fc_norm": not separate}
    folder("vit", {"global_pool": "avg", "model_args": wrong}, tensors=tensors)
    with pytest.raises(RefusedModel, match="says fc_norm = "):
        read(path, VIT_OPTIONS)


def test_an_architecture_of_timm_says_the_usual(folder: Folder) -> None:
    rng = np.random.default_rng(0)
    shapes = {"cls_token": (1, 1, 192), "pos_embed": (1, 5, 192), "patch_embed.proj.weight": (192, 3, 16, 16)}

    def grown(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
        size = {16: 192, 48: 576, 32: 768}
        shape = shapes.get(name, tuple(size.get(n, n) for n in array.shape))
        return rng.random(size=shape, dtype=np.float32)

    tensors = {name: grown(name, array) for name, array in TENSORS["vit"].items()}
    block = {name[len("blocks.1.") :]: array for name, array in tensors.items() if "blocks.1." in name}
    tensors |= {f"blocks.{index}.{name}": array for index in range(2, 12) for name, array in block.items()}
    path = folder("vit", tensors=tensors)
    config = path / "config.json"
    config.write_text('{"architecture": "vit_tiny_patch16_224", "num_classes": 5}')
    said = read(path)
    with pytest.raises(RefusedModel, match="the folder says heads = 3, the option --heads 2"):
        read(path, Options(heads=2))
    config.unlink()
    for model in (said, read(path, Options(architecture="vit_tiny_patch16_224"))):
        assert isinstance(model, Vit)
        first = model.blocks[0]
        assert (first.heads, first.activation, model.norm.epsilon, model.pooling) == (3, "gelu", 1e-6, "cls")
    with pytest.raises(RefusedModel, match="vit_large_patch16_224 has embed_dim = 1024, the tensors 192"):
        read(path, Options(architecture="vit_large_patch16_224"))
    fewer = {name: array for name, array in tensors.items() if "blocks.11." not in name}
    plain = {"model_args": None, "num_features": None}
    with pytest.raises(RefusedModel, match="vit_tiny_patch16_224 has depth = 12, the tensors 11"):
        read(folder("vit", {**plain, "architecture": "vit_tiny_patch16_224"}, tensors=fewer))


def test_a_causal_encoder_sees_no_later_token(folder: Folder) -> None:
    model = read(folder("torch", {"is_causal": True}))
    x = INPUTS["torch"]
    whole = model.run(x, FloatEngine())
    for tokens in (1, 4, 7):
        part = model.run(x[:, :tokens], FloatEngine())
        np.testing.assert_allclose(whole[:, :tokens], part, atol=1e-5)
    assert not np.allclose(whole[:, :4], read(folder("torch")).run(x, FloatEngine())[:, :4], atol=1e-2)


def test_a_head_is_left_out_on_purpose_only(folder: Folder) -> None:
    head = {"classifier.weight": np.ones((3, 16), np.float32), "classifier.bias": np.ones(3, np.float32)}
    path = folder(
        "bert", {"architectures": ["BertForSequenceClassification"]}, tensors={**TENSORS["bert"], **head}
    )
    with pytest.raises(RefusedModel, match="--leave-out") as refused:
        read(path)
    reasons = {verdict.node: verdict.reason for verdict in refused.value.verdicts}
    assert (
        "tensor classifier.bias is of an unknown part of the model; --leave-out classifier"
        in reasons["classifier"]
    )
    tensors = read_tensors(path)
    tensors.leave_out(["classifier"])
    np.testing.assert_array_equal(outputs(read_model(tensors, Options())[1], "bert"), reference("bert"))
    assert tensors.left_out == ["classifier.bias", "classifier.weight"]
    with pytest.raises(InputError, match="--leave-out must name tensors, 'class' names none"):
        tensors.leave_out(["class"])
