"""The link protocol in software: constants, frames, and their coding as bytes.

One definition serves the circuit (constants), the driver and the tests; `docs/link.md` describes the
same bytes in prose. A frame on the wire is FLAG, body, FLAG; in the body FLAG and ESCAPE are replaced
by ESCAPE and the byte XOR 0x20 (the byte stuffing of RFC 1662). The body is

    kind (1) session (1) position (2) length (2) payload (length) CRC-32 of all before it (4)

with all numbers little-endian.
"""

import enum
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

VERSION = 1

FLAG = 0x7E
ESCAPE = 0x7D
ESCAPE_XOR = 0x20

HEADER_BYTES = 6
LENGTH_BYTES = 2
CRC_BYTES = 4
# A position counts bytes of one direction modulo this; rings are much smaller, so order is unambiguous
POSITION_MODULUS = 1 << 16
# Session of a board that nobody has opened yet
NO_SESSION = 0


class Kind(enum.IntEnum):
    """Kind of a frame; those of the board have the top bit set."""

    OPEN = 0x01
    DATA = 0x02
    POLL = 0x03
    RESEND = 0x04
    IDENT = 0x81
    STATUS = 0x82
    REPLY = 0x83


@dataclass(frozen=True)
class Frame:
    """A checked frame.

    Attributes:
        kind: a `Kind`.
        session: 1..255 once opened.
        position: see `docs/link.md`; its meaning depends on the kind.
        payload: bytes.
    """

    kind: Kind
    session: int
    position: int
    payload: bytes = b""


@dataclass(frozen=True)
class Status:
    """Payload of a STATUS frame.

    Attributes:
        limit: position up to which the board has space.
        produced: position in the board's stream after the last byte it holds.
        bad_frames: frames refused for their form or check sum, modulo 256.
        dropped_frames: good frames refused because bytes before them are missing, for want of space
            or for their session, modulo 256; a repeated frame does not count.
        fault: the board met a record it does not know and ignores data until it is opened again.
    """

    limit: int
    produced: int
    bad_frames: int
    dropped_frames: int
    fault: bool

    SIZE = 7

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Status":
        if len(payload) != cls.SIZE:
            raise ValueError(f"a STATUS payload has {cls.SIZE} bytes, not {len(payload)}")
        return cls(
            limit=int.from_bytes(payload[0:2], "little"),
            produced=int.from_bytes(payload[2:4], "little"),
            bad_frames=payload[4],
            dropped_frames=payload[5],
            fault=bool(payload[6] & 1),
        )


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame on the wire, both flags included."""
    body = (
        bytes([frame.kind, frame.session])
        + frame.position.to_bytes(2, "little")
        + len(frame.payload).to_bytes(2, "little")
        + frame.payload
    )
    body += zlib.crc32(body).to_bytes(CRC_BYTES, "little")
    # ESCAPE first, or the escapes of flags would be escaped again
    body = body.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPE ^ ESCAPE_XOR]))
    body = body.replace(bytes([FLAG]), bytes([ESCAPE, FLAG ^ ESCAPE_XOR]))
    return bytes([FLAG]) + body + bytes([FLAG])


def parse_body(body: bytes) -> Frame | None:
    """The frame of an unstuffed body, or None if its length, check sum or kind is wrong."""
    if len(body) < HEADER_BYTES + CRC_BYTES:
        return None
    length = int.from_bytes(body[4:6], "little")
    if len(body) != HEADER_BYTES + length + CRC_BYTES:
        return None
    if zlib.crc32(body[:-CRC_BYTES]) != int.from_bytes(body[-CRC_BYTES:], "little"):
        return None
    if body[0] not in set(Kind):
        return None
    return Frame(
        Kind(body[0]), body[1], int.from_bytes(body[2:4], "little"), bytes(body[HEADER_BYTES:-CRC_BYTES])
    )


class Deframer:
    """Cuts received bytes into frames; what is no frame is counted and skipped.

    Attributes:
        bad_frames: bodies that were not empty and no frame either.
    """

    def __init__(self, limit: int = 1 << 16) -> None:
        self._limit = limit
        self._body = bytearray()
        self._escaped = False
        self._spoilt = False
        self.bad_frames = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames completed by `data`."""
        for byte in data:
            if byte == FLAG:
                if self._body or self._escaped or self._spoilt:
                    frame = None if self._escaped or self._spoilt else parse_body(bytes(self._body))
                    self._body.clear()
                    self._escaped = self._spoilt = False
                    if frame is None:
                        self.bad_frames += 1
                    else:
                        yield frame
            elif byte == ESCAPE:
                self._spoilt |= self._escaped
                self._escaped = True
            elif len(self._body) >= self._limit:
                self._spoilt = True
            else:
                self._body.append(byte ^ ESCAPE_XOR if self._escaped else byte)
                self._escaped = False


def distance(start: int, end: int) -> int:
    """Bytes from position `start` forward to position `end`."""
    return (end - start) % POSITION_MODULUS
