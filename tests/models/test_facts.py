"""Facts of a config.json are followed, or refused by name; what nothing says is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from golden.errors import InputError
from models.layouts import Options
from models.verdict import RefusedModel
from tests.models.model_folders import CONFIGS, OPTIONS, VIT_ARGUMENTS, Folder, outputs, read, reference


@pytest.mark.parametrize("name", CONFIGS)
def test_a_folder_as_the_library_writes_it(folder: Folder, name: str) -> None:
    model = read(folder(name), OPTIONS.get(name))
    np.testing.assert_array_equal(outputs(model, name), reference(name))


def other(value: Any) -> Any:
    """A value of the same type that is not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 3 + 1 if isinstance(value, int) else value + 0.25
    return [other(item) for item in value] if isinstance(value, list) else "relu"


HARMLESS = {"use_cache", "torch_dtype", "pad_token_id", "dropout"}
FACTS = [(name, key) for name in CONFIGS for key in CONFIGS[name] if key != "model_args"]
ARGUMENTS = [(name, key) for name in ("vit", "swin") for key in CONFIGS[name]["model_args"]]


@pytest.mark.parametrize(("name", "key"), FACTS)
def test_every_fact_is_followed_or_refused_or_harmless(folder: Folder, name: str, key: str) -> None:
    """Another value is refused by the name of the key, changes the outputs, or is known to be harmless."""
    changed = other(CONFIGS[name][key])
    try:
        model = read(folder(name, {key: changed}), OPTIONS.get(name))
    except RefusedModel as error:
        reasons = " ".join(verdict.reason for verdict in error.verdicts)
        assert {"num_attention_heads": "heads", "nhead": "heads"}.get(key, key) in reasons
        return
    same = np.array_equal(outputs(model, name), reference(name))
    assert same == (key in HARMLESS)


@pytest.mark.parametrize(("name", "key"), ARGUMENTS)
def test_every_argument_of_a_timm_model_too(folder: Folder, name: str, key: str) -> None:
    arguments = CONFIGS[name]["model_args"]
    changed = {**arguments, key: 4 if key == "num_heads" and name == "vit" else other(arguments[key])}
    path = folder(name, {"model_args": changed})
    if (name, key) == ("vit", "num_heads"):
        assert not np.array_equal(outputs(read(path, OPTIONS[name]), name), reference(name))
        return
    with pytest.raises(RefusedModel, match=rf"model_args of config.json says {key} = .*, the tensors "):
        read(path, OPTIONS[name])


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("where", ["config.json", "model_args of config.json"])
def test_a_key_that_nobody_knows_is_refused(folder: Folder, name: str, where: str) -> None:
    if where != "config.json" and "model_args" not in CONFIGS[name]:
        where = "config.json"
    inner = where != "config.json"
    new = {"model_args": {**CONFIGS[name]["model_args"], "rope": "x" * 99}} if inner else {"rope": "x" * 99}
    message = rf'{where} says rope = "x+\.\.\. \(101 characters\), which is neither followed nor harmless$'
    with pytest.raises(RefusedModel, match=message):
        read(folder(name, new), OPTIONS.get(name))
    unset = {"model_args": {**CONFIGS[name]["model_args"], "rope": None}} if inner else {"rope": None}
    read(folder(name, unset), OPTIONS.get(name))


