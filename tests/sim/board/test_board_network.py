"""Whole inferences on a simulated board with a network core, bit for bit as in golden."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.file import save_network
from golden.network.network import Network, encode_image, run_network
from golden.network.program import joint_config
from models.floating.vit import Vit
from onespike.cli import main
from onespike.commands.demo import drawing
from sim.board.board import connect
from sim.board.simulate import compile_board, running
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers
from studies.data import handwritten_digits as dataset
from studies.infer.cases import load_case
from studies.infer.hardware import NetworkBoard
from synth.boards import find_board
from tests.golden.network.samples import converted, random_images, random_transformer

# Five cycles per bit, so that the simulated line is not what takes the time
CLOCK = 10e6


def network_of(seed: int, norm: str) -> tuple[Vit, Network]:
    """For 8x8 images."""
    floating = random_transformer(seed, width=12, heads=3, hidden=10, classes=7, norm=norm)
    return floating, converted(floating, random_images(2, 20), PhaseCode())


NETWORKS = [network_of(1, "layer"), network_of(2, "rms")]
CONFIG = joint_config([network for _, network in NETWORKS], lanes=12)


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    program = compile_board(find_board("ulx3s-85f"), WholeNetworkCore(CONFIG).design("small"), CLOCK)
    with running(program) as name:
        yield name


def check(board: NetworkBoard, floating: Vit, network: Network, images: np.ndarray) -> None:
    image = encode_image(network, floating.entering(images[:, None]))
    job = NetworkJob(network=network, image=image)
    assert (board.run(job).scores == run_network(network, image).scores).all()


def test_one_board_runs_several_networks(port: str) -> None:
    digits = dataset.load().test_images[:3].astype(np.float64)
    with connect(WholeNetworkCore, port) as board:
        assert board.config == CONFIG
        for floating, network in NETWORKS:
            board.run(NetworkJob(network=network, load=True))
            check(board, floating, network, digits)
            check(board, floating, network, random_images(5, 1))


def test_demo_on_a_board(
    port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The image as it is, a bar for each score of golden beside it on a terminal of 80 columns; a score that
    differs is told, with status 1."""
    monkeypatch.setenv("COLUMNS", "80")
    network = NETWORKS[0][1]
    save_network(tmp_path / "n.npz", network)
    words = ["demo", "--network", str(tmp_path / "n.npz"), "--images", "2", "--seed", "4", "--port", port]
    report = tmp_path / "r.json"
    assert main([*words, "--report", str(report)]) == 0
    out = capfd.readouterr().out
    assert "0 class scores differ from golden" in out
    images = json.loads(report.read_text())["images"]
    case = load_case(str(tmp_path / "n.npz"), None, None, None)
    for number in re.findall(r"Image (\d+):", out):
        image = case.images[int(number)]
        scores = run_network(network, case.spikes(image[None])).scores[0]
        (shown,) = re.findall(rf"Image {number}:.*\n\s*\n((?:.*\n){{8}})", out)
        assert max(map(len, shown.splitlines())) <= 80
        for line, row in zip(shown.splitlines(), drawing(image).splitlines(), strict=True):
            assert line.strip().startswith(row.strip())
        bars = shown.splitlines()[: len(scores)]
        for n, (bar, score) in enumerate(zip(bars, scores.tolist(), strict=True)):
            assert f" {n} " in bar
            assert f" {score:,}" in bar
        assert re.search(rf"{scores.max():,}.* < the board", out)
    assert [image["number"] for image in images] == list(map(int, re.findall(r"Image (\d+):", out)))
    assert len(images) == 2
    for image in images:
        assert image["scores"] == image["golden"]
        assert (image["found"], image["label"]) == (np.argmax(image["golden"]), case.labels[image["number"]])

    def other(network: Network, image: Any) -> Any:
        found = run_network(network, image)
        found.scores[0, 1] += 5
        return found

    monkeypatch.setattr("studies.infer.show.run_network", other)
    assert main(words) == 1
    out = capfd.readouterr().out
    assert "2 class scores differ from golden" in out
    assert len(re.findall(" golden: ", out)) == 2


def test_infer_on_a_board(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`onespike infer --engine board` on digits; a score that differs is told, with status 1."""
    save_network(tmp_path / "n.npz", NETWORKS[1][1])
    words = ["infer", "--network", str(tmp_path / "n.npz"), "--images", "9", "--rtl", "4"]
    words += ["--engine", "board", "--port", port, "-o", str(tmp_path / "out")]
    assert main(words) == 0
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["rtl"] is None
    assert (found["board"]["images"], found["board"]["compared"], found["board"]["different"]) == (4, 28, 0)
    assert found["configuration"]["lanes"] == CONFIG.lanes

    def wrong(self: WholeNetworkCore, job: NetworkJob, outputs: Mapping[str, Any]) -> NetworkIntegers:
        integers = right(self, job, outputs)
        if job.image is not None:
            integers.scores[1, 2] += 1
        return integers

    right = WholeNetworkCore.integers
    monkeypatch.setattr(WholeNetworkCore, "integers", wrong)
    assert main(words) == 1
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["board"]["different"] == 1
    assert "image 1, scores[2]" in found["board"]["failures"][0]


def test_closed_in_the_middle(port: str) -> None:
    """A session that is given up in the middle of loading or of an inference leaves nothing behind."""
    floating, network = NETWORKS[0]

    class GivenUp(Exception):
        pass

    def give_up(sent: int, received: int) -> None:
        raise GivenUp

    image = encode_image(network, floating.entering(random_images(5, 3)[:, None]))
    with connect(WholeNetworkCore, port) as board, pytest.raises(GivenUp):
        board.run(NetworkJob(network=network, load=True), give_up)
    with connect(WholeNetworkCore, port) as board:
        board.run(NetworkJob(network=network, load=True))
        with pytest.raises(GivenUp):
            board.run(NetworkJob(network=network, image=image), give_up)
    with connect(WholeNetworkCore, port) as board:
        board.run(NetworkJob(network=network, load=True))
        check(board, floating, network, random_images(6, 2))


def test_a_network_that_does_not_fit(port: str) -> None:
    large = converted(random_transformer(3, hidden=40), random_images(4, 20), PhaseCode())
    with (
        connect(WholeNetworkCore, port) as board,
        pytest.raises(InputError, match="the network needs features = 40"),
    ):
        board.run(NetworkJob(network=large, load=True))


def test_no_network_core(standin_port: str) -> None:
    with (
        pytest.raises(InputError, match="must hold a network core, it does not"),
        connect(WholeNetworkCore, standin_port),
    ):
        pass
