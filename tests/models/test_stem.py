"""Convolution stems of float networks: as defined, as files, as integers, and on images in colour."""

import io
import json
import tarfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.network import Network, encode_image, run_network
from models.conversion.inplace import measure
from models.conversion.network import convert_network
from models.floating.engine import FloatEngine
from models.floating.vit import Vit
from models.shipped.vit_file import FOLDER, load_vit, save_vit, vit_of

# 8 x 8 pixels of three colours -> 8 x 8 x 5 -> 4 x 4 x 6 -> 2 x 2 tokens
STEM = [[5, 3, 1, 1], [6, 3, 2, 1]]
FACTS: dict[str, Any] = {
    **{"side": 8, "channels": 3, "stem": STEM, "patch": 3, "stride": 2, "padding": 1, "heads": 2},
    **{"norm_kind": "rms", "activation": "relu"},
}
WIDTH = 8
DENSE = {
    **{"stem.0": (5, 27), "stem.1": (6, 45), "embed": (WIDTH, 54), "blocks.0.qkv": (3 * WIDTH, WIDTH)},
    **{"blocks.0.proj": (WIDTH, WIDTH), "blocks.0.up": (12, WIDTH), "blocks.0.down": (WIDTH, 12)},
    **{"head": (3, WIDTH)},
}


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    found = {"position": 0.3 * rng.standard_normal((4, WIDTH))}
    for name, (outputs, inputs) in DENSE.items():
        found[f"{name}.weight"] = rng.standard_normal((outputs, inputs)) / np.sqrt(inputs)
        found[f"{name}.bias"] = 0.1 * rng.standard_normal(outputs)
    norms = ("norm", "blocks.0.norm1", "blocks.0.norm2")
    return found | {f"{name}.weight": rng.uniform(0.5, 1.5, WIDTH) for name in norms}


def network() -> Vit:
    return vit_of(arrays() | {name: np.array(value) for name, value in FACTS.items()})


def images(count: int) -> np.ndarray:
    return np.random.default_rng(1).random((count, 3, 8, 8))


def test_a_stem_follows_its_definition() -> None:
    """The embedding's inputs are the taps of a map that loops over pixels make."""
    held, image = arrays(), images(1)[0].transpose(1, 2, 0)

    def around(x: np.ndarray, stride: int) -> np.ndarray:
        side = (len(x) - 1) // stride + 1
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        corners = [(stride * i, stride * j) for i in range(side) for j in range(side)]
        return np.array([padded[i : i + 3, j : j + 3].ravel() for i, j in corners])

    for name, stride in (("stem.0", 1), ("stem.1", 2)):
        rows = np.maximum(around(image, stride) @ held[f"{name}.weight"].T + held[f"{name}.bias"], 0)
        image = rows.reshape(int(np.sqrt(len(rows))), -1, rows.shape[1])
    np.testing.assert_allclose(network().patched(images(1), FloatEngine())[0], around(image, 2), rtol=1e-12)


def test_integers_follow_the_floats() -> None:
    """Nodes behind the stem are within the errors of a code, and a pixel in one code is worse than in two."""
    model, samples = network(), images(60)
    made = convert_network(model, [samples], PhaseCode(steps=24, log2_base=Fraction(1, 3)), learned=True)
    assert (made.network.width, made.network.pixel_codes, made.network.tokens) == (6, 2, 64)
    errors = {name: error.in_place for name, error in measure(made, model, [samples]).items()}
    assert list(errors)[:3] == ["stem0", "stem1", "embedding"]
    assert errors["stem0"] < 0.1
    assert errors["embedding"] < 0.15
    scores = made.run(model, samples)
    exact = model.run(samples, FloatEngine())
    assert np.abs(scores - exact).mean() < 0.1 * np.abs(exact).max()


def test_pixels_in_two_codes() -> None:
    made = convert_network(network(), [images(20)], PhaseCode()).network
    pixels = images(2).reshape(2, 3, 64).swapaxes(1, 2)
    spikes = encode_image(made, pixels)
    assert spikes.shape == (2, 64, 6)
    with pytest.raises(InputError, match=r"an image must be \[\.\.\., 64, 3\]"):
        encode_image(made, np.zeros((2, 64, 6)))
    assert run_network(made, spikes).scores.shape == (2, 3)
    for codes, message in ((5, "in 1..4, not 5"), (4, r"must divide the width \(6\), not 4")):
        with pytest.raises(InputError, match=message):
            Network(**(vars(made) | {"pixel_codes": codes}))


