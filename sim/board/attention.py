"""The `board` engine: a job through an attention core on a board, over its serial port.

The order of beats in each stream is that of `sim.cores.attention.driver`; here they become one sequence of
records. Of every head come descriptor, keys and values, then row by row the query and its terms:
each of them can be taken without anything that comes after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from golden.attention.config import CoreConfig, from_table, to_table
from golden.attention.job import AttentionJob, AttentionSpikes, compute
from golden.errors import InputError
from hw.attention.core import AttentionCore
from sim.board.session import Counters, Progress, Session
from sim.board.streams import DEFAULT_BAUD, PATIENCE, LinkedStreams, open_session
from sim.cores.attention import driver


class AttentionBoard:
    """A board with an attention core, opened by `connect`.

    Attributes:
        config: of the core, as the board states it.
        identification: everything the board says of itself.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self.identification = session.identification
        try:
            parameters = dict(self.identification["parameters"])
            self.config = from_table(parameters, name)
            if parameters != to_table(self.config):
                raise ValueError("parameters are missing")
        except (InputError, KeyError, TypeError, ValueError):
            raise InputError(f"{name}: the board must hold an attention core, it does not") from None
        self._streams = LinkedStreams(session, name, AttentionCore(self.config))

    @property
    def counters(self) -> Counters:
        """Events on the line so far."""
        return self._session.counters

    def to_json(self) -> dict[str, Any]:
        """What the board says of itself but its parameters, and what happened on the line."""
        known = {key: value for key, value in self.identification.items() if key != "parameters"}
        return known | {"line": asdict(self.counters)}

    def require(self, config: CoreConfig) -> None:
        """Raise InputError unless the board's core has this configuration."""
        want, have = to_table(config), to_table(self.config)
        for key, value in want.items():
            if have[key] != value:
                raise InputError(f"{self._name}: {key} of the board must be {value}, it is {have[key]}")

    def run(self, job: AttentionJob, progress: Progress | None = None) -> AttentionSpikes:
        """Run a job.

        Args:
            progress: called with bytes sent and received, and never to be relied on.

        Returns:
            Codes, context and normaliser from the board, as far as it shows them; the rest, which
            never leaves the core, from golden.

        Raises:
            InputError: the board's configuration cannot hold the job.
            LinkError: the board stopped answering.
        """
        self.config.check_job(job)
        data = b"".join(self._records(job))
        outputs = self._streams.exchange(data, driver.output_beats(job, self.config), progress)
        spikes = compute(job)
        if "o_code" in outputs:
            spikes = replace(spikes, out=driver.codes(outputs["o_code"], job))
        if "o_context" in outputs:
            normaliser, context = driver.context(outputs["o_context"], job)
            spikes = replace(spikes, normaliser=normaliser, context=context)
        return spikes

    def _records(self, job: AttentionJob) -> Iterator[bytes]:
        fields = driver.input_beats(job, self.config)
        streams = self._streams
        beats = {name: streams.beats(name, fields[name]) for name in streams.inputs}
        rows = job.heads * job.tokens
        # A beat with `last` ends a row of queries
        ends = np.flatnonzero(fields["i_query"]["last"]) + 1
        queries = np.split(beats["i_query"], ends[:-1])
        terms = np.split(beats["i_terms"], rows) if "i_terms" in beats else None
        parts = {name: np.split(beats[name], job.heads) for name in ("i_head", "i_key", "i_value")}
        for head in range(job.heads):
            for name, values in parts.items():
                yield from streams.records(name, values[head])
            for row in range(head * job.tokens, (head + 1) * job.tokens):
                yield from streams.records("i_query", queries[row])
                if terms is not None:
                    yield from streams.records("i_terms", terms[row])


@contextmanager
def connect(port: str, *, baud: int = DEFAULT_BAUD, patience: float = PATIENCE) -> Iterator[AttentionBoard]:
    """Open a board with an attention core; see `sim.board.streams.open_session`.

    Raises:
        InputError: the port cannot be opened, or what answers is no attention core of this version.
        LinkError: nothing answers.
    """
    with open_session(port, baud=baud, patience=patience) as session:
        yield AttentionBoard(session, port)
