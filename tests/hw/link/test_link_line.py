"""The whole link from line to line, compiled: sessions, spoilt bodies, replays and stalls by account."""

from collections.abc import Callable
from functools import cache
from itertools import cycle

import pytest

from hw.link.crc import POLYNOMIAL
from hw.link.protocol import POSITION_MODULUS, Kind
from sim.verilator.build import build
from sim.verilator.simulator import Simulator
from tests.hw.link.bench_receiver import DEPTH, UNKNOWN_KIND, sealed
from tests.hw.link.line import Host, Line, run
from tests.sim.board.standin import records

SPOILT = ("flip", "cut", "dangling", "doubled", "stop", "glitch", "length", "kind", "noise")
STEPS = 6


@cache
def line() -> Simulator:
    return build(Line, "line", quick=True)


def random_body(host: Host) -> None:
    """Whatever a host, or a bad line, may send next."""
    rng, rules = host.rng, host.rules
    if not host.left:
        offset, values = int(rng.integers(-2048, 2048)), rng.integers(-(1 << 19), 1 << 19, rng.integers(1, 9))
        host.left = records(offset, values.tolist())
    size = int(rng.integers(1, 41))
    payload, position, session = host.left[:size], rules.expected, rules.session
    choice = rng.choice(
        ["data", "data", "data", "poll", "resend", "open", "other", "behind", "large", *SPOILT]
    )
    if choice in ("poll", "resend"):
        kind = Kind.POLL if choice == "poll" else Kind.RESEND
        host.poll(int(rng.integers(host.acked - 2, host.produced + 3)), kind)
    elif choice == "open":
        host.open(int(rng.choice([0, session, rng.integers(256)])))
    elif choice == "other":
        host.body(sealed(Kind.DATA, int(rng.integers(256)), position, payload))
    elif choice == "behind":
        behind = int(rng.choice([-200, -1, 1, 32767, 32768]))
        host.body(sealed(Kind.DATA, session, (position + behind) % POSITION_MODULUS, payload))
    elif choice == "large":
        host.body(sealed(Kind.DATA, session, position, rng.bytes(DEPTH + 1)))
    elif choice == "flip":
        body = bytearray(sealed(Kind.DATA, session, position, payload))
        body[rng.integers(len(body))] ^= 1 << int(rng.integers(8))
        host.body(bytes(body))
    elif choice == "cut":
        body = sealed(Kind.DATA, session, position, payload)
        host.body(body[: rng.integers(1, len(body))])
    elif choice == "length":
        size = len(payload) + int(rng.choice([-1, 1, 256]))
        host.body(sealed(Kind.DATA, session, position, payload, length=size))
    elif choice == "kind":
        host.body(sealed(int(rng.choice([UNKNOWN_KIND, Kind.REPLY, 0])), session, position, payload))
    elif choice == "noise":
        host.body(rng.bytes(int(rng.integers(1, 30))))
    elif not host.stalled:
        before = host.rules.expected
        host.body(sealed(Kind.DATA, session, position, payload), spoil="" if choice == "data" else choice)
        host.left = host.left[(host.rules.expected - before) % POSITION_MODULUS :]
    host.poll(None if rng.random() < 0.6 else int(rng.integers(host.acked, host.produced + 1)))
    host.poll(int(rng.integers(host.acked, host.produced + 1)))


def random_session(seed: int, steps: int = STEPS) -> Host:
    host = Host(seed)
    if seed % 4:
        host.open(int(host.rng.integers(1, 256)))
    for _ in range(steps):
        random_body(host)
    return host


def values(host: Host, count: int) -> bytes:
    """A job of so many values."""
    return records(5, host.rng.integers(-(1 << 19), 1 << 19, count).tolist())


