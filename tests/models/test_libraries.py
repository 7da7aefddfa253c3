"""Folders as libraries write them (reference/make_folders.py): the float forward pass is the library's."""

import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from golden.code import PhaseCode
from golden.errors import InputError
from models.conversion.convert import convert
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.floating.gpt2 import Gpt2
from models.floating.past import Past
from models.floating.torch_encoder import TorchEncoder
from models.floating.vit import Vit
from models.layouts import LAYOUTS, Options, read_model
from models.verdict import RefusedModel

FOLDERS = Path(__file__).parent / "reference" / "folders"
LAYOUT = {
    **dict.fromkeys(
        ("bert", "bert_padded", "bert_classifier", "bert_float16", "bert_bfloat16", "bert_shards"), "bert"
    ),
    **dict.fromkeys(("roberta", "roberta_classifier", "electra", "electra_classifier"), "bert"),
    **dict.fromkeys(("distilbert", "distilbert_classifier"), "distilbert"),
    **dict.fromkeys(("mpnet", "mpnet_classifier", "sentence_mpnet"), "mpnet"),
    "sentence_bert": "bert",
    **dict.fromkeys(
        ("vit", "vit_classifier", "deit", "deit_teacher", "dinov2", "dinov2_registers"), "hf-vit"
    ),
    "swin": "hf-swin",
    **dict.fromkeys(("timm_vit", "timm_mean", "timm_fc_norm", "timm_registers"), "vit"),
    **dict.fromkeys(("timm_pre_norm", "timm_distilled"), "vit"),
    "timm_swin": "swin",
    "gpt2": "gpt2",
    "torchvision_vit": "torchvision-vit",
    **dict.fromkeys(("torch_plain", "torch_no_bias", "torch_wrapped"), "torch-encoder"),
    **dict.fromkeys(("torch_module_mean", "torch_module_cls", "torch_module_last"), "torch-encoder"),
}
FINE = PhaseCode(steps=64, log2_base=Fraction(1, 8), trace_bits=16)
# What no folder says
MODULE = Options(
    **{"heads": 2, "activation": "relu", "norm_first": False, "epsilon": 1e-5, "mask": "none"},
    **{"embedding": "embed", "positions": "where", "head": "classify"},
)
OPTIONS = {
    "torchvision_vit": Options(heads=2),
    "torch_module_mean": replace(MODULE, pooling="mean"),
    "torch_module_cls": replace(MODULE, pooling="cls", class_token="cls", norm_first=True, activation="gelu"),
    "torch_module_last": replace(MODULE, pooling="last", mask="causal"),
}


def vectors(name: str) -> dict[str, NDArray[Any]]:
    with np.load(FOLDERS / f"{name}.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", LAYOUT)
