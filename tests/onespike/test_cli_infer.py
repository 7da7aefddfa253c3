"""`onespike infer`: whole inferences; every mistake is one line, status 2 and nothing written."""

import gzip
import json
from collections.abc import Callable
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.network.file import load_network, save_network
from golden.network.network import Network
from golden.network.program import config_for
from models.shipped.vit_file import FOLDER
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers
from studies.infer import cores
from studies.infer.cases import load_case
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.sim.cores.views import traced
from tests.sim.verilator.fst import fst_names


def small(**shape: Any) -> Network:
    """A random network for the 8x8 digits: 4 tokens of 16 pixels."""
    return converted(random_transformer(1, **shape), random_images(2, 20), PhaseCode())


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def write_data(directory: Path, side: int, count: int = 12) -> str:
    """idx files of random images; the folder's name."""
    directory.mkdir()
    rng = np.random.default_rng(1)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (count, side, side))
        (directory / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (directory / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(count) % 10))
    return directory.name


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


def test_digits_in_golden(folder: Path, run: Callable[..., Any]) -> None:
    ran = run("infer", "--images", "40", "--rtl", "0", "--seed", "3", "--recode", "-o", "out")
    assert ran.status == 0, ran.err
    assert "accuracy, spiking" in ran.out
    found = report(folder / "out")
    assert (found["seed"], found["passed"], found["rtl"]) == (3, True, None)
    assert found["accuracy"]["images"] == 40
    assert found["accuracy"]["spiking"] > 90
    loss = found["accuracy"]["float_network"] - found["accuracy"]["spiking"]
    assert found["accuracy"]["loss_points"] == loss
    assert found["accuracy"]["recoded"] > 50
    assert found["tools"]["python"]
    assert found["configuration"]["lanes"] == 32
    assert 0 < found["energy"]["spiking"]["microjoule"] < found["energy"]["multiply_accumulate"]["microjoule"]
    written = ["network.npz", "report.json", "timeline.png", "timeline.txt"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == written
    assert "scores complete in cycle" in (folder / "out" / "timeline.txt").read_text()


def test_streamed_weights_in_pieces(folder: Path, run: Callable[..., Any]) -> None:
    """What the memory brings is in the report and in the timeline."""
    network = small(hidden=20)
    save_network(folder / "n.npz", network)
    ran = run("infer", "--network", "n.npz", "--images", "5", "--rtl", "0", "--streamed", "--pieces", "8")
    assert ran.status == 0, ran.err
    assert "words of weights from the memory" in ran.out
    found = report(folder / "build" / "infer")
    used = found["memory"]
    cut = load_network(folder / "build" / "infer" / "network.npz")
    assert len(cut.layers) == len(network.layers) + 4
    assert used["words"] == sum(layer["words"] for layer in used["layers"])
    assert 0 < used["words_per_cycle"] < 1
    assert {layer["bound"] for layer in used["layers"]} <= {"memory", "lanes"}
    assert " memory " in (folder / "build" / "infer" / "timeline.txt").read_text()


@pytest.fixture
def quick_rtl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small cores, compiled quickly."""
    monkeypatch.setattr(cores, "config_for", partial(config_for, lanes=8, cluster=4))
    monkeypatch.setattr(WholeNetworkCore, "run", partialmethod(WholeNetworkCore.run, quick=True))


@pytest.mark.usefixtures("quick_rtl")
def test_network_file_through_the_rtl(
    folder: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_network(folder / "n.npz", small())
    words = ("infer", "--network", "n.npz", "--images", "9", "-o", "out")
    ran = run(*words, "--rtl", "3")
    assert ran.status == 0, ran.err
    found = report(folder / "out")
    assert found["accuracy"]["float_network"] is None
    assert found["rtl"]["images"] == len(found["rtl"]["index"]) == 3
    assert found["rtl"]["compared"] > 1000
    assert found["rtl"]["different"] == 0
    assert found["rtl"]["measured"] == found["rtl"]["predicted"] > 0

    def wrong(self: WholeNetworkCore, job: NetworkJob) -> NetworkIntegers:
        integers = wanted(self, job)
        integers.potential[0, 5] += 1
        return integers

    wanted = WholeNetworkCore.compute
    monkeypatch.setattr(WholeNetworkCore, "compute", wrong)
    ran = run(*words, "--rtl", "1")
    assert ran.status == 1
    assert "image 0, potential[5]" in ran.err
    found = report(folder / "out")
    assert (found["passed"], found["rtl"]["different"]) == (False, 1)


@pytest.mark.usefixtures("quick_rtl")
def test_waves(folder: Path, run: Callable[..., Any], refused: Callable[..., str]) -> None:
    """One image; every signal of the layout is in the waveform. A second run takes the place of the first."""
    save_network(folder / "n.npz", small())
    words = ("infer", "--network", "n.npz", "--images", "3", "-o", "out", "--waves")
    refused(*words, "--rtl", "0", says="--waves is for what runs in the RTL, of which there is nothing")
    for _ in range(2):
        ran = run(*words)
        assert ran.status == 0, ran.err
    assert report(folder / "out")["rtl"]["images"] == 1
    views = folder / "out" / "network.views"
    shown = traced((views / "network.gtkw").read_text())
    assert {trace.path for trace in shown} <= fst_names((folder / "out" / "network.fst").read_bytes())
    units = list(dict.fromkeys(trace.group for trace in shown))
    assert units[:4] == ["ports", "image", "issue", "cluster_0"]
    by_path = {trace.path: trace for trace in shown}
    assert by_path["TOP.network_core.i_image__payload.spike[5:0]"].filter == "spike.filter.txt"
    assert all((views / trace.filter).is_file() for trace in shown if trace.filter is not None)


@pytest.mark.parametrize("named", [True, False])
def test_fashion_in_golden(folder: Path, run: Callable[..., Any], named: bool) -> None:
    """The shipped network by name, and its weights as a file, on noise."""
    network = "fashion" if named else str(FOLDER / "fashion.npz")
    ran = run("infer", "--network", network, "--data", write_data(folder / "data", 28), "--rtl", "0")
    assert ran.status == 0, ran.err
    assert report(folder / "build" / "infer")["accuracy"]["images"] == 12


def test_a_network_file_is_cut_like_its_float_network(folder: Path) -> None:
    """Overlapping patches: the grid is found again from tokens and pixels."""
    write_data(folder / "data", 28)
    named = load_case("fashion", folder / "data", None, None)
    save_network(folder / "n.npz", named.network)
    file = load_case(str(folder / "n.npz"), folder / "data", None, None)
    assert (file.spikes(file.images).phase == named.spikes(named.images).phase).all()


def test_missing_and_wrong_data(folder: Path, refused: Callable[..., str]) -> None:
    refused("infer", "--network", "fashion", says="network fashion needs --data")
    refused("infer", "--network", "fashion", "--data", "no", says="no/train-images.*cannot be read")
    refused("infer", "--data", "no", says="network digits has its own images")
    data = write_data(folder / "data", 8)
    refused("infer", "--network", "fashion", "--data", data, says="must be 28x28 pixels.*, not 8x8")
    save_network(folder / "n.npz", small())
    large = write_data(folder / "large", 9)
    says = "n.npz: images must give 4 patches of 16 pixels, those of 3x3 pixels do not"
    tiny = write_data(folder / "tiny", 3)
    refused("infer", "--network", "n.npz", "--data", tiny, says=says)
    case = load_case("n.npz", folder / large, None, None)
    assert (case.samples(case.images)[:, 1, 0] == case.images[:, 0, 5]).all()


def test_unknown_network(refused: Callable[..., str]) -> None:
    """A slip in a name: the names are told."""
    names = "digits, fashion, fashion-batchnorm, cifar10, cifar10-small"
    says = f"--network must be one of {names}, a file or a folder, not 'fasion'"
    refused("infer", "--network", "fasion", says=says)
    refused("synth", "--network", "fasion", says=says)
    refused("rtl", "-o", "out", "--network", "fasion", says="--network must be a file that .*, not 'fasion'")


@pytest.mark.parametrize("command", ["infer", "rtl"])
def test_bad_network_files(folder: Path, refused: Callable[..., str], command: str) -> None:
    words = (command, "-o", "out", "--network")
    refused(*words, "none.npz", says="--network must be .* file.*, not 'none.npz'")
    save_network(folder / "n.npz", small())
    (folder / "cut.npz").write_bytes((folder / "n.npz").read_bytes()[:-300])
    refused(*words, "cut.npz", says="cut.npz: must be a whole .npz file")
    with np.load(folder / "n.npz") as file:
        arrays = {name: file[name] for name in file.files}
    description = json.loads(str(arrays["description"]))
    later = arrays | {"description": np.array(json.dumps(description | {"version": 5}))}
    np.savez(folder / "later.npz", **later)
    refused(*words, "later.npz", says="later.npz: version must be 4, not 5")
    weight = arrays["layers.0.weight"].astype(float)
    np.savez(folder / "nan.npz", **(arrays | {"layers.0.weight": weight * np.nan}))
    refused(*words, "nan.npz", says="nan.npz: layer 0.weight .*NaN")
    np.savez(folder / "zero.npz", **zero_scale(arrays))
    refused(*words, "zero.npz", says="scale must be positive and finite, not 0")


def zero_scale(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    description = json.loads(str(arrays["description"])) | {"scale": 0.0}
    return arrays | {"description": np.array(json.dumps(description))}


def test_weights_with_nan(folder: Path, refused: Callable[..., str]) -> None:
    with np.load(FOLDER / "fashion.npz") as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(folder / "w.npz", **(arrays | {"head.bias": np.full(10, np.nan)}))
    refused("infer", "--network", "w.npz", says=r"w.npz: head.bias must be finite")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--images", "0"), r"--images must be .*1..450, not 0"),
        (("--images", "4", "--rtl", "5"), r"--rtl must be .*0..4, not 5"),
        (("--steps", "x"), "must be an integer, not 'x'"),
        (("--steps", "0"), "steps"),
        (("--log2-base", "1/0"), "must be a fraction \"a/b\", not '1/0'"),
        (("--seed", "-1"), "--seed must be an integer in 0"),
        (("--lanes", "0"), "lanes must be an integer in 1..256, not 0"),
        (("--engine", "gpu"), "must be one of rtl, board, not 'gpu'"),
        (("--engine", "board"), "--engine board needs --port"),
        (("--port", "/dev/absent"), "--port needs --engine board"),
        (("--engine", "board", "--port", "/dev/absent"), "port must be a serial port that can be opened"),
        (("--engine", "board", "--port", "p", "--lanes", "8"), "--lanes is for the simulated core"),
        (("--engine", "board", "--port", "p", "--streamed"), "--streamed is for the simulated core"),
        (("--pieces", "0", "--rtl", "0"), r"pieces must be an integer in 1\.\.4096, not 0"),
        (("--timeout", "3"), "--timeout is for --engine board"),
    ],
)
def test_bad_options(refused: Callable[..., str], words: tuple[str, ...], says: str) -> None:
    refused("infer", *words, says=says)


def test_a_network_file_has_its_code(folder: Path, refused: Callable[..., str]) -> None:
    save_network(folder / "n.npz", small())
    refused("infer", "--network", "n.npz", "--steps", "16", says="n.npz has its code")
