"""Soak of the link: jobs through a simulated board while frames are spoilt both ways.

Every job either completes, and is then compared with golden, or is cut off by closing the port, or ends
with an error; the next one starts on whatever is left of it.
"""

import dataclasses
import random
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import serial

from golden.attention.config import CoreConfig, preset
from golden.attention.job import AttentionJob, AttentionSpikes, prepare
from golden.code import check_range
from sim.board.board import Board
from sim.board.faults import FaultyPort
from sim.board.session import LinkError, Session
from sim.board.simulate import compile_board, running
from sim.board.streams import DEFAULT_BAUD, READ_SECONDS
from sim.cores.attention.core import SpikedAttentionCore
from synth.boards import find_board

PRESET, BOARD = "tiny", "icebreaker"
# Small frames: many of them, and many chances for a fault
FRAME_BYTES = 32
# Of the sessions in turn: part of the frames that are spoilt
FAULT_RATES = (0.05, 0.1, 0.3)
JOBS_PER_SESSION = 6
# Jobs that are cut off by closing the port in their middle
CLOSE_RATE = 0.3

AttentionBoard = Board[CoreConfig, AttentionJob, AttentionSpikes]
OnProgress = Callable[["SoakReport"], None]


@dataclasses.dataclass(kw_only=True)
class SoakReport:
    """What happened in a soak.

    Attributes:
        frames: faulty frames wanted.
        seed: of jobs and faults.
        sent, received: faulty frames to and from the board, by kind.
        sessions: times the port was opened.
        jobs: begun; the sum of `completed`, `closed` and the errors within a job.
        completed: jobs that ran to their end, every integer compared with golden.
        integers: compared.
        differences: integers that were not golden's.
        closed: jobs cut off by closing the port.
        errors: sessions that ended with a clear error, by its text.
        resent_bytes, timeouts, bad_frames: of the driver, summed over all sessions.
        seconds: time it took.
    """

    frames: int
    seed: int
    sent: Counter[str] = dataclasses.field(default_factory=Counter)
    received: Counter[str] = dataclasses.field(default_factory=Counter)
    sessions: int = 0
    jobs: int = 0
    completed: int = 0
    integers: int = 0
    differences: int = 0
    closed: int = 0
    errors: Counter[str] = dataclasses.field(default_factory=Counter)
    resent_bytes: int = 0
    timeouts: int = 0
    bad_frames: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> Counter[str]:
        """Faulty frames by kind, both directions."""
        return self.sent + self.received


class PortClosed(Exception):
    """The soak closes the port now."""


def soak(
    frames: int, seed: int, *, seconds: float | None = None, progress: OnProgress = lambda report: None
) -> SoakReport:
    """Run jobs until `frames` frames have been spoilt, then one more on a good line.

    Args:
        frames: at least 1.
        seed: of jobs and faults.
        seconds: end earlier after so long.
        progress: called with the report so far.

    Raises:
        InputError: a parameter is out of range, or there is no C++ compiler.
        LinkError: the board does not answer on the good line at the end.
    """
    check_range("frames", frames, 1, 1_000_000_000)
    check_range("seed", seed, 0, 1 << 32)
    rng = random.Random(seed)
    report = SoakReport(frames=frames, seed=seed)
    program = compile_board(find_board(BOARD), SpikedAttentionCore(preset(PRESET)).design(PRESET))
    begin = time.monotonic()

    def enough() -> bool:
        report.seconds = time.monotonic() - begin
        progress(report)
        late = seconds is not None and report.seconds > seconds
        return report.faults.total() >= frames or late

    with running(program) as port:
        while not enough():
            _one_session(port, report, rng, FAULT_RATES[report.sessions % len(FAULT_RATES)], enough)
        _one_session(port, report, rng, 0.0, lambda: True)
    report.seconds = time.monotonic() - begin
    return report


def _one_session(
    port: str, report: SoakReport, rng: random.Random, rate: float, enough: Callable[[], bool]
) -> None:
    """A few jobs on one opening of the port, until it is closed, fails, or it is enough."""
    with serial.Serial(port, DEFAULT_BAUD, timeout=READ_SECONDS) as line:
        line.reset_input_buffer()
        faulty = FaultyPort(line, rng.getrandbits(32), rate)
        # The lanes count into the report
        faulty.sent.faults, faulty.received.faults = report.sent, report.received
        report.sessions += 1
        session = None
        try:
            session = Session(faulty, "board")
            session.limit_frames(FRAME_BYTES)
            board = Board(SpikedAttentionCore, session, "board")
            for _ in range(JOBS_PER_SESSION):
                _one_job(board, report, rng, CLOSE_RATE if rate else 0.0)
                if enough():
                    break
        except PortClosed:
            report.closed += 1
        except LinkError as error:
            if not rate:
                raise
            report.errors[str(error)] += 1
        if session is not None:
            for name in ("resent_bytes", "timeouts", "bad_frames"):
                setattr(report, name, getattr(report, name) + getattr(session.counters, name))


def _one_job(board: AttentionBoard, report: SoakReport, rng: random.Random, close_rate: float) -> None:
    job = random_job(board, rng)
    close_at = rng.randrange(2 * job.q.phase.size) if rng.random() < close_rate else None

    def watch(sent: int, received: int) -> None:
        if close_at is not None and sent + received > close_at:
            raise PortClosed

    report.jobs += 1
    comparison = board.core.compare(job, {"out": board.run(job, watch).out})
    report.completed += 1
    report.integers += comparison.compared
    report.differences += comparison.different


def random_job(board: AttentionBoard, rng: random.Random) -> AttentionJob:
    """Random heads that fit the board."""
    config = board.config
    # Now and then as large as the board takes; mostly small, so that there are many jobs
    largest = (config.tokens, config.head_dim) if rng.random() < 0.1 else (6, 6)
    shape = (rng.randint(1, 2), *(rng.randint(1, size) for size in largest))
    numbers = np.random.default_rng(rng.getrandbits(32))
    q, k, v = numbers.normal(size=(3, *shape))
    return prepare(q, k, v, config.code).job


def summary(report: SoakReport) -> str:
    """The report for people."""
    kinds = sorted(report.faults, key=report.faults.__getitem__, reverse=True)
    lines = [
        f"seed {report.seed}: {report.faults.total()} faulty frames of {report.frames} wanted, "
        f"{report.seconds:.0f} s",
        *(f"  {kind:<22}{report.sent[kind]:>7} sent {report.received[kind]:>7} received" for kind in kinds),
        f"  {'port closed in a job':<22}{report.closed:>7}",
        f"jobs: {report.jobs} begun in {report.sessions} sessions, {report.completed} completed, "
        f"{report.closed} cut off, {report.errors.total()} sessions ended with an error",
        *(f"  {count} x {text}" for text, count in report.errors.items()),
        f"link: {report.resent_bytes} bytes sent again, {report.bad_frames} bad frames seen by the driver, "
        f"{report.timeouts} timeouts",
        f"integers: {report.integers} compared with golden, {report.differences} differ",
    ]
    return "\n".join(lines)
