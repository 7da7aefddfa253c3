"""Stochastic engines on simulated boards, through the driver, against golden."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.attention import compute, prepare
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from golden.stochastic.table import to_table
from onespike.cli import main
from sim.board.board import connect
from sim.board.simulate import compile_board, running
from sim.cores.stochastic.core import StochasticCore
from studies.boards.throughput import head_throughput
from synth.boards import find_board

# Two row groups, the second one padded; neither size is a power of two
CONFIG = StochasticConfig(tokens=5, head_dim=6, rows=3, steps=9, plan=RandomPlan(seed=3))


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """Serial port of an iCEBreaker with this engine."""
    program = compile_board(find_board("icebreaker"), StochasticCore(CONFIG).design("small"))
    with running(program) as port:
        yield port


def rates(seed: int, heads: int) -> dict[str, np.ndarray]:
    shape = (3, heads, CONFIG.tokens, CONFIG.head_dim)
    return dict(zip("qkv", np.random.default_rng(seed).random(shape, dtype=np.float32), strict=True))


@pytest.mark.parametrize(("heads", "steps"), [(1, 1), (3, 9), (20, 4)])
def test_every_spike(port: str, heads: int, steps: int) -> None:
    job = prepare(**rates(heads, heads), config=CONFIG, steps=steps)
    with connect(StochasticCore, port) as board:
        found, want = board.run(job), compute(job)
    assert np.array_equal(found.out, want.out)
    assert want.out.any()


def test_encoders_on_the_board() -> None:
    """Rates travel over the link, trains of 0 and 1 too."""
    config = replace(CONFIG, rate_bits=5, encoders=True)
    program = compile_board(find_board("icebreaker"), StochasticCore(config).design("encoders"))
    coded = prepare(**rates(4, 2), config=config, steps=7)
    with running(program) as port:
        for job in (coded, replace(coded, rates=None)):
            with connect(StochasticCore, port) as board:
                assert board.config == config
                assert np.array_equal(board.run(job).out, compute(job).out)


def test_generators_run_on_within_a_session(port: str) -> None:
    arrays = rates(1, 2)
    with connect(StochasticCore, port) as board:
        for first in (0, 2, 4):
            job = prepare(**arrays, config=CONFIG, steps=6, first_head=first)
            assert np.array_equal(board.run(job).out, compute(job).out)


def test_board_states_its_configuration(port: str) -> None:
    with connect(StochasticCore, port) as board:
        assert board.config == CONFIG
        other = replace(CONFIG, plan=RandomPlan(seed=4))
        with pytest.raises(InputError, match="seed of the board must be 4, it is 3"):
            board.require(other)


def test_throughput() -> None:
    """In steady state a head takes as many cycles as it has columns: T * groups * d."""
    found = head_throughput(StochasticCore(CONFIG), 54.0)
    assert found["cycles_per_head"] == 9 * 2 * 6
    assert found["heads_per_second"] == 500_000
    assert 0 < found["accumulations_per_second"] < 500_000 * 9 * 5 * 6 * 10


def test_other_component(standin_port: str) -> None:
    with (
        pytest.raises(InputError, match="must hold a stochastic engine, it does not"),
        connect(StochasticCore, standin_port),
    ):
        pass


def command(source: Path, target: Path, *options: str) -> int:
    start = ["attention", str(source), str(target), "--scheme", "stochastic", "--steps", "9"]
    return main([*start, *options])


def test_command(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target, report = (tmp_path / name for name in ("in.npz", "board.npz", "report.json"))
    config = tmp_path / "small.toml"
    config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in to_table(CONFIG).items()))
    np.savez(source, **rates(2, 3))
    board = ("--engine", "board", "--port", port)
    assert command(source, target, *board, "--config", str(config), "--report", str(report)) == 0
    assert command(source, tmp_path / "golden.npz", "--config", str(config)) == 0
    with np.load(target) as found, np.load(tmp_path / "golden.npz") as want:
        assert all(np.array_equal(found[name], want[name]) for name in want.files)
    told = json.loads(report.read_text())
    assert told["engine"] == "board"
    assert told["cycles"] is None
    assert told["board"]["design"] == "small"
    assert told["seed"] == 3
    capsys.readouterr()
    assert command(source, target, *board, "--seed", "4") == 2
    assert "seed of the board must be 4, it is 3" in capsys.readouterr().err
    assert command(source, target, "--engine", "board") == 2
    assert "--engine board needs --port" in capsys.readouterr().err
