"""Readers of four layouts against outputs of torch, transformers and timm (see reference/make.py)."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from golden.errors import InputError
from models.files.tensors import read_tensors
from models.files.text import load_tokenizer
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.layouts import LAYOUTS, Options, read_model
from models.verdict import RefusedModel

REFERENCE = Path(__file__).parent / "reference"
NAMES = ("bert", "vit", "swin", "torch_norm_last", "torch_norm_first")
# q, k and v may have no bias, a text encoder no pooler
OPTIONAL = re.compile(r"qkv.bias$|in_proj_bias$|^pooler.dense")
LAYOUT = {"torch_norm_last": "torch-encoder", "torch_norm_first": "torch-encoder"}


@dataclass
class Case:
    """A reference model on disk and its vectors."""

    path: Path
    options: Options
    inputs: NDArray[Any]
    outputs: NDArray[np.float32]


def case(name: str) -> Case:
    options = Options(**json.loads((REFERENCE / f"{name}.json").read_text()))
    with np.load(REFERENCE / f"{name}.npz") as vectors:
        return Case(
            path=REFERENCE / f"{name}.safetensors",
            options=options,
            inputs=vectors["inputs"],
            outputs=vectors["outputs"],
        )


@pytest.mark.parametrize("name", NAMES)
def test_float_forward_equals_the_original_library(name: str) -> None:
    reference = case(name)
    layout, model = read_model(read_tensors(reference.path), reference.options)
    assert layout == LAYOUT.get(name, name)
    engine = FloatEngine()
    if isinstance(model, Bert):
        outputs = model.encode(reference.inputs, engine)
    else:
        outputs = model.run(reference.inputs, engine)
    np.testing.assert_allclose(outputs, reference.outputs, atol=2e-5, rtol=1e-4)


def changed(tmp_path: Path, name: str, change: Any) -> Path:
    """A copy of a reference model with its tensors changed."""
    tensors = load_file(REFERENCE / f"{name}.safetensors")
    change(tensors)
    path = tmp_path / "model.safetensors"
    save_file(tensors, path)
    return path


def drop(name: str) -> Any:
    return lambda tensors: tensors.pop(name)


def put(name: str, value: NDArray[Any]) -> Any:
    return lambda tensors: tensors.update({name: value})


def put_nan(tensors: dict[str, NDArray[Any]]) -> None:
    tensors["blocks.0.mlp.fc1.weight"][2, 3] = np.nan


MISTAKES = {
    "missing": ("vit", drop("norm.bias"), "tensor norm.bias is missing"),
    "shape": (
        "vit",
        put("norm.bias", np.zeros(5, np.float32)),
        r"tensor norm.bias must have the shape \[16\], not \[5\]",
    ),
    "nan": (
        "vit",
        put_nan,
        r"tensor blocks.0.mlp.fc1.weight must be finite in float32, not nan at \[2, 3\]",
    ),
    "quantised": (
        "vit",
        put("norm.bias", np.zeros(16, np.int8)),
        "tensor norm.bias must hold floats, not int8: quantised weights are not followed",
    ),
    "leftover": (
        "vit",
        put("blocks.0.attn.q_norm.weight", np.ones(8, np.float32)),
        "tensor blocks.0.attn.q_norm.weight is of an unknown part of the model; --leave-out",
    ),
    "unknown": (
        "vit",
        drop("blocks.0.attn.qkv.weight"),
        r"unknown architecture .* known layouts: bert \(Hugging Face, .*\); swin .*; torch-encoder \(",
    ),
    "bias table": (
        "swin",
        put("layers.0.blocks.0.attn.relative_position_bias_table", np.zeros((10, 1), np.float32)),
        r"must have \(2\*window-1\)\^2 rows, not 10",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_refused(tmp_path: Path, mistake: str) -> None:
    name, change, message = MISTAKES[mistake]
    path = changed(tmp_path, name, change)
    with pytest.raises(InputError, match=message) as error:
        read_model(read_tensors(path), case(name).options)
    assert "\n" not in str(error.value)


def test_every_node_of_a_refused_model_gets_its_reason(tmp_path: Path) -> None:
    def spoil(tensors: dict[str, NDArray[Any]]) -> None:
        put_nan(tensors)
        del tensors["blocks.1.mlp.fc1.weight"]  # its size is known from no other tensor
        tensors["norm.bias"] = np.zeros(5, np.float32)
        tensors["blocks.0.attn.q_norm.weight"] = np.ones(8, np.float32)
        tensors["blocks.0.attn.q_norm.bias"] = np.ones(8, np.float32)

    path = changed(tmp_path, "vit", spoil)
    whole = {name.rpartition(".")[0] or name for name in load_file(REFERENCE / "vit.safetensors")}
    with pytest.raises(RefusedModel, match=r"and 5 more reasons to refuse it") as refused:
        read_model(read_tensors(path), Options())  # nor are the heads known
    verdicts = {verdict.node: verdict for verdict in refused.value.verdicts}
    assert set(verdicts) == whole | {"blocks.0.attn.q_norm", "options"}
    reasons = {node: verdict.reason for node, verdict in verdicts.items() if verdict.outcome == "refused"}
    assert set(reasons) == {
        *("blocks.0.mlp.fc1", "blocks.1.mlp.fc1", "norm", "blocks.0.attn.q_norm", "options"),
    }
    assert reasons["blocks.1.mlp.fc1"] == "tensor blocks.1.mlp.fc1.weight is missing"
    assert reasons["blocks.0.attn.q_norm"].count("unknown part of the model") == 2
    assert {verdict.outcome for verdict in verdicts.values()} == {"refused", "readable"}


@pytest.mark.parametrize("name", NAMES)
def test_any_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    """Whatever is missing, the reader comes to its end and says so."""
    options = case(name).options
    for tensor in load_file(REFERENCE / f"{name}.safetensors"):
        tensors = read_tensors(changed(tmp_path, name, drop(tensor)))
        if OPTIONAL.search(tensor):
            read_model(tensors, options)
            continue
        known = any(layout.recognise(tensors) for layout in LAYOUTS.values())
        with pytest.raises(RefusedModel, match=f"tensor {tensor} is missing" if known else "unknown arch"):
            read_model(tensors, options)


def test_an_unknown_architecture_lists_its_nodes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"lstm.weight_ih": np.ones((4, 4), np.float32), "lstm.weight_hh": np.ones((4, 4))}, path)
    with pytest.raises(RefusedModel, match="unknown architecture") as refused:
        read_model(read_tensors(path), Options())
    assert [(v.node, v.outcome, v.reason) for v in refused.value.verdicts] == [
        ("lstm", "refused", "unknown architecture")
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.safetensors", b"\x08\x00\x00", "not readable as safetensors"),
        ("m.npz", b"PK not a zip", "must be a whole .npz file"),
        ("m.onnx", b"", "a model file must end in .safetensors, .npz"),
    ],
)
def test_damaged_or_unknown_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_tensors(path)


def test_without_the_optional_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InputError, match="models need the package safetensors, it is not installed"):
        read_tensors(case("vit").path)
    with pytest.raises(InputError, match="models need the package tokenizers"):
        load_tokenizer(tmp_path / "tokenizer.json")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_tensors(tmp_path / "absent.safetensors")
    with pytest.raises(InputError, match="no model file"):
        read_tensors(tmp_path)


def test_half_precision_files(tmp_path: Path) -> None:
    """float16 and bfloat16, which numpy has not; other types are refused."""
    values = np.array([[1.0, -2.5], [0.0, 3.140625]], np.float32)
    upper = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    path = tmp_path / "m.safetensors"
    write_safetensors(path, {"a": ("BF16", upper), "b": ("F16", values.astype("<f2").tobytes())})
    arrays = read_tensors(path).arrays
    np.testing.assert_array_equal(arrays["a"], values)
    np.testing.assert_array_equal(arrays["b"].astype(np.float32), values.astype(np.float16))
    write_safetensors(path, {"a": ("F8_E4M3", b"\0" * 4)})
    with pytest.raises(InputError, match="data type F8_E4M3 is not known"):
        read_tensors(path)


def write_safetensors(path: Path, tensors: dict[str, tuple[str, bytes]]) -> None:
    """A file of 2 x 2 tensors, by hand."""
    header, start = {}, 0
    for name, (dtype, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": [2, 2], "data_offsets": [start, start + len(data)]}
        start += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data for _, data in tensors.values()))
