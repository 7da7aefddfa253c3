"""Byte stuffing in hardware against `hw.link.protocol`."""

import random

import pytest

from hw.link.framing import BODY_EVENT, LINE_BYTE, RECEIVED_BYTE, Stuffer, Unstuffer
from hw.link.protocol import ESCAPE, FLAG, Frame, Kind, encode_frame
from tests.hw.link.stream_bench import run


def bits(layout: object, **fields: int) -> int:
    return layout.const(fields).as_value().value  # type: ignore[attr-defined]


@pytest.mark.parametrize("pauses", [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)])
def test_stuffer(pauses: tuple[float, float]) -> None:
    frame = Frame(Kind.REPLY, ESCAPE, 0x7E7D, bytes([FLAG, ESCAPE, 0x5E, *range(256)]))
    wire = encode_frame(frame)
    plain = unstuffed(wire)
    given = [bits(LINE_BYTE, data=FLAG, flag=1)]
    given += [bits(LINE_BYTE, data=byte, flag=0) for byte in plain]
    given += [bits(LINE_BYTE, data=FLAG, flag=1)]
    assert bytes(run(Stuffer(), {"i": given}, ["o"], pauses=pauses)["o"]) == wire


def unstuffed(wire: bytes) -> bytes:
    """Body of a frame, by the letter of RFC 1662."""
    body, escaped = bytearray(), False
    for byte in wire[1:-1]:
        if byte == ESCAPE:
            escaped = True
        else:
            body.append(byte ^ 0x20 if escaped else byte)
            escaped = False
    return bytes(body)


def events(wire: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(data, end, bad) of received (data, error)."""
    given = [bits(RECEIVED_BYTE, data=data, error=error) for data, error in wire]
    found = run(Unstuffer(), {"i": given}, ["o"], pauses=(0.3, 0.0))["o"]
    structs = [BODY_EVENT.from_bits(value) for value in found]
    return [(s.data, s.end, s.bad) if not s.end else (0, 1, s.bad) for s in structs]


def test_unstuffer_inverts() -> None:
    frame = Frame(Kind.DATA, FLAG, 0x7D7E, random.Random(3).randbytes(100) + bytes([FLAG, ESCAPE]))
    wire = encode_frame(frame)
    expected = [(byte, 0, 0) for byte in unstuffed(wire)] + [(0, 1, 0)]
    assert events([(byte, 0) for byte in wire]) == expected


def test_empty_bodies_leave_nothing() -> None:
    assert events([(FLAG, 0)] * 4) == []


@pytest.mark.parametrize(
    "wire",
    [
        [(FLAG, 0), (1, 0), (ESCAPE, 0), (FLAG, 0)],
        [(FLAG, 0), (1, 0), (2, 1), (FLAG, 0)],
        [(FLAG, 0), (1, 0), (ESCAPE, 0), (ESCAPE, 0), (FLAG, 0)],
        [(FLAG, 0), (1, 0), (ESCAPE, 0), (ESCAPE, 0), (0x5D, 0), (FLAG, 0)],
    ],
    ids=["escape before the end", "no stop bit", "escapes before the end", "escape after escape"],
)
def test_spoilt_bodies(wire: list[tuple[int, int]]) -> None:
    found = events([*wire, (9, 0), (FLAG, 0)])
    bodies = [event for event in found if event[1]]
    assert bodies == [(0, 1, 1), (0, 1, 0)]
    assert (found[0], found[-2]) == ((1, 0, 0), (9, 0, 0))
