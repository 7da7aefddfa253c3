"""The driver's link against a simulated board: good days, bad lines, rude programs."""

import random
import time

import pytest
import serial

from hw.link.protocol import Deframer, Frame, Kind, Status, encode_frame
from sim.board.faults import FAULTS, FaultyPort
from sim.board.session import LinkError, Session
from sim.board.streams import DEFAULT_BAUD
from tests.sim.board.standin import expected, records, split


def values(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(-(1 << 19), 1 << 19) for _ in range(count)]


def check_job(session: Session, rng: random.Random, count: int) -> None:
    """One job, every answer compared."""
    offset, given = rng.randrange(-2048, 2048), values(rng, count)
    answer = session.exchange(records(offset, given), 4 * count)
    assert split(answer) == expected(offset, given)


def test_jobs_of_many_sizes(line: serial.Serial) -> None:
    rng = random.Random(1)
    session = Session(line, "board")
    for count in (1, 2, 255, 256, 257, 2000, 1):
        check_job(session, rng, count)
    assert session.counters.board_bad_frames == 0
    assert session.counters.board_dropped_frames == 0


def test_identification(line: serial.Serial) -> None:
    found = Session(line, "board").identification
    assert (found["board"], found["design"], found["clock"]) == ("icebreaker", "standin", 24_000_000)
    assert found["streams"]["in"] == [["i_offset", 12], ["i_value", 21]]
    assert len(found["digest"]) == 16


