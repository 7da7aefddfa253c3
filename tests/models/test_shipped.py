"""The shipped weights, and every way in which a file of weights can be bad."""

from pathlib import Path

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.errors import InputError
from models.floating.engine import FloatEngine
from models.floating.vit import Vit
from models.shipped.vit_file import FOLDER, load_training, load_vit, save_vit, vit_of
from tests.golden.network.samples import converted

SHAPES = {
    **{"embed.weight": (6, 4), "embed.bias": (6,), "position": (4, 6), "norm.weight": (6,)},
    **{"blocks.0.norm1.weight": (6,), "blocks.0.norm2.weight": (6,)},
    **{"blocks.0.qkv.weight": (18, 6), "blocks.0.qkv.bias": (18,)},
    **{"blocks.0.proj.weight": (6, 6), "blocks.0.proj.bias": (6,)},
    **{"blocks.0.up.weight": (5, 6), "blocks.0.up.bias": (5,)},
    **{"blocks.0.down.weight": (6, 5), "blocks.0.down.bias": (6,)},
    **{"head.weight": (3, 6), "head.bias": (3,)},
}
FACTS: dict[str, int | str] = {
    **{"side": 4, "patch": 2, "stride": 2, "heads": 2},
    **{"norm_kind": "rms", "activation": "relu"},
}


def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape) for name, shape in SHAPES.items()}


def small_network() -> Vit:
    return vit_of(arrays() | {name: np.array(value) for name, value in FACTS.items()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_vit(tmp_path / "w.npz", arrays(), training={"seed": 0}, **FACTS)
    return tmp_path / "w.npz"


def rewrite(path: Path, **changes: np.ndarray | None) -> None:
    """Replace arrays of the file, or remove those that are None; `__` in a name stands for a dot."""
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    for name, value in changes.items():
        name = name.replace("__", ".")
        if value is None:
            del stored[name]
        else:
            stored[name] = value
    np.savez(path, **stored)


def complaint(path: Path) -> str:
    """The one line with which the file is refused."""
    with pytest.raises(InputError) as caught:
        load_vit(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", ["digits", "fashion", "fashion-batchnorm"])
def test_shipped_weights_are_small_and_float32(name: str) -> None:
    path = FOLDER / f"{name}.npz"
    assert path.stat().st_size < 1 << 20
    with np.load(path) as file:
        assert {file[key].dtype for key in file.files if "." in key} == {np.dtype(np.float32)}
    network = load_vit(path)
    assert network.run(np.zeros((2, 1, network.side, network.side)), FloatEngine()).shape == (2, 10)


def test_what_training_recorded() -> None:
    assert {"split_seed", "test_accuracy", "recipe"} <= set(load_training(FOLDER / "digits.npz"))
    assert load_training(FOLDER / "fashion.npz") == {}


def test_save_and_load_keep_a_network(path: Path) -> None:
    assert load_training(path) == {"seed": 0}
    image = np.random.default_rng(1).random((3, 1, 4, 4))
    rounded = {name: value.astype(np.float32) for name, value in arrays().items()}
    facts = {name: np.array(value) for name, value in FACTS.items()}
    again = load_vit(path).run(image, FloatEngine())
    np.testing.assert_array_equal(again, vit_of(rounded | facts).run(image, FloatEngine()))


def test_network_follows_its_definition(path: Path) -> None:
    """Logits of one image, written out with loops over tokens and heads."""
    w, image = arrays(), np.random.default_rng(1).random((4, 4))

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return w[f"{name}.weight"] @ x + w[f"{name}.bias"]

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x**2).mean() + 1e-6) * w[f"{name}.weight"]

    corners = [(y, x) for y in (0, 2) for x in (0, 2)]
    tokens = [
        linear("embed", image[y : y + 2, x : x + 2].ravel()) + w["position"][t]
        for t, (y, x) in enumerate(corners)
    ]
    qkv = [linear("blocks.0.qkv", norm("blocks.0.norm1", x)) for x in tokens]
    for i in range(4):
        mixed = np.zeros(6)
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            logits = np.array([qkv[i][0:6][part] @ qkv[j][6:12][part] for j in range(4)]) / np.sqrt(3)
            weights = np.exp(logits) / np.exp(logits).sum()
            mixed[part] = sum(weights[j] * qkv[j][12:18][part] for j in range(4))
        x = tokens[i] + linear("blocks.0.proj", mixed)
        hidden = np.maximum(linear("blocks.0.up", norm("blocks.0.norm2", x)), 0)
        tokens[i] = x + linear("blocks.0.down", hidden)
    pooled = np.mean([norm("norm", x) for x in tokens], axis=0)
    logits = small_network().run(image[None, None], FloatEngine())[0]
    np.testing.assert_allclose(logits, linear("head", pooled), rtol=1e-12)


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
    rewrite(path, blocks__0__qkv__bias=None)
    assert complaint(path) == "must hold the array blocks.0.qkv.bias"


def test_array_unknown(path: Path) -> None:
    rewrite(path, extra=np.zeros(1))
    assert complaint(path) == "the array 'extra' must not be there"


def test_array_of_wrong_shape(path: Path) -> None:
    rewrite(path, norm__weight=np.zeros(4))
    assert complaint(path) == "norm.weight must have the shape [6], not [4]"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_value_not_finite(path: Path, value: float) -> None:
    rewrite(path, head__bias=np.array([0, value, 0]))
    assert complaint(path) == f"head.bias must be finite, not {value} at [1]"


def test_array_of_text(path: Path) -> None:
    rewrite(path, head__bias=np.array(["a", "b", "c"]))
    assert "head.bias must be an array of real numbers" in complaint(path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"patch": np.array(3)}, "stride must divide side - patch (1), not be 2"),
        ({"patch": np.array(5)}, "patch must be an integer in 1..4, not 5"),
        ({"heads": np.array(4)}, "heads must divide the width (6), not 4"),
        ({"stride": np.array(1.5)}, "stride must be an integer, not 1.5"),
        ({"side": np.array([1, 2])}, "side must be an integer, not [1, 2]"),
        ({"norm_kind": np.array("l1")}, "norm_kind must be one of rms, layer, batch, not 'l1'"),
        ({"head__weight": np.ones((10, 5))}, "head.weight must have the shape [3, 6], not [10, 5]"),
        ({"blocks__0__up__bias": np.ones(4)}, "blocks.0.up.weight must have the shape [4, 6], not [5, 6]"),
        ({"position": np.ones((4, 1))}, "position must have the shape [4, 6], not [4, 1]"),
    ],
)
def test_arrays_that_do_not_belong_together(path: Path, change: dict[str, np.ndarray], line: str) -> None:
    rewrite(path, **change)
    assert complaint(path) == line


def test_what_training_recorded_is_damaged(path: Path) -> None:
    rewrite(path, training=np.array("{"))
    with pytest.raises(InputError, match="training must be a table in JSON"):
        load_training(path)


@pytest.mark.parametrize(
    ("images", "line"),
    [
        (np.zeros((0, 4, 4)), "calibration needs at least one sample"),
        (np.zeros((1, 5, 4)), "images must be 4 x 4 pixels, not 5 x 4"),
        (np.zeros((1, 6, 4)), "images must be 4 x 4 pixels, not 6 x 4"),
        (np.full((1, 4, 4), np.nan), "calibration drives node embedding of the float network out of range"),
    ],
)
def test_bad_images(images: np.ndarray, line: str) -> None:
    with pytest.raises(InputError) as caught:
        converted(small_network(), images, PhaseCode())
    assert str(caught.value).startswith(line)
