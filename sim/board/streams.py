"""Beats of a linked component's streams as bytes of a session, and back."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import serial
from amaranth.lib import wiring
from numpy.typing import NDArray

from golden.errors import InputError
from hw.export.verilog import Layout, describe
from hw.link.channels import MAX_RECORD_BEATS, ChannelMap
from hw.parts.ports_only import ports_only
from sim.board.session import LinkError, Progress, Session
from sim.verilator.payload import Fields, pack, unpack, word_count

DEFAULT_BAUD = 2_000_000
READ_SECONDS = 0.005
# Seconds without progress after which a board is given up
PATIENCE = 10.0


class LinkedStreams:
    """The streams of the component on a board.

    Args:
        session: with the board.
        name: what to call the board in errors.
        component: made for its ports only.

    Raises:
        InputError: the board's streams are not those of the component.
    """

    def __init__(self, session: Session, name: str, component: wiring.Component) -> None:
        self._session, self._name = session, name
        signature = ports_only(component).signature
        try:
            stated = ChannelMap.from_table(session.identification["streams"])
        except (KeyError, ValueError):
            stated = None
        if stated is None or stated != ChannelMap.of(signature):
            raise InputError(f"{name}: the board's streams must be those of this version, they are not")
        self._channels = stated
        self._numbers = {channel.name: number for number, channel in enumerate(stated.inputs)}
        self._layouts: dict[str, Layout] = {
            channel.name: describe(signature.members[channel.name].signature.members["payload"].shape)
            for channel in (*stated.inputs, *stated.outputs)
        }

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the streams to the board."""
        return tuple(self._numbers)

    def beats(self, name: str, fields: Fields) -> NDArray[np.uint8]:
        """Beats of a stream to the board as bytes [n, size], least significant first."""
        size = self._channels.input_bytes(self._numbers[name])
        words = pack(self._layouts[name], fields, name)
        return np.ascontiguousarray(words.astype("<u4").view(np.uint8)[:, :size])

    def records(self, name: str, beats: NDArray[np.uint8]) -> Iterator[bytes]:
        """Records of some of these beats."""
        for first in range(0, len(beats), MAX_RECORD_BEATS):
            part = beats[first : first + MAX_RECORD_BEATS]
            yield bytes([self._numbers[name], len(part) - 1]) + part.tobytes()

    def exchange(
        self, data: bytes, expect: Mapping[str, int], progress: Progress | None = None
    ) -> dict[str, Any]:
        """Send records and receive payload fields of every output stream.

        Args:
            data: records.
            expect: beats of each output stream.
            progress: called with bytes sent and received, and never to be relied on.

        Raises:
            LinkError: the board stopped answering, or answers something else.
        """
        sizes = {c.name: self._channels.output_bytes(n) for n, c in enumerate(self._channels.outputs)}
        count = sum(sizes[name] * beats for name, beats in expect.items())
        return self._split(self._session.exchange(data, count, progress), expect)

    def _split(self, answer: bytes, expect: Mapping[str, int]) -> dict[str, Any]:
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
def open_session(port: str, *, baud: int = DEFAULT_BAUD, patience: float = PATIENCE) -> Iterator[Session]:
    """Open the board at a serial port, and close the port at the end.

    Args:
        port: as pyserial takes it, such as /dev/ttyUSB0 or COM3.
        baud: bits per second; all boards of `synth.boards` use the default.
        patience: seconds without progress after which the board is given up.

    Raises:
        InputError: the port cannot be opened.
        LinkError: nothing answers.
    """
    try:
        # Two programs on one line would each get half of the board's answers
        line = serial.Serial(port, baud, timeout=READ_SECONDS, write_timeout=patience, exclusive=True)
    except (OSError, ValueError) as error:
        in_use = getattr(error, "errno", None) in (errno.EWOULDBLOCK, errno.EBUSY)
        reason = "another program uses it" if in_use else getattr(error, "strerror", None) or error
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