def test_progress_rises_to_the_end(line: serial.Serial) -> None:
    seen: list[tuple[int, int]] = []
    data = records(3, values(random.Random(2), 500))
    Session(line, "board").exchange(data, 2000, lambda sent, got: seen.append((sent, got)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(data), 2000)


@pytest.mark.parametrize("seed", range(3))
def test_spoilt_frames(line: serial.Serial, seed: int) -> None:
    rng = random.Random(seed)
    port = FaultyPort(line, seed, rate=0.3)
    session = Session(port, "board")
    session.limit_frames(48)
    while port.faults.total() < 150:
        check_job(session, rng, rng.randint(1, 200))
    assert set(port.faults) <= set(FAULTS)
    assert session.counters.resent_bytes > 0
    assert session.counters.bad_frames > 0


def test_every_kind_of_fault_was_made(line: serial.Serial) -> None:
    port = FaultyPort(line, 5, rate=0.5)
    session = Session(port, "board")
    session.limit_frames(32)
    rng = random.Random(5)
    while set(port.sent.faults) != set(FAULTS):
        check_job(session, rng, 50)


def test_noise_before_opening(line: serial.Serial) -> None:
    rng = random.Random(7)
    line.write(rng.randbytes(3000))
    check_job(Session(line, "board"), rng, 10)


def test_port_closed_in_the_middle(standin_port: str) -> None:
    rng = random.Random(8)
    data = records(1, values(rng, 300))
    for cut in (0, 1, 40, 200, 600):
        with serial.Serial(standin_port, DEFAULT_BAUD, timeout=0.005) as line:
            line.reset_input_buffer()
            session = Session(line, "board")
            frame = encode_frame(Frame(Kind.DATA, session.number, 0, data[:480]))
            line.write(frame[:cut])
        with serial.Serial(standin_port, DEFAULT_BAUD, timeout=0.005) as line:
            line.reset_input_buffer()
            check_job(Session(line, "board"), rng, 20)


def test_number_of_the_session_before(line: serial.Serial, monkeypatch: pytest.MonkeyPatch) -> None:
    # The board takes it for the session it has, whose job is half done
    monkeypatch.setattr("secrets.randbelow", lambda limit: limit - 1)
    rng = random.Random(10)
    first = Session(line, "board")
    line.write(encode_frame(Frame(Kind.DATA, first.number, 0, records(1, values(rng, 300))[:400])))
    time.sleep(0.2)
    line.reset_input_buffer()
    second = Session(line, "board")
    assert (first.number, second.number) == (255, 1)
    check_job(second, rng, 20)


def test_another_program_takes_the_board(line: serial.Serial) -> None:
    mine = Session(line, "board", patience=0.5)
    Session(line, "board")
    with pytest.raises(
        LinkError, match=r"must make progress within 0.5 s, it stopped at 0 of 35 bytes taken"
    ):
        mine.exchange(records(1, [1] * 10)[:35], 40)


def test_data_without_meaning(line: serial.Serial) -> None:
    session = Session(line, "board")
    with pytest.raises(LinkError, match="must understand the data of a job, it does not"):
        session.exchange(bytes([9, 0, 1, 2, 3]), 4)
    check_job(Session(line, "board"), random.Random(9), 5)


def test_more_than_expected(line: serial.Serial) -> None:
    with pytest.raises(LinkError, match="must answer 8 bytes, more came"):
        Session(line, "board").exchange(records(1, [1, 2, 3, 4]), 8)


def test_less_than_expected(line: serial.Serial) -> None:
    with pytest.raises(LinkError, match=r"it stopped at 12 of 12 bytes taken, 8 of 9 sent"):
        Session(line, "board", patience=0.5).exchange(records(1, [5, 6])[:12], 9)


def test_no_board_there() -> None:
    # A loop answers with what was sent: frames, but not those of a board
    line = serial.serial_for_url("loop://", timeout=0.005)
    with (
        line,
        pytest.raises(LinkError, match=r"must answer within 0.3 s, only bytes that are no answer came"),
    ):
        Session(line, "board", patience=0.3)


def talk(line: serial.Serial, frame: Frame, seconds: float = 0.3) -> list[Frame]:
    """What the board answers to one frame."""
    line.write(encode_frame(frame))
    deframer, found, end = Deframer(), [], time.monotonic() + seconds
    while time.monotonic() < end:
        found += deframer.feed(line.read(max(1, line.in_waiting)))
    return found


def test_board_by_the_letter(line: serial.Serial) -> None:
    ident = talk(line, Frame(Kind.OPEN, 200, 0))[-1]
    assert (ident.kind, ident.session, ident.position) == (Kind.IDENT, 200, 0)
    # Out of place: counted, not taken
    late = talk(line, Frame(Kind.DATA, 200, 5, records(1, [1])))[-1]
    status = Status.from_bytes(late.payload)
    assert (late.kind, late.position, status.dropped_frames, status.limit) == (Kind.STATUS, 0, 1, 1024)
    # In place: taken and answered
    data = records(0, [0x12345])
    answers = talk(line, Frame(Kind.DATA, 200, 0, data))
    replies = [frame for frame in answers if frame.kind == Kind.REPLY]
    assert split(b"".join(frame.payload for frame in replies)) == expected(0, [0x12345])
    # Repeated: neither taken nor counted
    again = talk(line, Frame(Kind.DATA, 200, 0, data))[-1]
    assert (again.position, Status.from_bytes(again.payload).dropped_frames) == (len(data), 1)
    # Replay from the start, then acknowledge: nothing more comes
    replay = [frame for frame in talk(line, Frame(Kind.RESEND, 200, 0)) if frame.kind == Kind.REPLY]
    assert (replay[0].position, b"".join(frame.payload for frame in replay)) == (
        0,
        b"".join(r.payload for r in replies),
    )
    assert [frame.kind for frame in talk(line, Frame(Kind.POLL, 200, 4))] == [Kind.STATUS]
    # Opened again with the same number: the session goes on
    assert talk(line, Frame(Kind.OPEN, 200, 0))[-1].position == len(data)
    # A frame of another session changes nothing
    other = talk(line, Frame(Kind.RESEND, 199, 0))[-1]
    assert (other.kind, other.session, other.position) == (Kind.STATUS, 200, len(data))
