"""Whole stochastic networks on a simulated board, score for score as in golden."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.inference import infer
from golden.stochastic.network import SpikingNetwork, network_arrays
from onespike.cli import main
from sim.board.board import connect
from sim.board.simulate import compile_board, running
from sim.cores.stochastic.network import StochasticNetworkJob, WholeStochasticCore
from studies.stochastic import cases
from synth.boards import find_board
from tests.hw.stochastic.bench_stochastic_network import STEPS, small_network

CONFIG, JOB = small_network()
# Five cycles per bit, so that the simulated line is not what takes the time
CLOCK = 10e6
# Seconds; a simulated board on a busy machine is slow
PATIENCE = 120


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    program = compile_board(find_board("ulx3s-85f"), WholeStochasticCore(CONFIG).design("small"), CLOCK)
    with running(program) as name:
        yield name


def test_every_score(port: str) -> None:
    """Fewer time steps than the core was made for, other images, and weights loaded once."""
    with connect(WholeStochasticCore, port) as board:
        assert board.config == CONFIG
        other = replace(JOB, images=255 - JOB.images, load=False)
        for job in (JOB, other, replace(JOB, steps=1)):
            scores = infer(job.network, job.images, job.steps, CONFIG.plan)
            np.testing.assert_array_equal(board.run(job).scores, scores)


def test_weights_in_the_memory() -> None:
    """They are sent once, for this session and the next, until others are."""
    config, job = small_network(wide=16)
    other = SpikingNetwork(
        shape=job.network.shape, kind="ssa", arrays={k: v[::-1] for k, v in job.network.arrays.items()}
    )
    program = compile_board(find_board("ulx3s-85f"), WholeStochasticCore(config).design("streamed"), CLOCK)

    def check(board: Any, asked: StochasticNetworkJob, *, sent: bool) -> None:
        assert board.core.stores(asked) == sent
        scores = infer(asked.network, asked.images, asked.steps, config.plan)
        np.testing.assert_array_equal(board.run(asked).scores, scores)
        assert not board.core.stores(asked)

    with running(program) as port:
        with connect(WholeStochasticCore, port, patience=PATIENCE) as board:
            check(board, job, sent=True)
            check(board, replace(job, images=255 - job.images, load=False), sent=False)
            check(board, replace(job, steps=1), sent=False)
        with connect(WholeStochasticCore, port, patience=PATIENCE) as board:
            check(board, job, sent=False)
            check(board, replace(job, network=other), sent=True)
            check(board, job, sent=True)


def test_a_network_that_does_not_fit(port: str) -> None:
    with (
        connect(WholeStochasticCore, port) as board,
        pytest.raises(InputError, match=f"the network needs steps = {STEPS + 1}, this core has {STEPS}"),
    ):
        board.run(replace(JOB, steps=STEPS + 1))


def test_command(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """`onespike stochastic demo --engine board` on images of another size than the data sets have."""
    np.savez(tmp_path / "n.npz", **network_arrays(JOB.network))
    digits = cases.load_images("digits")
    images = replace(digits, test=np.stack([digits.test[:, :5, :5, 0]] * 2, axis=-1))
    monkeypatch.setattr(cases, "SIZES", {(5, 5, 2): "digits"})
    monkeypatch.setattr(cases, "load_images", lambda name, data, train: images)
    words = ["stochastic", "demo", "--network", str(tmp_path / "n.npz"), "--images", "3", "--steps", "2"]
    assert main([*words, "--engine", "board", "--port", port]) == 0
    assert "scores: 15 compared with the golden model, 0 differ" in capsys.readouterr().out
    assert main([*words, "--engine", "board", "--port", port, "--seed", "2"]) == 2
    assert "seed of the board must be 2, it is 1" in capsys.readouterr().err


def test_no_such_core(standin_port: str) -> None:
    with (
        pytest.raises(InputError, match="must hold a core for stochastic networks, it does not"),
        connect(WholeStochasticCore, standin_port),
    ):
        pass
