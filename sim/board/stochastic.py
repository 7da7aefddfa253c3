"""The `board` engine of stochastic attention: spike trains to a board over its serial port, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from golden.errors import InputError
from golden.stochastic.attention import StochasticJob, StochasticSpikes, compute
from golden.stochastic.config import StochasticConfig
from golden.stochastic.table import from_table, to_table
from hw.stochastic.core import StochasticAttention
from sim.board.session import Progress, Session
from sim.board.streams import DEFAULT_BAUD, PATIENCE, LinkedStreams, open_session
from sim.cores.stochastic.beats import job_beats, output_spikes


class StochasticBoard:
    """A board with a stochastic engine, opened by `connect`.

    A session begins with a reset, so the generators of its first job start at the plan's seed; they
    run on from job to job.

    Attributes:
        config: of the engine, as the board states it.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name
        try:
            parameters = dict(session.identification["parameters"])
            self.config = from_table(parameters, name)
            if parameters != to_table(self.config):
                raise ValueError("parameters are missing")
        except (InputError, KeyError, TypeError, ValueError):
            raise InputError(f"{name}: the board must hold a stochastic engine, it does not") from None
        self._streams = LinkedStreams(session, name, StochasticAttention(self.config))

    def to_json(self) -> dict[str, Any]:
        """What the board says of itself but its parameters, and what happened on the line."""
        identification = self._session.identification
        known = {key: value for key, value in identification.items() if key != "parameters"}
        return known | {"line": asdict(self._session.counters)}

    def require(self, config: StochasticConfig) -> None:
        """Raise InputError unless the board's engine has this configuration."""
        want, have = to_table(config), to_table(self.config)
        for key, value in want.items():
            if have[key] != value:
                raise InputError(f"{self._name}: {key} of the board must be {value}, it is {have[key]}")

    def run(self, job: StochasticJob, progress: Progress | None = None) -> StochasticSpikes:
        """Run a job; `first_head` must count the heads that this session has served.

        Args:
            job: of the board's configuration.
            progress: called with bytes sent and received, and never to be relied on.

        Returns:
            Output spikes from the board; scores, which never leave the engine, from golden.

        Raises:
            LinkError: the board stopped answering.
        """
        assert job.config == self.config, "prepared for this board"
        beats = self._streams.beats("i", job_beats(job))
        data = b"".join(self._streams.records("i", beats))
        outputs = self._streams.exchange(data, {"o": len(beats)}, progress)
        return StochasticSpikes(score=compute(job).score, out=output_spikes(outputs["o"], job))


@contextmanager
def connect(port: str, *, baud: int = DEFAULT_BAUD, patience: float = PATIENCE) -> Iterator[StochasticBoard]:
    """Open the board at a serial port; see `sim.board.streams.open_session`.

    Raises:
        InputError: the port cannot be opened, or what answers is no stochastic engine of this version.
        LinkError: nothing answers.
    """
    with open_session(port, baud=baud, patience=patience) as session:
        yield StochasticBoard(session, port)
