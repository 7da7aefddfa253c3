"""Low-rank adapters are merged into the weights; their classifier reads the mean hidden state."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from golden.errors import InputError
from models.files.adapters import merge_adapters, merged
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.layouts import Options, read_model
from models.verdict import RefusedModel
from tests.models.model_folders import CLS, INPUTS, MODULES, TENSORS, Folder

LAYERS = ("encoder.layer.0.attention.self.query", "encoder.layer.1.output.dense")
Arrays = dict[str, NDArray[np.generic]]


def adapters() -> Arrays:
    rng, arrays = np.random.default_rng(0), {}
    for layer in LAYERS:
        outputs, inputs = TENSORS["bert"][f"{layer}.weight"].shape
        arrays[f"{layer}.a"] = rng.normal(size=(3, inputs)).astype(np.float16)
        arrays[f"{layer}.b"] = rng.normal(size=(outputs, 3)).astype(np.float16)
    arrays["classifier.weight"] = rng.normal(size=(4, 16)).astype(np.float32)
    arrays["classifier.bias"] = rng.normal(size=4).astype(np.float32)
    return arrays


def adapted(folder: Path, file: Path, arrays: Arrays) -> Bert:
    file.parent.mkdir(exist_ok=True)
    save_file(arrays, file)
    tensors = read_tensors(folder)
    merge_adapters(tensors, file)
    model = read_model(tensors, Options())[1]
    assert isinstance(model, Bert)
    return model


def test_logits_are_those_of_low_rank_branches(folder: Folder, tmp_path: Path) -> None:
    arrays = adapters()
    model = adapted(folder("bert"), tmp_path / "own" / "a.safetensors", arrays)
    # Beside the layers, not in them
    plain = read_model(read_tensors(tmp_path / "model.safetensors"), Options(architecture="bert", heads=2))[1]
    assert isinstance(plain, Bert)

    class Branches(FloatEngine):
        def linear(self, name, x, layer):
            place = {"block0.query": LAYERS[0], "block1.mlp2": LAYERS[1]}.get(name)
            y = super().linear(name, x, layer)
            if place is None:
                return y
            a, b = (arrays[f"{place}.{part}"].astype(np.float32) for part in "ab")
            return y + x @ a.T @ b.T

    hidden = plain.encode(INPUTS["bert"], Branches()).mean(axis=1)
    expected = hidden @ arrays["classifier.weight"].T + arrays["classifier.bias"]
    np.testing.assert_allclose(model.run(INPUTS["bert"], FloatEngine()), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(plain.encode(INPUTS["bert"], FloatEngine()).mean(axis=1) - hidden).max() > 0.1


def test_without_a_classifier_the_encoder_embeds(folder: Folder, tmp_path: Path) -> None:
    arrays = {name: array for name, array in adapters().items() if not name.startswith("classifier")}
    model = adapted(folder("bert"), tmp_path / "own" / "a.safetensors", arrays)
    embedded = model.run(INPUTS["bert"], FloatEngine())
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=-1), 1, rtol=1e-6)


def test_rounded_once() -> None:
    # 1 + 2**-28 - 1: nothing is left where the product is rounded to float32 before it is added
    a, b = np.array([[1], [2**-14]], np.float16), np.array([[1, 2**-14]], np.float16)
    assert merged(np.array([[-1]], np.float32), a, b) == np.float32(2.0**-28)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({f"{LAYERS[0]}.b": None}, f"lacks '{LAYERS[0]}.b'"),
        ({"classifier.bias": None}, "lacks 'classifier.bias'"),
        ({"pooler.weight": np.ones((2, 2))}, "must hold adapters and a classifier only, not 'pooler.weight'"),
        ({"encoder.x.a": np.ones((1, 2)), "encoder.x.b": np.ones((2, 1))}, "adapts 'encoder.x', which "),
        (
            {f"{LAYERS[0]}.a": np.ones((3, 15), np.float16)},
            f"'{LAYERS[0]}' must be a [rank, inputs] and b [outputs, rank] for weights [16, 16], "
            "not [3, 15] and [16, 3]",
        ),
        ({f"{LAYERS[0]}.a": np.ones((3, 16), np.int8)}, f"'{LAYERS[0]}' and its weight must be floats"),
        (dict.fromkeys(adapters()) | {"x.weight": np.ones(2)}, "must hold adapters LAYER.a and LAYER.b"),
    ],
)
def test_other_files_are_refused(
    folder: Folder, tmp_path: Path, changes: dict[str, NDArray[np.generic] | None], rule: str
) -> None:
    file = tmp_path / "own" / "a.safetensors"
    arrays = {name: array for name, array in (adapters() | changes).items() if array is not None}
    with pytest.raises(InputError) as error:
        adapted(folder("bert"), file, arrays)
    assert str(error.value).startswith(f"{file}: {rule}")


def test_classes_of_other_features_or_pooling_are_refused(folder: Folder, tmp_path: Path) -> None:
    wide = adapters() | {"classifier.weight": np.ones((4, 17), np.float32)}
    with pytest.raises(RefusedModel, match=r"mean_classifier.weight must have the shape \[any, 16\]"):
        adapted(folder("bert"), tmp_path / "own" / "a.safetensors", wide)
    other = folder("bert", files={"modules.json": MODULES, "1_Pooling/config.json": CLS})
    with pytest.raises(RefusedModel, match="needs pooling mean, not cls"):
        adapted(other, tmp_path / "own" / "a.safetensors", adapters())
