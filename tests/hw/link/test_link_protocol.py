"""Frames in software: the documented bytes, round trips, and no frame from noise."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.link.protocol import ESCAPE, FLAG, Deframer, Frame, Kind, Status, distance, encode_frame, parse_body

FRAMES = st.builds(
    Frame,
    st.sampled_from(Kind),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.binary(max_size=80),
)


def test_documented_example() -> None:
    # The frame that docs/link.md spells out byte by byte
    frame = Frame(Kind.DATA, 0x2A, 0x017E, bytes([0x7D, 0x00]))
    assert encode_frame(frame).hex(" ") == "7e 02 2a 7d 5e 01 02 00 7d 5d 00 f7 34 1a 70 7e"


@given(st.lists(FRAMES, max_size=5))
def test_round_trip(frames: list[Frame]) -> None:
    deframer = Deframer()
    assert list(deframer.feed(b"".join(map(encode_frame, frames)))) == frames
    assert deframer.bad_frames == 0


@given(FRAMES, st.data())
def test_one_spoilt_byte_is_noticed(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode_frame(frame))
    place = data.draw(st.integers(1, len(wire) - 2))
    wire[place] ^= data.draw(st.integers(1, 255))
    assert frame not in list(Deframer().feed(bytes(wire)))


def test_frame_after_noise_is_found() -> None:
    rng = random.Random(1)
    deframer = Deframer()
    frame = Frame(Kind.POLL, 3, 77)
    for _ in range(2000):
        noise = rng.randbytes(rng.randrange(40))
        assert list(deframer.feed(noise + encode_frame(frame)))[-1:] == [frame]


def test_escape_before_flag_spoils() -> None:
    wire = encode_frame(Frame(Kind.POLL, 1, 2))
    deframer = Deframer()
    assert list(deframer.feed(wire[:-1] + bytes([ESCAPE, FLAG]))) == []
    assert deframer.bad_frames == 1


@pytest.mark.parametrize("body", [b"", b"\x02\x01\x00\x00", bytes(10), b"\x09" + bytes(9)])
def test_malformed_bodies(body: bytes) -> None:
    assert parse_body(body) is None


def test_distance_wraps() -> None:
    assert distance(65530, 4) == 10
    assert distance(4, 65530) == 65526


def test_status_of_wrong_size() -> None:
    with pytest.raises(ValueError, match="7 bytes, not 3"):
        Status.from_bytes(b"abc")