@pytest.mark.parametrize("name", ["float_cifar10", "float_cifar10-small"])
def test_shipped_networks_are_small(name: str) -> None:
    path = FOLDER / f"{name}.npz"
    assert path.stat().st_size < 1 << 20
    found = load_vit(path)
    assert (found.side, found.channels) == (32, 3)
    assert found.run(np.zeros((2, 3, 32, 32), np.float32), FloatEngine()).shape == (2, 10)


def test_eight_bits(tmp_path: Path) -> None:
    save_vit(tmp_path / "w.npz", arrays(), small=True, **FACTS)
    exact, rounded = network(), load_vit(tmp_path / "w.npz")
    np.testing.assert_allclose(rounded.embedding.weight, exact.embedding.weight, atol=0.01)
    assert (rounded.embedding.weight != exact.embedding.weight.astype(np.float32)).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stem": [[5, 3, 1]]}, "stem must be rows of the integers outputs, kernel, stride, padding"),
        ({"stem": [[5, 3, 1, 3], [6, 3, 2, 1]]}, "Convolution.padding must be an integer in 0..2, not 3"),
        ({"stem": [[4, 3, 1, 1], [6, 3, 2, 1]]}, "stem.0.bias must have the shape [4]"),
        ({"stem": [[5, 3, 8, 0], [6, 3, 2, 0]]}, "Convolution.kernel must be at most side + 2 * padding (1)"),
        ({"channels": 0}, "channels must be an integer in 1..4096, not 0"),
        ({"padding": 3}, "Convolution.padding must be an integer in 0..2, not 3"),
        ({"head.scale": np.ones(3, np.float32)}, "head.scale must belong to a matrix of int8"),
        ({"head.weight": np.ones((3, WIDTH), np.int8)}, "head.weight of int8 must have a scale, float32 [3]"),
    ],
)
def test_bad_files(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    held = arrays() | {name: np.array(value) for name, value in (FACTS | changes).items()}
    np.savez(tmp_path / "w.npz", **held)
    with pytest.raises(InputError) as error:
        load_vit(tmp_path / "w.npz")
    assert str(error.value).startswith(f"{tmp_path / 'w.npz'}: {message}")


def test_a_network_of_the_other_scheme() -> None:
    with pytest.raises(InputError, match=r"ssa_cifar10\.npz: holds a stochastic network, which"):
        load_vit(FOLDER / "ssa_cifar10.npz")


def write_archive(folder: Path) -> None:
    """A folder as of CIFAR-10, of images of 8 x 8 pixels in three classes."""
    rng = np.random.default_rng(2)
    (folder / "cifar10").mkdir(parents=True)
    with tarfile.open(folder / "cifar10" / "cifar10-jpeg.tar.xz", "w:xz") as archive:
        for number in range(36):
            part, name = ("train", "test")[number % 2], "abc"[number % 3]
            file = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).save(file, "jpeg")
            member = tarfile.TarInfo(f"{part}/{name}/{number:04}.jpg")
            member.size = len(file.getvalue())
            archive.addfile(member, io.BytesIO(file.getvalue()))


def test_infer_in_colour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from onespike.cli import main

    write_archive(tmp_path)
    save_vit(tmp_path / "w.npz", arrays(), small=True, **FACTS)
    run: Callable[..., int] = lambda *more: main(["infer", "--network", str(tmp_path / "w.npz"), *more])  # noqa: E731
    out = tmp_path / "out"
    assert run("--data", str(tmp_path), "--rtl", "0", "-o", str(out)) == 0
    found = json.loads((out / "report.json").read_text())
    assert (found["accuracy"]["images"], found["network"]["tokens"]) == (18, 64)
    # the network file that this left is given the same images
    again = ["infer", "--network", str(out / "network.npz"), "--rtl", "0", "-o", str(tmp_path / "again")]
    assert main([*again, "--data", str(tmp_path)]) == 0
    repeated = json.loads((tmp_path / "again" / "report.json").read_text())
    assert repeated["accuracy"]["spiking"] == found["accuracy"]["spiking"]
    assert main(again) == 2
    says = "network.npz: images must give 64 patches of 3 pixels, those of 8x8 pixels do not"
    assert says in capsys.readouterr().err
    assert run("--rtl", "0", "-o", str(tmp_path / "more")) == 2
    assert "data set cifar10 needs a folder that holds cifar10/" in capsys.readouterr().err
    assert main(["infer", "--network", "cifar10"]) == 2
    assert "network cifar10 needs --data, the folder that holds cifar10/" in capsys.readouterr().err
