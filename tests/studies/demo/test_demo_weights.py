"""The shipped weights, and every way in which a file of weights can be bad."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from golden.errors import InputError
from models.floating.small_vit import VisionTransformer, VitConfig
from models.shipped.small_vit import load_vit, save_vit
from studies.demo.run import WEIGHTS

CONFIG = VitConfig(side=4, patch=2, width=6, heads=2, layers=1, hidden=5, classes=3)


def small_network() -> VisionTransformer:
    random = np.random.default_rng(0)
    parameters = {name: random.normal(size=shape) for name, shape in CONFIG.parameter_shapes.items()}
    return VisionTransformer(CONFIG, parameters, {"seed": 0})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_vit(tmp_path / "w.npz", small_network())
    return tmp_path / "w.npz"


def rewrite(path: Path, **changes: np.ndarray | None) -> None:
    """Replace arrays of the file, or remove those that are None; `__` in a name stands for a dot."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    for name, value in changes.items():
        name = name.replace("__", ".")
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    np.savez(path, **arrays)


def complaint(path: Path) -> str:
    """The one line with which the file is refused."""
    with pytest.raises(InputError) as caught:
        load_vit(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def test_shipped_weights_are_small_and_float32() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    with np.load(WEIGHTS) as file:
        assert {file[name].dtype for name in file.files if name != "description"} == {np.dtype(np.float32)}
    network = load_vit(WEIGHTS)
    assert (network.config.tokens, network.config.head_dim) == (16, 16)
    assert {"split_seed", "test_accuracy", "recipe"} <= set(network.metadata)


def test_save_and_load_keep_a_network(path: Path) -> None:
    network, read = small_network(), load_vit(path)
    assert read.config == network.config
    assert read.metadata == network.metadata
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(read.parameters[name], value.astype(np.float32))


def test_network_follows_its_definition(path: Path) -> None:
    """Logits of one image, written out with loops over tokens and heads."""
    network = small_network()
    w, image = network.parameters, np.random.default_rng(1).random((4, 4))

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return w[f"{name}.weight"] @ x + w[f"{name}.bias"]

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x**2).mean() + 1e-6) * w[f"{name}.weight"]

    corners = [(y, x) for y in (0, 2) for x in (0, 2)]
    tokens = [
        linear("patch", image[y : y + 2, x : x + 2].ravel()) + w["position"][t]
        for t, (y, x) in enumerate(corners)
    ]
    qkv = [linear("layers.0.qkv", norm("layers.0.norm1", x)) for x in tokens]
    for i in range(4):
        mixed = np.zeros(6)
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            logits = np.array([qkv[i][0:6][part] @ qkv[j][6:12][part] for j in range(4)]) / np.sqrt(3)
            weights = np.exp(logits) / np.exp(logits).sum()
            mixed[part] = sum(weights[j] * qkv[j][12:18][part] for j in range(4))
        x = tokens[i] + linear("layers.0.out", mixed)
        hidden = np.maximum(linear("layers.0.up", norm("layers.0.norm2", x)), 0)
        tokens[i] = x + linear("layers.0.down", hidden)
    pooled = np.mean([norm("norm", x) for x in tokens], axis=0)
    np.testing.assert_allclose(network.logits(image[None])[0], linear("head", pooled), rtol=1e-12)


def test_missing_file(tmp_path: Path) -> None:
    assert "cannot be read" in complaint(tmp_path / "absent.npz")


@pytest.mark.parametrize("kept", [0, 10, 1000, -30])
def test_truncated_file(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    assert "must be a whole" in complaint(path)


def test_flipped_byte_inside_an_array(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)
    assert "must be a whole" in complaint(path)


def test_not_an_archive(path: Path) -> None:
    path.write_text("weights")
    assert "must be a whole" in complaint(path)


def test_one_array_in_place_of_an_archive(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert "must be a whole" in complaint(path)


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    assert "cannot be read" in complaint(tmp_path)


def test_array_missing(path: Path) -> None:
    rewrite(path, layers__0__qkv__bias=None)
    assert complaint(path) == "must hold the array layers.0.qkv.bias"


def test_array_unknown(path: Path) -> None:
    rewrite(path, extra=np.zeros(1))
    assert complaint(path) == "must not hold the unknown array extra"


def test_array_of_wrong_shape(path: Path) -> None:
    rewrite(path, head__bias=np.zeros(4))
    assert complaint(path) == "head.bias must have the shape [3], not [4]"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_value_not_finite(path: Path, value: float) -> None:
    rewrite(path, head__bias=np.array([0, value, 0]))
    assert complaint(path) == f"head.bias must be finite, not {value} at [1]"


def test_array_of_text(path: Path) -> None:
    rewrite(path, head__bias=np.array(["a", "b", "c"]))
    assert "head.bias must be an array of real numbers" in complaint(path)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        '{"config": {"side": 4}, "metadata": {}}',
        json.dumps({"config": dataclasses.asdict(CONFIG), "metadata": 3}),
    ],
)
def test_description_unusable(path: Path, text: str) -> None:
    rewrite(path, description=np.array(text))
    assert "must hold a description of the network" in complaint(path)


def test_description_missing(path: Path) -> None:
    rewrite(path, description=None)
    assert "must hold a description of the network" in complaint(path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"patch": 3}, "VitConfig.patch must divide side (4), not 3"),
        ({"heads": 4}, "VitConfig.heads must divide width (6), not 4"),
        ({"width": 0}, "VitConfig.width must be an integer in 1..4096, not 0"),
        ({"layers": 1.5}, "VitConfig.layers must be an integer in 1..4096, not 1.5"),
    ],
)
def test_description_of_an_impossible_network(path: Path, change: dict[str, object], line: str) -> None:
    config = dataclasses.asdict(CONFIG) | change
    rewrite(path, description=np.array(json.dumps({"config": config, "metadata": {}})))
    assert complaint(path) == line


@pytest.mark.parametrize(
    ("images", "line"),
    [
        (np.zeros((0, 4, 4)), "images must not be empty"),
        (np.zeros((1, 5, 4)), "images must have the shape [n, 4, 4], not [1, 5, 4]"),
        (np.full((1, 4, 4), np.nan), "images must be finite"),
    ],
)
def test_bad_images(images: np.ndarray, line: str) -> None:
    with pytest.raises(InputError, match="images") as caught:
        small_network().logits(images)
    assert str(caught.value).startswith(line)