def test_float_forward_equals_the_library(name: str) -> None:
    layout, model = read_model(read_tensors(FOLDERS / name), OPTIONS.get(name, Options()))
    assert layout == LAYOUT[name]
    given = vectors(name)
    engine = FloatEngine()
    if isinstance(model, Bert) and given["outputs"].ndim == 3:  # hidden states: nothing is pooled
        outputs = model.encode(given["inputs"], engine, given.get("allowed"))
    elif isinstance(model, Vit) and given["outputs"].ndim == 3:
        outputs = engine.norm("norm", model.encode(given["inputs"], engine), model.norm)
    elif isinstance(model, Gpt2):
        outputs = model.logits(given["inputs"], engine)
    elif isinstance(model, TorchEncoder):
        outputs = model.run(given["inputs"], engine, given.get("allowed"))
    else:
        outputs = model.run(given["inputs"], engine)
    np.testing.assert_allclose(outputs, given["outputs"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["sentence_mpnet", "sentence_bert"])
def test_what_a_sentence_transformers_folder_says(name: str) -> None:
    _, model = read_model(read_tensors(FOLDERS / name), Options())
    assert isinstance(model, Bert)
    assert (model.length, model.pooling, model.unit) == {
        "sentence_mpnet": (11, "mean", True),
        "sentence_bert": (11, "cls", False),
    }[name]


def test_a_decoder_token_by_token_equals_a_full_pass() -> None:
    _, model = read_model(read_tensors(FOLDERS / "gpt2"), Options())
    assert isinstance(model, Gpt2)
    tokens, engine, past = vectors("gpt2")["inputs"], FloatEngine(), Past()
    whole = model.logits(tokens, engine)
    steps = [model.logits(tokens[:, [index]], engine, past) for index in range(tokens.shape[1])]
    np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, atol=1e-5)
    # In pieces too, and what `run` gives is the last token's
    past = Past()
    pieces = [model.logits(part, engine, past) for part in np.split(tokens, [4, 5], axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)
    np.testing.assert_allclose(model.run(tokens, engine), whole[:, -1], atol=1e-5)


def test_names_without_wrappers(tmp_path: Path) -> None:
    """DataParallel, torch.compile and TensorFlow leave their marks on names; two tensors keep two names."""
    whole = load_file(FOLDERS / "bert" / "model.safetensors")
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def renamed(name: str) -> str:
        for new, before in old.items():
            name = name.replace(new, before)
        return "_orig_mod.module." + name.replace("encoder.", "encoder._orig_mod.")

    path = tmp_path / "model.safetensors"
    shutil.copy(FOLDERS / "bert" / "config.json", tmp_path)
    save_file({renamed(name): array for name, array in whole.items()}, path)
    assert set(read_tensors(path).arrays) == set(whole)
    _, model = read_model(read_tensors(tmp_path), Options())
    given = vectors("bert")
    assert isinstance(model, Bert)
    np.testing.assert_allclose(model.encode(given["inputs"], FloatEngine()), given["outputs"], atol=1e-4)
    save_file(whole | {"_orig_mod.pooler.dense.bias": whole["pooler.dense.bias"]}, path)
    with pytest.raises(InputError, match=r"must hold the tensor pooler.dense.bias once, it holds it as"):
        read_tensors(path)


def test_positions_are_a_square(tmp_path: Path) -> None:
    """An image of as many patches, but another shape, has other neighbours than the positions."""
    _, model = read_model(read_tensors(FOLDERS / "vit_classifier"), Options())
    with pytest.raises(InputError, match="images must be 16 x 16 pixels, not 8 x 32"):
        model.run(np.zeros((1, 3, 8, 32), np.float32), FloatEngine())
    whole = read_tensors(FOLDERS / "torchvision_vit")
    longer = whole.arrays | {"encoder.pos_embedding": np.ones((1, 19, 16), np.float32)}
    with pytest.raises(RefusedModel, match="must have positions for a square of patches, not for 18"):
        read_model(replace(whole, arrays=longer), Options(heads=2))


REFUSED = {
    "another head": (
        "bert_classifier",
        {"architectures": ["BertForMaskedLM"]},
        "BertForMaskedLM, of which only",
    ),
    "several labels": (
        "roberta_classifier",
        {"problem_type": "multi_label_classification"},
        'problem_type in config.json must be "single_label_classification"',
    ),
    "buckets": (
        "mpnet",
        {"relative_attention_num_buckets": 64},
        "relative_attention_num_buckets = 64, the tensors 32",
    ),
    "embedding": ("electra", {"embedding_size": 16}, "embedding_size = 16, the tensors 8"),
    "labels of images": (
        "swin",
        {"problem_type": "multi_label_classification"},
        'problem_type in config.json must be "single_label_classification"',
    ),
    "gated": ("dinov2", {"use_swiglu_ffn": True}, "use_swiglu_ffn in config.json must be false, not true"),
    "another kind": ("vit_classifier", {"model_type": "yolos"}, "model_type must be one of vit, deit"),
    "another prefix": ("vit_classifier", {"model_type": "deit"}, "model_type deit names its tensors deit."),
    "image": ("deit", {"image_size": 224}, "image_size = 224, the tensors have positions for 16 patches"),
    "cross": ("gpt2", {"add_cross_attention": True}, "add_cross_attention in config.json must be false"),
    "scale": ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "must be false, not true"),
    "registers": (
        "timm_registers",
        {"global_pool": "map"},
        "global_pool in config.json must be one of token",
    ),
    "no class token": ("timm_fc_norm", {"global_pool": "token"}, "says global_pool twice"),
    "padding": ("mpnet", {"pad_token_id": 0}, "pad_token_id in config.json must be 1, not 0"),
    "heads": ("distilbert", {"n_heads": 3}, "heads must divide the 16 features, not 3"),
    "key": ("distilbert", {"rope": 1}, "rope = 1, which is neither followed nor harmless"),
    "class": ("mpnet", {"architectures": ["MPNetForMaskedLM"]}, "of which only the encoder"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(tmp_path: Path, what: str) -> None:
    name, change, message = REFUSED[what]
    folder = tmp_path / name
    shutil.copytree(FOLDERS / name, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(RefusedModel) as refused:
        read_model(read_tensors(folder), OPTIONS.get(name, Options()))
    assert message in "; ".join(verdict.reason for verdict in refused.value.verdicts)


WRONG_OPTIONS = {
    "nothing named": (
        {"embedding": None},
        "tensor embed.weight is of an unknown part of the model; --embedding, --class-token, --positions or "
        "--head may say what it is, --leave-out embed goes on without it",
    ),
    "another name": ({"head": "classifier"}, "tensor classifier.weight is missing"),
    "one layer twice": ({"embedding": "classify"}, "classify is another part of the model"),
    "another layer": ({"embedding": "encoder.layers.0.linear2"}, "linear2 is another part of the model"),
    "a whole layer": ({"positions": "embed"}, "must have the shape [tokens, 16], beside axes of 1"),
    "several tokens": ({"class_token": "where"}, "must have the shape [1, 16], beside axes of 1, not [1, 7,"),
    "no pooling": ({"pooling": None}, "give --pooling to onespike convert"),
    "another pooling": ({"pooling": "max"}, "pooling must be one of mean, cls, last, not 'max'"),
}


@pytest.mark.parametrize("what", WRONG_OPTIONS)
def test_what_surrounds_an_encoder_is_named_or_refused(what: str) -> None:
    changes, message = WRONG_OPTIONS[what]
    options = replace(OPTIONS["torch_module_mean"], **changes)
    with pytest.raises(RefusedModel) as refused:
        read_model(read_tensors(FOLDERS / "torch_module_mean"), options)
    assert message in "; ".join([str(refused.value), *(verdict.reason for verdict in refused.value.verdicts)])


def test_an_encoder_has_positions_for_its_tokens() -> None:
    name = "torch_module_last"
    _, model = read_model(read_tensors(FOLDERS / name), OPTIONS[name])
    with pytest.raises(InputError, match="tokens must be at most the 9 positions, not 10"):
        model.run(np.ones((1, 10, 5), np.float32), FloatEngine())


# No part of what is computed
OPTIONAL = re.compile(r"pooler\.dense\.|mask_token$|relative_position_index$")
# One folder of each family that has its own names
NAMED = ("roberta_classifier", "electra", "distilbert_classifier", "mpnet_classifier", "deit_teacher")
NAMED = (*NAMED, "dinov2_registers", "swin", "gpt2", "timm_registers", "timm_distilled", "torchvision_vit")


@pytest.mark.parametrize("name", NAMED)
def test_no_tensor_can_be_absent_or_beside(name: str) -> None:
    """Without any one of them the model is refused, at the end of its reader; so it is with one more."""
    whole = read_tensors(FOLDERS / name)

    options = OPTIONS.get(name, Options())

    def outcome(arrays: dict[str, NDArray[Any]]) -> str:
        try:
            read_model(replace(whole, arrays=arrays, taken=set(), opened={}, problems=[]), options)
        except RefusedModel as error:
            return "; ".join([str(error), *(verdict.reason for verdict in error.verdicts)])
        return ""

    for tensor in whole.arrays:
        said = outcome({key: array for key, array in whole.arrays.items() if key != tensor})
        if not OPTIONAL.search(tensor):
            assert said, tensor
    said = outcome(whole.arrays | {"other.weight": np.ones((2, 2), np.float32)})
    assert "tensor other.weight is of an unknown part of the model" in said


KEYS = [
    (name, key)
    for name in NAMED
    if (FOLDERS / name / "config.json").is_file()
    for key in json.loads((FOLDERS / name / "config.json").read_text())
    if key != "model_args"
]
# What they say takes no part in a forward pass, or is said again by what is compared with the tensors
HARMLESS = re.compile(
    r"dropout|dtype|_token_id$|init|label|use_cache|transformers_version|summary|pooler_|drop_path|drop$"
    r"|layerscale|qkv_bias|out_|stage_names|reshape|apply_layernorm|mask_token|encoder_stride|reorder"
    r"|sinusoidal|problem_type|image_size|tie_word"
)


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_every_fact_is_followed_or_refused_or_harmless(tmp_path: Path, name: str, key: str) -> None:
    """Another value is refused, changes the outputs, or is known to be harmless."""
    folder = tmp_path / name
    shutil.copytree(FOLDERS / name, folder)
    config = json.loads((folder / "config.json").read_text())
    value = config[key]
    if isinstance(value, bool):
        config[key] = not value
    elif isinstance(value, int | float):
        config[key] = 2 * value + 1 if isinstance(value, int) else value + 0.25
    else:
        config[key] = "relu"
    (folder / "config.json").write_text(json.dumps(config))
    try:
        _, model = read_model(read_tensors(folder), OPTIONS.get(name, Options()))
    except RefusedModel:
        return
    outputs = model.run(vectors(name)["inputs"], FloatEngine())
    _, before = read_model(read_tensors(FOLDERS / name), OPTIONS.get(name, Options()))
    same = np.array_equal(outputs, before.run(vectors(name)["inputs"], FloatEngine()))
    assert not same or HARMLESS.search(key), key


@pytest.mark.parametrize(
    "name",
    ["mpnet", "electra_classifier", "dinov2_registers", "timm_registers", "gpt2", "torch_module_cls"],
)
def test_spikes_approach_the_float_model(name: str) -> None:
    """With everything in spikes, at a fine code: whatever a layout adds is a node like the others."""
    _, model = read_model(read_tensors(FOLDERS / name), OPTIONS.get(name, Options()))
    batch = vectors(name)["inputs"][:, :20]
    ranges, layers = record(model, [batch])
    exact = model.run(batch, FloatEngine())
    errors = []
    for code in (PhaseCode(steps=8, log2_base=Fraction(3, 4)), FINE):
        scheme = Scheme(code=code, parts="norm", weight_bits=16)
        conversion = convert(model, ranges, layers, scheme, [batch])
        outputs = model.run(batch, conversion.engine())
        errors.append(float(np.square(outputs - exact).sum() / np.square(exact).sum()) ** 0.5)
    assert errors[1] < min(0.15, errors[0])


def test_every_folder_is_compared() -> None:
    assert {path.name for path in FOLDERS.iterdir() if path.is_dir()} == set(LAYOUT)


def test_the_document_lists_layouts_and_versions() -> None:
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    assert set(re.findall(r"^\| `([a-z][\w-]*)` \|", text, re.M)) == set(LAYOUTS)
    for package, version in json.loads((FOLDERS / "versions.json").read_text()).items():
        assert f"{package.replace('_', '-')} {version.partition('+')[0]}" in " ".join(text.split())
