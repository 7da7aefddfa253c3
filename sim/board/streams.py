"""Streams of a linked component on a board: fields of beats to records, answers to fields of beats."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import serial
from amaranth.lib import wiring
from numpy.typing import NDArray

from golden.errors import InputError
from hw.export import Layout, describe
from hw.link.channels import MAX_RECORD_BEATS, ChannelMap
from sim.board.session import Counters, LinkError, Progress, Session
from sim.rtl.payload import pack, unpack, word_count

DEFAULT_BAUD = 2_000_000
READ_SECONDS = 0.005
# Seconds without progress after which a board is given up
PATIENCE = 10.0


class BoardStreams:
    """The streams of the component on a board.

    Args:
        session: an open session.
        name: what to call the board in errors.
        component: as the board must hold it; asked for its ports only.

    Raises:
        InputError: the board's streams are not those of the component.
    """

    def __init__(self, session: Session, name: str, component: wiring.Component) -> None:
        self._session = session
        self._name = name
        # Amaranth takes an unused component for a mistake
        component._MustUse__silence = True
        members = component.signature.members
        self._channels = ChannelMap.of(component.signature)
        try:
            agreed = ChannelMap.from_table(session.identification["streams"]) == self._channels
        except (KeyError, TypeError, ValueError):
            agreed = False
        if not agreed:
            raise InputError(f"{name}: the board's streams must be those of this version, they are not")
        self._layouts: dict[str, Layout] = {
            channel.name: describe(members[channel.name].signature.members["payload"].shape)
            for channel in (*self._channels.inputs, *self._channels.outputs)
        }

    @property
    def counters(self) -> Counters:
        """Events on the line so far."""
        return self._session.counters

    def to_json(self) -> dict[str, Any]:
        """What the board says of itself but its parameters, and what happened on the line."""
        identification = self._session.identification
        known = {key: value for key, value in identification.items() if key != "parameters"}
        return known | {"line": asdict(self.counters)}

    def beats(self, name: str, fields: Any) -> NDArray[np.uint8]:
        """Bytes [n, size] of beats of an input stream."""
        number = self._number(name)
        words = pack(self._layouts[name], fields, name)
        size = self._channels.input_bytes(number)
        return np.ascontiguousarray(words.astype("<u4").view(np.uint8)[:, :size])

    def records(self, name: str, beats: NDArray[np.uint8]) -> Iterator[bytes]:
        """Records that carry these beats."""
        number = self._number(name)
        for first in range(0, len(beats), MAX_RECORD_BEATS):
            part = beats[first : first + MAX_RECORD_BEATS]
            yield bytes([number, len(part) - 1]) + part.tobytes()

    def exchange(
        self, data: bytes, expect: Mapping[str, int], progress: Progress | None = None
    ) -> dict[str, Any]:
        """Send records; payload fields of every output stream from the board's answer.

        Args:
            expect: beats that every output stream will have brought.
            progress: called with bytes sent and received, and never to be relied on.

        Raises:
            LinkError: the board stopped answering, or answers something else.
        """
        sizes = [self._channels.output_bytes(number) for number in range(len(self._channels.outputs))]
        count = sum(
            size * expect[channel.name] for size, channel in zip(sizes, self._channels.outputs, strict=True)
        )
        return self._split(self._session.exchange(data, count, progress), sizes, expect)

    def _number(self, name: str) -> int:
        return [channel.name for channel in self._channels.inputs].index(name)

    def _split(self, answer: bytes, sizes: list[int], expect: Mapping[str, int]) -> dict[str, Any]:
        outputs = self._channels.outputs
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
def opened_session(port: str, *, baud: int = DEFAULT_BAUD, patience: float = PATIENCE) -> Iterator[Session]:
    """A session with the board at a serial port; the port is closed at the end.

    Args:
        port: as pyserial takes it, such as /dev/ttyUSB0 or COM3.
        baud: bits per second; all boards of `synth.boards` use the default.
        patience: seconds without progress after which the board is given up.

    Raises:
        InputError: the port cannot be opened.
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
        yield Session(line, port, patience=patience)


def _words(data: bytes, size: int, tag_bits: int, layout: Layout) -> NDArray[np.uint32]:
    """Payload words of beats of `size` bytes, without the channel number in their lowest bits."""
    words = word_count(layout)
    beats = np.zeros((len(data) // size, 4 * words + 4), np.uint8)
    beats[:, :size] = np.frombuffer(data, np.uint8).reshape(-1, size)
    wide = beats.view("<u4").astype(np.uint64)
    joined = wide[:, :-1] >> np.uint64(tag_bits) | wide[:, 1:] << np.uint64(32 - tag_bits)
    return (joined & np.uint64(0xFFFFFFFF)).astype(np.uint32)
