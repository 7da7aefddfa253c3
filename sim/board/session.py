"""The host's half of the link: a session with a board over a serial port.

Bytes go both ways reliably or the session ends with an error: every byte is checked, and what was lost
or spoilt on the line is sent again (go-back-N, in both directions). All waiting happens here; the
board itself knows no time.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from golden.errors import OutsideError
from hw.link.protocol import POSITION_MODULUS, VERSION, Deframer, Frame, Kind, Status, distance, encode_frame

Progress = Callable[[int, int], None]

FIRST_ANSWER_SECONDS = 0.25
# A USB adapter may hold bytes back for 16 ms
SHORTEST_WAIT_SECONDS = 0.04
LONGEST_WAIT_SECONDS = 2.0


class LinkError(OutsideError):
    """The board could not be reached, or stopped answering; the message is one line for the user."""


class SerialPort(Protocol):
    """What the session uses of `serial.Serial`."""

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1, /) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...


@dataclass
class Counters:
    """What happened on the line in a session.

    Attributes:
        frames_sent, frames_received: good frames.
        bad_frames: received bodies that were no frame.
        stray_frames: good frames of another session or out of place.
        resent_bytes: bytes sent again.
        timeouts: times nothing came although something was owed.
        board_bad_frames, board_dropped_frames: as the board counted them, modulo 256.
    """

    frames_sent: int = 0
    frames_received: int = 0
    bad_frames: int = 0
    stray_frames: int = 0
    resent_bytes: int = 0
    timeouts: int = 0
    board_bad_frames: int = 0
    board_dropped_frames: int = 0


class Session:
    """A session with a board; opening it resets whatever the board was doing.

    Args:
        port: an open serial port whose reads return within milliseconds when nothing is there.
        name: what to call the port in errors.
        patience: seconds without any progress after which the board is given up.

    Attributes:
        identification: what the board says of itself, see `docs/link.md`.
        number: of the session, 1..255, chosen at random.
        counters: events on the line.

    Raises:
        LinkError: nothing answers as a board does.
    """

    def __init__(self, port: SerialPort, name: str, *, patience: float = 10.0) -> None:
        self._port = port
        self._name = name
        self._patience = patience
        self._deframer = Deframer()
        self.number = 1 + secrets.randbelow(255)
        self.counters = Counters()
        # Bytes since the session began; positions in frames are these modulo 2**16
        self._acked = 0  # acknowledged by the board
        self._sent = 0  # next to be sent; falls back to _acked when something was lost
        self._high = 0  # sent at least once
        self._limit = 0  # the board has space up to here
        self._got = 0  # received in order
        self._told = 0  # received, and acknowledged to the board
        self._going_back = False
        self._replaying = False
        self._frame_bytes = 0  # the largest frame, as the board states it
        self.identification = self._open()

    def limit_frames(self, size: int) -> None:
        """Send at most `size` bytes in a frame: less is lost at once on a bad line."""
        self._frame_bytes = min(size, self._frame_bytes)

    def exchange(self, data: bytes, count: int, progress: Progress | None = None) -> bytes:
        """Send `data` while receiving `count` bytes.

        Args:
            data: bytes for the board.
            count: bytes that the board will have answered once it has all of `data`.
            progress: called with bytes sent and received so far.

        Raises:
            LinkError: no progress for `patience` seconds, the board met data it does not
                understand, it sends more than `count` bytes, or the port failed.
        """
        first, answer = self._acked, bytearray()
        end = first + len(data)
        self._sent = self._high = first
        heard = moved = time.monotonic()
        doubling = 1
        while self._acked < end or len(answer) < count:
            self._send_data(data, first, end)
            frames = self._receive()
            now = time.monotonic()
            before = (self._acked, len(answer))
            for frame in frames:
                if frame.kind == Kind.REPLY:
                    answer += self._take(frame)
                elif frame.kind == Kind.STATUS:
                    self._note(frame)
            if len(answer) > count:
                raise LinkError(f"{self._name}: the board must answer {count} bytes, more came")
            if (self._acked, len(answer)) != before:
                moved = now
                if progress is not None:
                    progress(self._acked - first, len(answer))
            elif now - moved > self._patience:
                raise LinkError(
                    f"{self._name}: the board must make progress within {self._patience:g} s, it stopped at "
                    f"{self._acked - first} of {len(data)} bytes taken, {len(answer)} of {count} sent"
                )
            if frames:
                self._pace(now - heard)
                heard, doubling = now, 1
            elif now - heard > doubling * self._wait:
                self.counters.timeouts += 1
                self._go_back()
                self._replay()
                heard, doubling = now, 2 * doubling
            if self._got - self._told >= self._window // 4:
                self._acknowledge(Kind.POLL)
        self._acknowledge(Kind.POLL)
        return bytes(answer)

    def _pace(self, gap: float) -> None:
        """Learn how long silence may last, as TCP does: mean gap and four mean deviations."""
        self._deviation += (abs(gap - self._gap) - self._deviation) / 4
        self._gap += (gap - self._gap) / 8

    @property
    def _wait(self) -> float:
        wait = self._gap + 4 * self._deviation
        return min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)

    def _send_data(self, data: bytes, first: int, end: int) -> None:
        """Send as much as the board has space for, in full frames where there is enough data."""
        while (size := min(self._frame_bytes, end - self._sent)) and self._sent + size <= self._limit:
            start = self._sent - first
            self._send(Kind.DATA, self._sent, data[start : start + size])
            self.counters.resent_bytes += max(0, min(self._high, self._sent + size) - self._sent)
            self._sent += size
            self._high = max(self._high, self._sent)

    def _take(self, frame: Frame) -> bytes:
        """The new bytes of a REPLY; asks for a replay where bytes before them are missing."""
        overlap = distance(frame.position, self._got % POSITION_MODULUS)
        if overlap <= len(frame.payload):
            new = frame.payload[overlap:]
            self._got += len(new)
            self._replaying &= not new
            return new
        if overlap >= POSITION_MODULUS // 2 and not self._replaying:
            self._replay()
        return b""

    def _note(self, frame: Frame) -> None:
        """Acknowledgement, space and counters of a STATUS; goes back where the board missed a frame."""
        try:
            status = Status.from_bytes(frame.payload)
        except ValueError:
            self.counters.stray_frames += 1
            return
        if status.fault:
            raise LinkError(
                f"{self._name}: the board must understand the data of a job, it does not (reset it)"
            )
        advance = distance(self._acked % POSITION_MODULUS, frame.position)
        if advance > self._high - self._acked:
            # An old STATUS that was delayed or repeated on its way
            self.counters.stray_frames += 1
            return
        self._acked += advance
        self._sent = max(self._sent, self._acked)
        self._limit = max(self._limit, self._acked + distance(frame.position, status.limit))
        self._going_back &= not advance
        missed = (status.bad_frames, status.dropped_frames)
        known = (self.counters.board_bad_frames, self.counters.board_dropped_frames)
        self.counters.board_bad_frames, self.counters.board_dropped_frames = missed
        if missed != known and not self._going_back:
            self._go_back()

    def _go_back(self) -> None:
        self._sent = self._acked
        self._going_back = True

    def _replay(self) -> None:
        self._acknowledge(Kind.RESEND)
        self._replaying = True

    def _acknowledge(self, kind: Kind) -> None:
        self._send(kind, self._got)
        self._told = self._got

    def _send(self, kind: Kind, position: int = 0, payload: bytes = b"") -> None:
        frame = Frame(kind, self.number, position % POSITION_MODULUS, payload)
        with self._working():
            self._port.write(encode_frame(frame))
        self.counters.frames_sent += 1

    def _receive(self) -> list[Frame]:
        """Good frames of this session that have come in; waits a few milliseconds for the first byte."""
        frames = []
        with self._working():
            data = self._port.read(max(1, self._port.in_waiting))
        for frame in self._deframer.feed(data):
            if frame.session == self.number and frame.kind in (Kind.IDENT, Kind.STATUS, Kind.REPLY):
                frames.append(frame)
                self.counters.frames_received += 1
            else:
                self.counters.stray_frames += 1
        if self._deframer.bad_frames != self.counters.bad_frames:
            self.counters.bad_frames = self._deframer.bad_frames
            if self._high and not self._replaying:
                self._replay()
        return frames

    @contextmanager
    def _working(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LinkError(f"{self._name}: the port stopped working ({error})") from None

    def _open(self) -> dict[str, Any]:
        wait = min(FIRST_ANSWER_SECONDS, self._patience)
        first = time.monotonic()
        end = first + self._patience
        while time.monotonic() < end:
            begin = time.monotonic()
            self._send(Kind.OPEN)
            while time.monotonic() < min(begin + wait, end):
                for frame in self._receive():
                    if frame.kind == Kind.IDENT and frame.position:
                        # An earlier session had this number by chance, and the board goes on with it
                        self.number = 1 + self.number % 255
                        begin = -wait
                    elif frame.kind == Kind.IDENT:
                        # From the first attempt: which of them is answered is not known
                        self._gap = time.monotonic() - first
                        self._deviation = self._gap / 4
                        return self._identify(frame.payload)
            wait *= 2
        strange = self.counters.bad_frames + self.counters.stray_frames
        what = "only bytes that are no answer came" if strange else "nothing came"
        raise LinkError(f"{self._name}: a board must answer within {self._patience:g} s, {what}")

    def _identify(self, payload: bytes) -> dict[str, Any]:
        try:
            identification = json.loads(payload)
            version = int(identification["link"])
            self._limit = int(identification["receive_bytes"])
            self._window = int(identification["transmit_bytes"])
            self._frame_bytes = int(identification["frame_bytes"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise LinkError(f"{self._name}: the board's identification cannot be read") from None
        if version != VERSION:
            raise LinkError(
                f"{self._name}: the board must speak version {VERSION} of the link, not {version}"
            )
        return identification
