"""A network whose weights are in the memory of a simulated board, bit for bit as in golden, over its pins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.errors import InputError
from golden.memory import ULX3S_SDRAM
from golden.network.network import Network, encode_image, run_network
from golden.network.program import config_for
from golden.network.weights import weight_words
from models.floating.vit import Vit
from sim.board.board import connect
from sim.board.simulate import compile_board, running
from sim.cores import streamed
from sim.cores.network.core import NetworkJob, WholeNetworkCore, program_of
from studies.infer.hardware import NetworkBoard
from synth.boards import find_board
from synth.design import board_top
from tests.golden.network.samples import converted, random_images, random_transformer

# Five cycles per bit, so that the simulated line is not what takes the time
CLOCK = 10e6
# Seconds; a simulated board on a busy machine is slow
PATIENCE = 120


def network_of(seed: int) -> tuple[Vit, Network]:
    """For 8x8 images."""
    floating = random_transformer(seed, width=12, heads=3, hidden=10, classes=7)
    return floating, converted(floating, random_images(2, 20), PhaseCode())


# Both fit the core that is made for the first
NETWORKS = [network_of(1), network_of(3)]
CONFIG = config_for(NETWORKS[0][1], 12, weight_stream=16)


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_board(find_board("ulx3s-85f"), WholeNetworkCore(CONFIG).design("streamed"), CLOCK)


def sends(board: NetworkBoard, network: Network) -> bool:
    """Whether loading a network sends its streamed weights."""
    whole = replace(board.core, held=(0, 0)).linked_beats(NetworkJob(network=network, load=True))["i_load"]
    return len(board.core.linked_beats(NetworkJob(network=network, load=True))["i_load"]) == len(whole)


def check(board: NetworkBoard, floating: Vit, network: Network, seed: int) -> None:
    image = encode_image(network, floating.entering(random_images(seed, 2)[:, None]))
    job = NetworkJob(network=network, image=image)
    assert (board.run(job).scores == run_network(network, image).scores).all()


def half_stored(board: NetworkBoard, network: Network) -> int:
    """Send the load of a network up to the middle of its streamed weights; how many words they are."""
    words = len(weight_words(program_of(network, CONFIG), CONFIG))
    records = b"".join(board._records(NetworkJob(network=network, load=True)))
    # two bytes a word; the few behind them let images in
    board._streams.exchange(records[: len(records) - words], {"o_score": 0, "o_status": 0})
    return words


def test_weights_in_the_memory(program: Path) -> None:
    (floating, first), (other, second) = NETWORKS
    with running(program) as port:
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            assert board.core.held == (0, 0)
            assert sends(board, first)
            board.run(NetworkJob(network=first, load=True))
            check(board, floating, first, 5)
        # kept in another session, and replaced by those of another network
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            assert not sends(board, first)
            board.run(NetworkJob(network=first, load=True))
            check(board, floating, first, 6)
            assert sends(board, second)
            board.run(NetworkJob(network=second, load=True))
            check(board, other, second, 7)
        # a session that is given up in the middle of loading leaves words that are not the network's
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            words = half_stored(board, first)
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            assert 0 < board.core.held[0] < words
            assert sends(board, first)
            board.run(NetworkJob(network=first, load=True))
            check(board, floating, first, 8)
    # power was off
    with running(program) as port, connect(WholeNetworkCore, port, patience=PATIENCE) as board:
        assert board.core.held == (0, 0)
        board.run(NetworkJob(network=second, load=True))
        check(board, other, second, 9)


def test_words_that_are_not_there() -> None:
    core, job = WholeNetworkCore(CONFIG), NetworkJob(network=NETWORKS[0][1], load=True)
    told = {"o_status": {"words": np.array([5]), "sum": np.array([6])}}
    with pytest.raises(InputError, match=r"the board's memory must hold the \d+ words that were sent"):
        core.told(told, job)


def test_more_weights_than_the_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before any is made or sent, and before anything is synthesised."""
    monkeypatch.setattr(streamed, "ULX3S_SDRAM", replace(ULX3S_SDRAM, rows=1, columns=64))
    core, job = WholeNetworkCore(CONFIG), NetworkJob(network=NETWORKS[0][1], load=True)
    words = len(weight_words(program_of(job.network, CONFIG), CONFIG))
    for run in (core.check_memory, core.linked_beats):
        with pytest.raises(InputError) as error:
            run(job)
        assert str(error.value) == (
            f"the network's weights must fit the board's memory of 256 words, they are {words}"
        )


def test_boards_and_streams_that_do_not_fit() -> None:
    design = WholeNetworkCore(CONFIG).design("streamed")
    with pytest.raises(InputError) as error:
        board_top(find_board("icebreaker"), design, 24e6)
    assert str(error.value) == "icebreaker must have a memory for streamed weights, it has none"
    with pytest.raises(InputError) as error:
        board_top(find_board("ulx3s-85f"), design, 2e6)
    assert str(error.value).startswith("MemoryConfig.clock must leave time for words between refreshes")
    wide = WholeNetworkCore(config_for(NETWORKS[0][1], 12, weight_stream=32))
    with pytest.raises(InputError) as error:
        wide.linked()
    assert str(error.value) == "weight_stream must be 16, a word of a board's memory, not 32"