@cache
def long_session() -> Host:
    """Bytes until a position has had every bit, and a session after that."""
    host = Host(1)
    host.open(7)
    places = cycle((bit, way) for bit in range(16) for way in (1, -1))
    while host.acked <= POSITION_MODULUS // 2 + DEPTH:
        if not host.left:
            host.left = values(host, 240)
        host.data(host.left[:40])
        host.left = host.left[40:]
        if host.rng.random() < 0.1:
            misplaced(host, *next(places))
        host.poll()
    host.poll(host.acked - DEPTH // 2, Kind.RESEND)
    host.open(8)
    host.data(values(host, 4))
    host.poll(0, Kind.RESEND)
    return host


def before(register: int) -> int:
    """What the register of a check sum was before its last 32 bits, all of them zero."""
    for _ in range(32):
        top = register >> 31
        register = (register ^ POLYNOMIAL * top) << 1 | top
    return register


def wrong_check_sums() -> Host:
    """Bodies, good but for a bit of the check sum, or for one of what is left in the board's register."""
    host = Host(2)
    host.open(7)
    for bit in range(32):
        body = sealed(Kind.DATA, 7, 0, bytes([bit, 0, 1]))
        for error in (1 << bit, before(1 << bit)):
            wrong = int.from_bytes(body[-4:], "little") ^ error
            host.body(body[:-4] + wrong.to_bytes(4, "little"))
    host.data(values(host, 2))
    return host


def wrong_headers() -> Host:
    """Bodies of which one bit of the kind, session, position or length is wrong."""
    host = Host(3)
    host.open(0x55)
    host.data(values(host, 3))
    payload, sent = records(1, [2, 3]), host.rules.expected
    for bit in range(8):
        for kind in (Kind.OPEN, Kind.DATA, Kind.POLL, Kind.RESEND):
            other = kind ^ 1 << bit
            position = sent if kind == Kind.DATA else 4
            if other not in (Kind.OPEN, Kind.DATA, Kind.POLL, Kind.RESEND):
                host.body(sealed(other, 0x55 + (kind == Kind.OPEN), position, payload))
        host.body(sealed(Kind.DATA, 0x55 ^ 1 << bit, sent, payload))
    host.body(sealed(Kind.DATA, 0x55, sent, payload), spoil="extra")
    for bit in range(16):
        host.body(sealed(Kind.DATA, 0x55, sent ^ 1 << bit, payload))
        host.body(sealed(Kind.DATA, 0x55, sent, payload, length=len(payload) ^ 1 << bit))
    host.poll(0, Kind.RESEND)
    host.data(payload)
    return host


def misplaced(host: Host, bit: int, way: int) -> None:
    """Bytes wanted that are a power of two ahead or behind."""
    for kind in (Kind.POLL, Kind.RESEND):
        host.poll((host.acked if way < 0 else host.produced) + way * (1 << bit), kind)


def acknowledgements() -> Host:
    """Of bytes that are not there, up to byte 20 and up to byte 176; then those that are there once more."""
    host = Host(4)
    host.open(7)
    for counts in ((5,), (15, 15, 9)):
        for count in counts:
            host.poll()
            host.data(values(host, count))
        for bit in range(16):
            misplaced(host, bit, 1)
            misplaced(host, bit, -1)
        host.poll(host.acked, Kind.RESEND)
        host.poll(host.acked + 3)
    return host


def opened_again() -> Host:
    """A session behind a long one, in which bytes are wanted that were never there."""
    host = Host(8)
    host.open(7)
    for _ in range(3):
        host.data(values(host, 12))
        host.poll()
    host.open(8)
    host.data(values(host, 2))
    for bit in range(4):
        misplaced(host, bit, -1)
    host.poll(0, Kind.RESEND)
    return host


def sessions_of_all_bits() -> Host:
    """Numbers of one bit, and the same again: counts of what was refused and dropped stay then."""
    host = Host(5)
    for bit in (*range(8), 0):
        host.open(1 << bit)
        for count, other in ((3, b"noise"), (5, sealed(Kind.POLL, 1 << bit ^ 1, 0, b""))):
            for _ in range(count * (1 + bit)):
                host.body(other, wait=False)
        host.data(values(host, 2))
        host.open(0)
        host.open(1 << bit)
        host.poll(0, Kind.RESEND)
    for other in (b"noise", sealed(Kind.POLL, 2, 0, b"")):
        for _ in range(256):
            host.body(other, wait=False)
        host.poll(0, Kind.RESEND)
    host.open(1)
    host.open(2)
    host.poll()
    return host


def long_records() -> Host:
    """Records of as many beats as there can be, of both streams, in pieces; and streams that do not exist."""
    host = Host(6)
    for count in (256, 3):
        host.open(count % 251)
        offsets = b"".join(int(n).to_bytes(2, "little") for n in host.rng.integers(0, 1 << 12, count))
        left = bytes([0, count - 1]) + offsets + values(host, count)
        while left:
            size = int(host.rng.integers(1, DEPTH // 2))
            host.data(left[:size])
            left = left[size:]
            host.poll()
    for bit in range(1, 8):
        host.open(16 + bit)
        host.data(values(host, 1) + bytes([1 << bit, 0, 0, 0, 0]))
        host.data(values(host, 1))
    return host


def stalls() -> Host:
    """More to send than there is room for: it is fetched in small pieces, at any time."""
    host = Host(7)
    host.open(7)
    for _ in range(3):
        host.data(values(host, 18))
        host.data(values(host, 15))
        while host.total > host.acked:
            host.levels += [1] * int(host.rng.integers(100))
            size = min(int(host.rng.integers(1, 10)), host.produced - host.acked)
            host.poll(host.acked + size, Kind.RESEND if host.rng.random() < 0.2 else Kind.POLL)
    return host


SESSIONS = (
    wrong_check_sums,
    wrong_headers,
    acknowledgements,
    opened_again,
    sessions_of_all_bits,
    long_records,
    stalls,
)


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions(session: Callable[[], Host]) -> None:
    run(session(), line())


@pytest.mark.parametrize("seed", range(8))
def test_random_sessions(seed: int) -> None:
    run(random_session(seed), line())


@pytest.mark.long
def test_positions_use_all_their_bits() -> None:
    run(long_session(), line())
