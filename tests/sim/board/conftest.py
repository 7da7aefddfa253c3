"""Simulated boards, one per test session."""

from collections.abc import Iterator

import pytest
import serial

from sim.board.simulate import compile_board, running
from sim.board.streams import DEFAULT_BAUD
from synth.boards import find_board
from synth.design import Design
from tests.sim.board.standin import StandIn


@pytest.fixture(scope="session")
def standin_port() -> Iterator[str]:
    """Serial port of an iCEBreaker with the stand-in component on it."""
    program = compile_board(find_board("icebreaker"), Design(name="standin", make=StandIn))
    with running(program) as port:
        yield port


@pytest.fixture
def line(standin_port: str) -> Iterator[serial.Serial]:
    """The port, opened."""
    with serial.Serial(standin_port, DEFAULT_BAUD, timeout=0.005) as line:
        line.reset_input_buffer()
        yield line
