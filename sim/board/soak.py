"""Soak of the link: jobs through a simulated board while frames are spoilt both ways."""

import dataclasses
import random
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import serial

from golden.attention import AttentionJob, compute, prepare
from golden.code import check_range
from golden.config import preset
from sim.board.attention import AttentionBoard
from sim.board.faults import FaultyPort
from sim.board.session import LinkError, Session
from sim.board.simulate import compile_board, running
from sim.board.streams import DEFAULT_BAUD, READ_SECONDS
from synth.boards import find_board
from synth.core import core_design

PRESET, BOARD = "tiny", "icebreaker"
# Small frames: many of them, and many chances for a fault
FRAME_BYTES = 32
FAULT_RATE = 0.3
# Jobs that are cut off by closing the port in their middle
CLOSE_RATE = 0.1

Progress = Callable[[int, int], None]


@dataclasses.dataclass(kw_only=True)
class SoakReport:
    """What happened in a soak.

    Attributes:
        seed: of jobs and faults.
        faults: faulty frames by kind, both directions.
        jobs: completed, every integer compared with golden.
        differences: jobs that completed with a wrong integer.
        errors: jobs that ended with a clear error, by its text.
        closed: jobs cut off by closing the port.
        seconds: time it took.
    """

    seed: int
    faults: Counter[str] = dataclasses.field(default_factory=Counter)
    jobs: int = 0
    differences: int = 0
    errors: Counter[str] = dataclasses.field(default_factory=Counter)
    closed: int = 0
    seconds: float = 0.0


class PortClosed(Exception):
    """The soak closes the port now."""


def soak(frames: int, seed: int, progress: Progress = lambda done, wanted: None) -> SoakReport:
    """Run jobs until `frames` frames have been spoilt.

    Args:
        frames: at least 1.
        seed: of jobs and faults.
        progress: called with faulty frames so far and wanted.

    Raises:
        InputError: a parameter is out of range, or there is no C++ compiler.
    """
    check_range("frames", frames, 1, 1_000_000_000)
    check_range("seed", seed, 0, 1 << 32)
    rng = random.Random(seed)
    report = SoakReport(seed=seed)
    begin = time.monotonic()
    with running(compile_board(find_board(BOARD), core_design(preset(PRESET), PRESET))) as port:
        while report.faults.total() < frames:
            with serial.Serial(port, DEFAULT_BAUD, timeout=READ_SECONDS) as line:
                line.reset_input_buffer()
                faulty = FaultyPort(line, rng.getrandbits(32), FAULT_RATE)
                before = report.faults.copy()
                try:
                    session = Session(faulty, "board")
                    session.limit_frames(FRAME_BYTES)
                    board = AttentionBoard(session, "board")
                    while (before + faulty.faults).total() < frames:
                        _one_job(board, report, rng)
                        progress((before + faulty.faults).total(), frames)
                except PortClosed:
                    report.closed += 1
                except LinkError as error:
                    report.errors[str(error).split(",")[0]] += 1
                report.faults = before + faulty.faults
    report.seconds = time.monotonic() - begin
    return report


def _one_job(board: AttentionBoard, report: SoakReport, rng: random.Random) -> None:
    job = random_job(board, rng)
    close_at = rng.random() if rng.random() < CLOSE_RATE else None

    def watch(sent: int, received: int) -> None:
        if close_at is not None and rng.random() < close_at:
            raise PortClosed

    found, want = board.run(job, watch), compute(job)
    report.jobs += 1
    same = np.array_equal(found.out.sign, want.out.sign) and np.array_equal(found.out.phase, want.out.phase)
    report.differences += not same


def random_job(board: AttentionBoard, rng: random.Random) -> AttentionJob:
    """Random heads that fit the board."""
    config = board.config
    shape = (rng.randint(1, 2), rng.randint(1, config.tokens), rng.randint(1, config.head_dim))
    numbers = np.random.default_rng(rng.getrandbits(32))
    q, k, v = numbers.normal(size=(3, *shape))
    return prepare(q, k, v, config.code)
