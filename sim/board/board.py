"""The `board` engine: jobs through a core on a board, over its serial port."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Generic

from golden.errors import InputError
from sim.board.session import Counters, Progress, Session
from sim.board.streams import DEFAULT_BAUD, PATIENCE, LinkedStreams, open_session
from sim.cores.core import Config, Core, Integers, Job


class Board(Generic[Config, Job, Integers]):
    """A board with a core, opened by `connect`.

    A session begins with a reset of the core; what jobs leave in it stays until the session ends.

    Args:
        kind: of the core that must be there.
        session: with the board.
        name: what to call the board in errors.

    Attributes:
        core: with the configuration that the board states.
        identification: everything the board says of itself.

    Raises:
        InputError: what answers is no such core of this version.
    """

    def __init__(self, kind: type[Core[Config, Job, Integers]], session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self.identification = session.identification
        try:
            parameters = dict(self.identification["parameters"])
            self.core = kind.from_table(parameters, name)
            if parameters != self.core.to_table():
                raise ValueError("parameters are missing")
        except (InputError, KeyError, TypeError, ValueError):
            raise InputError(f"{name}: the board must hold {kind.noun}, it does not") from None
        self._streams = LinkedStreams(session, name, self.core.linked())
        if greeting := self.core.greeting():
            self.core = self.core.told(self._streams.exchange(b"", greeting))

    @property
    def config(self) -> Config:
        """Configuration of the core."""
        return self.core.config

    @property
    def counters(self) -> Counters:
        """Events on the line so far."""
        return self._session.counters

    def to_json(self) -> dict[str, Any]:
        """What the board says of itself but its parameters, and what happened on the line."""
        known = {key: value for key, value in self.identification.items() if key != "parameters"}
        return known | {"line": asdict(self.counters)}

    def require(self, config: Config) -> None:
        """Raise InputError unless the board's core has this configuration."""
        want, have = type(self.core)(config).to_table(), self.core.to_table()
        for key, value in want.items():
            if have[key] != value:
                raise InputError(f"{self._name}: {key} of the board must be {value}, it is {have[key]}")

    def run(self, job: Job, progress: Progress | None = None) -> Integers:
        """Run a job.

        Args:
            progress: called with bytes sent and received, and never to be relied on.

        Returns:
            Integers from the board, as far as it shows them; the rest, which never leaves the core,
            from golden.

        Raises:
            InputError: the board's configuration cannot hold the job.
            LinkError: the board stopped answering.
        """
        data = b"".join(self._records(job))
        outputs = self._streams.exchange(data, self.core.linked_output_beats(job), progress)
        self.core = self.core.told(outputs, job)
        return self.core.integers(job, outputs)

    def _records(self, job: Job) -> Iterator[bytes]:
        streams = self._streams
        beats = {name: streams.beats(name, fields) for name, fields in self.core.linked_beats(job).items()}
        sent = dict.fromkeys(beats, 0)
        for name, count in self.core.order(job, {name: len(part) for name, part in beats.items()}):
            yield from streams.records(name, beats[name][sent[name] : sent[name] + count])
            sent[name] += count


@contextmanager
def connect(
    kind: type[Core[Config, Job, Integers]],
    port: str,
    *,
    baud: int = DEFAULT_BAUD,
    patience: float = PATIENCE,
) -> Iterator[Board[Config, Job, Integers]]:
    """Open a board with a core of this kind; see `sim.board.streams.open_session`.

    Raises:
        InputError: the port cannot be opened, or what answers is no such core of this version.
        LinkError: nothing answers.
    """
    with open_session(port, baud=baud, patience=patience) as session:
        yield Board(kind, session, port)
