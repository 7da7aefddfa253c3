"""The whole link from line to line, compiled: sessions, spoilt bodies, replays and stalls by account."""

from functools import cache

import pytest

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


@cache
def long_session() -> Host:
    """Bytes until a position has had every bit."""
    host = Host(1)
    host.open(7)
    while host.acked <= POSITION_MODULUS // 2 + DEPTH:
        if not host.left:
            host.left = records(5, host.rng.integers(-(1 << 19), 1 << 19, 240).tolist())
        host.data(host.left[:40])
        host.left = host.left[40:]
        host.poll()
    host.poll(host.acked - DEPTH // 2, Kind.RESEND)
    return host


@pytest.mark.parametrize("seed", range(8))
def test_random_sessions(seed: int) -> None:
    run(random_session(seed), line())


@pytest.mark.long
def test_positions_use_all_their_bits() -> None:
    run(long_session(), line())
