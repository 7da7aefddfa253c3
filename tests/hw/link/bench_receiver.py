"""The receiving half of the link against the rules of `docs/link.md`, frame by frame."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from hw.link.protocol import POSITION_MODULUS, Kind
from tests.hw.attention.scenario import UnitBench, scenario

DEPTH = 64  # of the receiver under test
PATIENCE = 40_000  # cycles in which every scenario ends
STROBES = ("opened", "ack", "ident", "status")
UNKNOWN_KIND = 0x55


def sealed(kind: int, session: int, position: int, payload: bytes, length: int | None = None) -> bytes:
    """A body with a valid check sum, whatever its length field says."""
    size = len(payload) if length is None else length
    body = bytes([kind, session]) + position.to_bytes(2, "little") + size.to_bytes(2, "little") + payload
    return body + zlib.crc32(body).to_bytes(4, "little")


def well_formed(body: bytes) -> bool:
    if len(body) < 10 or len(body) != 10 + int.from_bytes(body[4:6], "little"):
        return False
    return zlib.crc32(body[:-4]) == int.from_bytes(body[-4:], "little")


@dataclass
class Rules:
    """What the host may count on, one body after the other."""

    session: int = 0
    expected: int = 0
    bad_frames: int = 0
    dropped_frames: int = 0
    bytes_out: list[int] = field(default_factory=list)

    def judge(self, body: bytes, *, bad: bool, refuse: bool) -> dict[str, int]:
        """Strobes and their values after a body; `bytes_out` are those that it makes readable."""
        said = dict.fromkeys(STROBES, 0)
        self.bytes_out = []
        if bad or not well_formed(body) or (body[0] == Kind.OPEN and body[1] == 0):
            self.bad_frames += 1
            return said | {"status": 1}
        kind, session, position = body[0], body[1], int.from_bytes(body[2:4], "little")
        if kind == Kind.OPEN:
            new = session != self.session
            if new:
                self.session, self.expected, self.bad_frames, self.dropped_frames = session, 0, 0, 0
            return said | {"ident": 1, "opened": int(new)}
        said["status"] = 1
        if session != self.session or self.session == 0:
            self.dropped_frames += 1
        elif kind == Kind.DATA:
            behind = (position - self.expected) % POSITION_MODULUS
            if behind == 0 and not refuse and len(body) - 10 <= DEPTH:
                self.bytes_out = list(body[6:-4])
                self.expected = (self.expected + len(self.bytes_out)) % POSITION_MODULUS
            elif behind < POSITION_MODULUS // 2:
                self.dropped_frames += 1
        elif kind in (Kind.POLL, Kind.RESEND):
            said |= {"ack": 1, "ack_position": position, "rewind": int(kind == Kind.RESEND)}
        return said


class Line:
    """Bodies as the unstuffer delivers them, and what the receiver makes of each."""

    def __init__(self, bench: UnitBench, rng: np.random.Generator) -> None:
        self.bench, self.rules, self._rng = bench, Rules(), rng

    async def step(self, cycles: int) -> None:
        """Cycles in which the receiver has nothing to say."""
        for _ in range(cycles):
            await self.bench.run(1)
            assert self.bench.cycle < PATIENCE, "bytes are missing"
            assert not any(self.bench.get(strobe) for strobe in STROBES)

    async def event(self, **fields: int) -> None:
        """One event, ten cycles or more after the one before; returns at the edge that takes it."""
        await self.step(int(self._rng.integers(9, 12)))
        self.bench.send("i", {name: np.array([value]) for name, value in fields.items()})
        while self.bench.inputs["receiver__i"].queue:
            await self.step(1)

    async def body(self, body: bytes, *, bad: bool = False, refuse: bool = False) -> None:
        """A whole body; its verdict in the cycle after its end, and the counters after that."""
        bench, rules = self.bench, self.rules
        bench.set("refuse", int(refuse))
        for byte in body:
            await self.event(data=byte, end=0, bad=0)
        await self.event(data=0, end=1, bad=int(bad))
        said = rules.judge(body, bad=bad, refuse=refuse)
        await bench.run(1)
        assert {name: bench.get(name) for name in said} == said
        bench.expect("o", np.array(rules.bytes_out, int))
        await self.step(1)
        for name in ("session", "expected", "bad_frames", "dropped_frames"):
            assert bench.get(name) == getattr(rules, name), name

    async def drained(self) -> None:
        """All that was accepted has been read, and all space is free."""
        while self.bench.outputs["receiver__o"].expected:
            await self.step(1)
        await self.step(1)
        assert self.bench.get("limit") == (self.rules.expected + DEPTH) % POSITION_MODULUS

    @property
    def space(self) -> int:
        return (self.bench.get("limit") - self.rules.expected) % POSITION_MODULUS


@scenario("receiver", cut=200)
async def frames(bench: UnitBench, rng: np.random.Generator) -> None:
    """Sessions with good frames, lost ones, repeated ones, ones too large, and ones of other sessions."""
    line = Line(bench, rng)
    for session in (0, 7, 7, 255):
        if session:
            await line.drained()
            await line.body(sealed(Kind.OPEN, session, 0, b""))
        for _ in range(5):
            payload = rng.bytes(int(rng.integers(0, 12)))
            position, kind = line.rules.expected, Kind.DATA
            number = session if rng.random() < 0.8 else int(rng.integers(256))
            choice = rng.integers(8)
            if choice == 0:  # bytes before it are missing, or it has been here
                position = (position + int(rng.choice([-200, -1, 1, 32767, 32768]))) % POSITION_MODULUS
            elif choice == 1:
                payload = rng.bytes(DEPTH + 1)
            elif choice == 2:
                kind, position = rng.choice([Kind.POLL, Kind.RESEND]), int(rng.integers(POSITION_MODULUS))
            elif choice == 3:
                kind = int(rng.choice([UNKNOWN_KIND, Kind.REPLY, 0]))
            if len(payload) <= DEPTH:
                while line.space < len(payload):
                    await line.step(1)
            body = sealed(int(kind), number, position, payload)
            await line.body(body, refuse=bool(rng.random() < 0.1))


@scenario("receiver", cut=200)
async def spoilt_bodies(bench: UnitBench, rng: np.random.Generator) -> None:
    """Each kind of spoilt body is refused as a whole; the next good frame is taken."""
    line = Line(bench, rng)
    await line.body(sealed(Kind.OPEN, 0, 0, b""))
    await line.body(sealed(Kind.OPEN, 9, 0, b""))
    payload = rng.bytes(9)

    def data(length: int | None = None) -> bytes:
        return sealed(Kind.DATA, 9, line.rules.expected, payload, length)

    def flipped(body: bytes) -> bytes:
        place = int(rng.integers(len(body)))
        return body[:place] + bytes([body[place] ^ 1 << int(rng.integers(8))]) + body[place + 1 :]

    spoilt: list[tuple[bytes, bool]] = [
        (data(), True),
        (flipped(data()), False),
        (data()[:-1], False),
        (data()[:3], False),
        (b"", True),
        *((data(length), False) for length in (0, 4, 5, 8, 10, 13, 300)),
    ]
    for body, bad in spoilt:
        before = line.rules.bad_frames
        await line.body(body, bad=bad)
        assert line.rules.bad_frames == before + 1
    await line.body(data())
    await line.drained()
