"""The `board` engine: a job through an attention core on a board, over its serial port.

The order of beats in each stream is that of `sim.rtl.driver`; here they become one sequence of
records. Of every head come descriptor, keys and values, then row by row the query and its terms:
each of them can be taken without anything that comes after it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import serial
from numpy.typing import NDArray

from golden.attention import AttentionJob, AttentionSpikes, compute
from golden.config import CoreConfig, from_table, to_table
from golden.errors import InputError
from hw.core import AttentionCore
from hw.export import Layout, describe
from hw.link.channels import MAX_RECORD_BEATS, ChannelMap
from sim.board.session import Counters, LinkError, Progress, Session
from sim.rtl import driver
from sim.rtl.payload import pack, unpack, word_count

DEFAULT_BAUD = 2_000_000
READ_SECONDS = 0.005
# Seconds without progress after which a board is given up
PATIENCE = 10.0


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
            stated = ChannelMap.from_table(self.identification["streams"])
        except (InputError, KeyError, TypeError, ValueError):
            raise InputError(f"{name}: the board must hold an attention core, it does not") from None
        core = AttentionCore(self.config)
        # Asked for its ports only; Amaranth takes an unused component for a mistake
        core._MustUse__silence = True
        signature = core.signature
        if stated != ChannelMap.of(signature):
            raise InputError(f"{name}: the board's streams must be those of this version, they are not")
        self._channels = stated
        self._layouts: dict[str, Layout] = {
            channel.name: describe(signature.members[channel.name].signature.members["payload"].shape)
            for channel in (*stated.inputs, *stated.outputs)
        }

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
        expect = driver.output_beats(job, self.config)
        sizes = {c.name: self._channels.output_bytes(n) for n, c in enumerate(self._channels.outputs)}
        data = b"".join(self._records(job))
        count = sum(sizes[name] * beats for name, beats in expect.items())
        outputs = self._split(self._session.exchange(data, count, progress), expect)
        spikes = compute(job)
        if "o_code" in outputs:
            spikes = replace(spikes, out=driver.codes(outputs["o_code"], job))
        if "o_context" in outputs:
            normaliser, context = driver.context(outputs["o_context"], job)
            spikes = replace(spikes, normaliser=normaliser, context=context)
        return spikes

    def _records(self, job: AttentionJob) -> Iterator[bytes]:
        fields = driver.input_beats(job, self.config)
        numbers = {channel.name: number for number, channel in enumerate(self._channels.inputs)}
        beats = {
            name: _bytes(pack(self._layouts[name], fields[name], name), self._channels.input_bytes(number))
            for name, number in numbers.items()
        }
        rows = job.heads * job.tokens
        # A beat with `last` ends a row of queries
        ends = np.flatnonzero(fields["i_query"]["last"]) + 1
        queries = np.split(beats["i_query"], ends[:-1])
        terms = np.split(beats["i_terms"], rows) if "i_terms" in beats else None
        parts = {name: np.split(beats[name], job.heads) for name in ("i_head", "i_key", "i_value")}
        for head in range(job.heads):
            for name, values in parts.items():
                yield from _record(numbers[name], values[head])
            for row in range(head * job.tokens, (head + 1) * job.tokens):
                yield from _record(numbers["i_query"], queries[row])
                if terms is not None:
                    yield from _record(numbers["i_terms"], terms[row])

    def _split(self, answer: bytes, expect: Mapping[str, int]) -> dict[str, Any]:
        """Payload fields of every output stream from the board's answer."""
        outputs = self._channels.outputs
        sizes = [self._channels.output_bytes(number) for number in range(len(outputs))]
        mask = (1 << self._channels.tag_bits) - 1
        found: list[list[bytes]] = [[] for _ in outputs]
        position = 0
        while position < len(answer):
            number = answer[position] & mask
            if number >= len(outputs):
                raise LinkError(f"{self._name}: the board's answer must name a stream, it names {number}")
            found[number].append(answer[position : position + sizes[number]])
            position += sizes[number]
        fields = {}
        for channel, size, beats in zip(outputs, sizes, found, strict=True):
            if len(beats) != expect[channel.name]:
                raise LinkError(
                    f"{self._name}: {channel.name} must bring {expect[channel.name]} beats, not {len(beats)}"
                )
            layout = self._layouts[channel.name]
            fields[channel.name] = unpack(
                layout, _words(b"".join(beats), size, self._channels.tag_bits, layout)
            )
        return fields


@contextmanager
def connect(port: str, *, baud: int = DEFAULT_BAUD, patience: float = PATIENCE) -> Iterator[AttentionBoard]:
    """Open the board at a serial port, and close the port at the end.

    Args:
        port: as pyserial takes it, such as /dev/ttyUSB0 or COM3.
        baud: bits per second; all boards of `synth.boards` use the default.
        patience: seconds without progress after which the board is given up.

    Raises:
        InputError: the port cannot be opened, or what answers is no attention core of this version.
        LinkError: nothing answers.
    """
    try:
        line = serial.Serial(port, baud, timeout=READ_SECONDS, write_timeout=patience)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"port must be a serial port that can be opened, {port!r} cannot ({reason})"
        ) from None
    with line:
        line.reset_input_buffer()
        yield AttentionBoard(Session(line, port, patience=patience), port)


def _bytes(words: NDArray[np.uint32], size: int) -> NDArray[np.uint8]:
    """Beats as bytes [n, size], least significant first."""
    return np.ascontiguousarray(words.astype("<u4").view(np.uint8)[:, :size])


def _record(number: int, beats: NDArray[np.uint8]) -> Iterator[bytes]:
    for first in range(0, len(beats), MAX_RECORD_BEATS):
        part = beats[first : first + MAX_RECORD_BEATS]
        yield bytes([number, len(part) - 1]) + part.tobytes()


def _words(data: bytes, size: int, tag_bits: int, layout: Layout) -> NDArray[np.uint32]:
    """Payload words of beats of `size` bytes, without the channel number in their lowest bits."""
    words = word_count(layout)
    beats = np.zeros((len(data) // size, 4 * words + 4), np.uint8)
    beats[:, :size] = np.frombuffer(data, np.uint8).reshape(-1, size)
    wide = beats.view("<u4").astype(np.uint64)
    joined = wide[:, :-1] >> np.uint64(tag_bits) | wide[:, 1:] << np.uint64(32 - tag_bits)
    return (joined & np.uint64(0xFFFFFFFF)).astype(np.uint32)