REFUSED_CONFIGS = {
    "decoder": ("bert", {"is_decoder": True}, "is_decoder in config.json must be false, not true"),
    "zero for a flag": ("bert", {"is_decoder": 0}, "is_decoder in config.json must be false, not 0"),
    "type": ("bert", {"model_type": "esm"}, 'model_type must be one of bert, roberta, .*, not "esm"'),
    "head": (
        "bert",
        {"architectures": ["BertForMaskedLM"]},
        "names BertForMaskedLM, of which only the encoder .* --leave-out its head",
    ),
    "quantised": ("bert", {"quantization_config": {"bits": 8}}, 'quantization_config = {"bits": 8}'),
    "code": ("bert", {"auto_map": {"AutoModel": "x.Y"}}, "auto_map = .* is neither followed nor harmless"),
    "fewer layers": ("bert", {"num_hidden_layers": 3}, "says num_hidden_layers = 3, the tensors 2"),
    "text for a flag": ("torch", {"norm_first": "false"}, "norm_first in config.json must be true or false"),
    "number for a flag": ("torch", {"is_causal": 0}, "is_causal in config.json must be true or false, not 0"),
    "negative": ("bert", {"layer_norm_eps": -1}, "layer_norm_eps in config.json must be a number in 0..1"),
    "heads": ("bert", {"num_attention_heads": "x"}, "num_attention_heads in .* must be a whole number"),
    "no divisor": ("bert", {"num_attention_heads": 3}, "heads must divide the 16 features, not 3"),
    "activation": ("bert", {"hidden_act": [1]}, r"hidden_act in config.json must be text, not \[1\]"),
    "swish": ("bert", {"hidden_act": "swish"}, "activation must be one of gelu, .*, not 'swish'"),
    "padding": (
        "bert",
        {"model_type": "roberta", "pad_token_id": 11},
        "pad_token_id in config.json must leave",
    ),
    "architecture": (
        "vit",
        {"architecture": "vit_giant_x"},
        r"architecture must be \(vit\|deit\|deit3\)_\(tiny\|.*_patch\(N\)_N, not \"vit_giant_x\"",
    ),
    "other patches": (
        "vit",
        {"architecture": "vit_tiny_patch16_224", "model_args": {"embed_dim": 16}},
        "vit_tiny_patch16_224 has patch_size = 16, the tensors 4",
    ),
    "pool": ("vit", {"global_pool": "map"}, "global_pool in config.json must be one of token, avg"),
    "two pools": (
        "vit",
        {"model_args": {**VIT_ARGUMENTS, "global_pool": "avg"}},
        "says global_pool twice: avg, token",
    ),
    "no class token": ("swin", {"global_pool": "token"}, "pooling must be mean"),
}


@pytest.mark.parametrize("what", REFUSED_CONFIGS)
def test_refused_facts(folder: Folder, what: str) -> None:
    name, change, message = REFUSED_CONFIGS[what]
    with pytest.raises(RefusedModel) as refused:
        read(folder(name, change), OPTIONS.get(name))
    reasons = "; ".join(verdict.reason for verdict in refused.value.verdicts)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match=message):
        raise InputError(reasons)


def test_an_unknown_architecture_is_called_by_its_name(tmp_path: Path) -> None:
    save_file({"distilbert.x.weight": np.ones((2, 2), np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(
        '{"model_type": "distilbert", "architectures": ["DistilBertModel"]}'
    )
    with pytest.raises(
        RefusedModel, match=r'unknown architecture, model_type "distilbert", architectures .*bert'
    ):
        read(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", '{"a": 1, "a": 2}', "[" * 100000])
def test_damaged_json(folder: Folder, content: str) -> None:
    path = folder("bert")
    (path / "config.json").write_text(content)
    with pytest.raises(InputError, match=r"config.json( must hold a table|: not readable as JSON)") as error:
        read(path)
    assert "\n" not in str(error.value)


ASKED = {
    "bert": "give --architecture, --heads, --epsilon, --activation to",
    "vit": "give --architecture, or --heads, --epsilon, --activation, --pooling to",
    "swin": "give --architecture, or --epsilon, --activation to",
    "torch": "give --epsilon, --activation, --norm-first or --norm-last, --mask, --heads to",
}


@pytest.mark.parametrize("name", ASKED)
def test_what_the_file_does_not_say_is_asked_for(folder: Folder, name: str) -> None:
    path = folder(name)
    (path / "config.json").unlink()
    with pytest.raises(RefusedModel, match=f"says what the outputs depend on; {ASKED[name]}"):
        read(path)


NOT_ASKED = [
    ("bert", Options(norm_first=True), "--norm-first or --norm-last is nothing that can be chosen"),
    ("vit", Options(mask="causal"), "--mask is nothing that can be chosen for the layout vit"),
    ("swin", Options(heads=2), "--heads is nothing that can be chosen for the layout swin"),
    (
        "swin",
        Options(class_token="token"),
        "--class-token is nothing that can be chosen for the layout swin",
    ),
    ("torch", Options(norm_first=False), "the folder says norm_first = true, the option --norm-first or"),
    ("bert", Options(heads=4), "the folder says heads = 2, the option --heads 4"),
    ("bert", Options(architecture="roberta"), 'the folder says architecture = "bert", the option'),
    ("bert", Options(pooling="max"), "pooling must be one of mean, cls, not 'max'"),
]


@pytest.mark.parametrize(("name", "options", "message"), NOT_ASKED)
def test_options_that_contradict_or_do_nothing_are_refused(
    folder: Folder, name: str, options: Options, message: str
) -> None:
    with pytest.raises(RefusedModel) as refused:
        read(folder(name), options)
    with pytest.raises(InputError, match=message):
        raise InputError("; ".join(verdict.reason for verdict in refused.value.verdicts))
