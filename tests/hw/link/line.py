"""A component behind the link, from line to line, in the compiled RTL: a host that knows what will come.

The host sends bodies, good and spoilt, each after the answers to the one before, and keeps account by the
rules of `docs/link.md`. So all that it sends is known before the run; what comes back is compared afterwards.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hw.link.link import Link
from hw.link.protocol import (
    ESCAPE,
    ESCAPE_XOR,
    FLAG,
    POSITION_MODULUS,
    Deframer,
    Frame,
    Kind,
    Status,
    distance,
)
from sim.verilator.simulator import Simulator
from tests.hw.link.bench_receiver import DEPTH, Rules, sealed
from tests.hw.link.linked import Linked
from tests.sim.board.standin import StandIn, split

DIVISOR, IDENT, FRAME_BYTES = 4, b"two streams", DEPTH // 2
# Cycles in which the board has answered, and all that it has to send has come
SILENCE = 6000
# From the end of a body to the start bit of its answer, in cycles: a STATUS, one behind an acknowledgement,
# an IDENT, and that of a new session, which resets what makes it. No contract of the link: where one of its
# registers moves these do
ANSWER, ACKNOWLEDGED, IDENTIFIED, OPENED = 7, 11, 8, 17


class Line(wiring.Component):
    """The stand-in for a core behind the link; a level of the line in every cycle, in and out."""

    i: In(stream.Signature(1, always_valid=True, always_ready=True))
    o: Out(
        stream.Signature(
            data.StructLayout({"tx": 1, "open": 1, "fault": 1}), always_valid=True, always_ready=True
        )
    )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        link = Link(StandIn(), ident=IDENT, divisor=DIVISOR, receive_depth=DEPTH, transmit_depth=DEPTH)
        m.submodules.linked = linked = Linked(link)
        m.d.comb += linked.rx.eq(self.i.payload)
        m.d.comb += [getattr(self.o.p, name).eq(getattr(linked, name)) for name in ("tx", "open", "fault")]
        return m


def stuffed(body: bytes) -> bytes:
    """A body on the line, without flags."""
    parts = ([ESCAPE, byte ^ ESCAPE_XOR] if byte in (ESCAPE, FLAG) else [byte] for byte in body)
    return bytes(byte for part in parts for byte in part)


def heard(levels: NDArray[np.int64]) -> tuple[list[tuple[int, Frame]], list[int]]:
    """Frames on a line of levels, each with the cycle in which it ended; cycles in which bytes begin that do
    not follow another one without a gap."""
    deframer, frames, begins, at = Deframer(), [], list[int](), -1
    falls = np.flatnonzero(np.diff(levels, prepend=1) < 0)
    while (n := np.searchsorted(falls, at)) < len(falls):
        middles = falls[n] + DIVISOR // 2 + DIVISOR * np.arange(10)
        bits = levels[middles]
        assert bits[0] == 0
        assert bits[9] == 1, "byte without stop bit"
        begins += [int(falls[n])] if falls[n] > at + 1 or not begins else []
        at = falls[n] + 10 * DIVISOR - 1
        byte = int(bits[1:9] @ (1 << np.arange(8)))
        frames += [(int(at), frame) for frame in deframer.feed(bytes([byte]))]
    assert deframer.bad_frames == 0
    return frames, begins


@lru_cache(maxsize=64)
def answers(taken: bytes) -> tuple[list[int], list[int], bool]:
    """Beats of both outputs of the stand-in to bytes of records, and whether a record is not understood."""
    sums: list[int] = []
    codes: list[int] = []
    offset = at = 0
    while at + 1 < len(taken) or (at < len(taken) and taken[at] > 1):
        channel = taken[at]
        if channel > 1:
            return sums, codes, True
        size, end = (2, 3)[channel], at + 2 + (2, 3)[channel] * (taken[at + 1] + 1)
        for first in range(at + 2, min(end, len(taken) - size + 1), size):
            beat = int.from_bytes(taken[first : first + size], "little")
            if channel == 0:
                offset = (beat & 0xFFF) - ((beat & 0x800) << 1)
            else:
                value = (beat & 0xFFFFF) - ((beat & 0x80000) << 1)
                sums.append((value + offset) & 0x1FFFFF | (beat >> 20 & 1) << 21)
                codes.append((value + offset) & 31)
        at = end
    return sums, codes, False


@dataclass(frozen=True, kw_only=True)
class Step:
    """What has come when the answers to a body are over.

    Attributes:
        begins: cycle in which the first one begins; from there on bytes follow each other without a gap.
        until: cycle after the last one.
        bodies: that are answered together.
        idents: IDENT frames.
        states: STATUS frames, at least and at most.
        status: what the last of them says; `limit` counts if `limit_known`.
        position, session: of every STATUS.
        resend: position from which on REPLY frames come once more; None: they go on.
        taken: bytes that the board has taken in this session.
    """

    begins: int
    until: int
    bodies: int
    idents: int
    states: tuple[int, int]
    status: Status
    limit_known: bool
    position: int
    session: int
    resend: int | None
    taken: bytes


# What a session begins with
NOTHING = Status(limit=DEPTH, produced=0, bad_frames=0, dropped_frames=0, fault=False)


class Host:
    """Draws what to send, and keeps account of what the board must say.

    Attributes:
        levels: of the line, cycle by cycle.
        steps: what is expected, in order.
    """

    def __init__(self, seed: int) -> None:
        self.rng, self.rules = np.random.default_rng(seed), Rules()
        self.levels: list[int] = [1] * 50
        self.steps: list[Step] = []
        self._waiting = 0
        self._begin()

    def _begin(self) -> None:
        self.taken, self.left, self.acked = b"", b"", 0

    @property
    def total(self) -> int:
        """Bytes that the taken records are answered with."""
        return 4 * len(answers(self.taken)[0])

    @property
    def produced(self) -> int:
        return min(self.total, self.acked + DEPTH)

    @property
    def stalled(self) -> bool:
        return self.total > self.acked + DEPTH

    def _byte(self, byte: int, stop: int = 1) -> None:
        for level in (0, *(byte >> n & 1 for n in range(8)), stop, *([] if stop else [1])):
            self.levels += [level] * DIVISOR

    def body(self, body: bytes, *, spoil: str = "", wait: bool = True) -> None:
        """Send a body and wait; `spoil` names what happens to it on the line. Without `wait` the next one
        follows at once: such a body acknowledges and opens nothing."""
        line, broken = stuffed(body), -1
        if spoil == "dangling":
            line += bytes([ESCAPE])
        elif spoil == "doubled":
            line = line.replace(bytes([ESCAPE]), bytes([ESCAPE] * 2), 1)
            spoil = spoil if bytes([ESCAPE] * 2) in line else ""
        elif spoil == "stop":
            broken = int(self.rng.integers(len(line)))
            spoil = "" if line[broken] in (FLAG, ESCAPE) else spoil
            broken = broken if spoil else -1
        elif spoil == "extra":  # a byte without stop bit between two good ones
            line, broken = line[:1] + b"\0" + line[1:], 1
        elif spoil == "glitch":
            self.levels += [0] + [1] * DIVISOR * 3
            spoil = ""
        self._byte(FLAG)
        for number, byte in enumerate(line):
            self._byte(byte, stop=int(number != broken))
            self.levels += [1] * int(self.rng.choice([0, 0, 0, 1, 7]))
        self._byte(FLAG)
        said = self.rules.judge(body, bad=bool(spoil), refuse=answers(self.taken)[2])
        if said["opened"]:
            self._begin()
        self.taken += bytes(self.rules.bytes_out)
        resend = None
        if said["ack"]:
            ahead = distance(self.acked, said["ack_position"])
            if ahead <= self.produced - self.acked:
                if said["rewind"]:
                    resend = self.acked + ahead
                self.acked += ahead
        self._waiting += 1
        if not wait:
            assert not said["ack"] | said["ident"]
            return
        answer = OPENED if said["opened"] else IDENTIFIED if said["ident"] else ANSWER
        begins = len(self.levels) + (ACKNOWLEDGED if said["ack"] else answer)
        self.levels += [1] * SILENCE
        bodies, self._waiting = self._waiting, 0
        fault = answers(self.taken)[2]
        self.steps.append(
            Step(
                begins=begins,
                until=len(self.levels),
                bodies=bodies,
                idents=said["ident"],
                # Another one may say that half of the store has become free
                states=(0, 1) if said["ident"] else (1, 1 + 2 * bodies),
                status=Status(
                    limit=(self.rules.expected + DEPTH) % POSITION_MODULUS,
                    produced=self.produced % POSITION_MODULUS,
                    bad_frames=self.rules.bad_frames % 256,
                    dropped_frames=self.rules.dropped_frames % 256,
                    fault=fault,
                ),
                limit_known=not self.stalled and not fault,
                position=self.rules.expected,
                session=self.rules.session,
                resend=resend,
                taken=self.taken,
            )
        )

    def poll(self, position: int | None = None, kind: Kind = Kind.POLL) -> None:
        at = self.produced if position is None else position
        self.body(sealed(kind, self.rules.session, at % POSITION_MODULUS, b""))

    def open(self, session: int) -> None:
        self.body(sealed(Kind.OPEN, session, 0, b""))

    def data(self, payload: bytes) -> None:
        self.body(sealed(Kind.DATA, self.rules.session, self.rules.expected, payload))


def compare(host: Host, words: dict[str, NDArray[Any]]) -> None:
    """What came back with what the host expects.

    Raises:
        AssertionError: something differs.
    """
    frames, begins = heard(words["tx"])
    got, following, session, at, before = b"", 0, 0, 0, NOTHING
    for number, (step, next_step) in enumerate(zip(host.steps, [*host.steps[1:], None], strict=True)):
        here: dict[Kind, list[Frame]] = {kind: [] for kind in (Kind.IDENT, Kind.STATUS, Kind.REPLY)}
        while at < len(frames) and frames[at][0] < step.until:
            here[frames[at][1].kind].append(frames[at][1])
            assert frames[at][1].session == step.session, f"body {number}: session"
            at += 1
        here_begin = [begin for begin in begins if begin < step.until]
        begins = begins[len(here_begin) :]
        # Of several bodies the first ones are answered while the others come
        assert step.bodies > 1 or here_begin == [step.begins], f"body {number}: begins at {here_begin}"
        if step.session != session:
            session, got, following = step.session, b"", 0
            before = NOTHING
        idents = [(frame.position, frame.payload) for frame in here[Kind.IDENT]]
        assert idents == [(step.position, IDENT)] * step.idents, f"body {number}: {idents}"
        _check_states(step, here[Kind.STATUS], before, f"body {number}")
        before = step.status
        following = following if step.resend is None else step.resend
        for frame in here[Kind.REPLY]:
            end = following + len(frame.payload)
            assert 1 <= len(frame.payload) <= FRAME_BYTES
            assert frame.position == following % POSITION_MODULUS, f"body {number}: REPLY at {frame.position}"
            got = got + frame.payload[len(got) - following :]
            assert frame.payload == got[following:end], f"body {number}: other bytes at {following}"
            following = end
        assert following % POSITION_MODULUS == step.status.produced, f"body {number}: {following} bytes came"
        *beats, fault = answers(step.taken)
        if next_step is None or next_step.session != session:  # all that came in a session
            # a value is answered by four bytes, of which a store may have had room for some
            for found, want in zip(split(got[: len(got) // 4 * 4]), beats, strict=True):
                assert found == want[: len(found)], f"body {number}: answers"
        state = {name: int(words[name][step.until - 1]) for name in ("open", "fault")}
        assert state == {"open": int(session != 0), "fault": int(fault)}, f"body {number}: {state}"


def _check_states(step: Step, states: list[Frame], before: Status, where: str) -> None:
    assert step.states[0] <= len(states) <= step.states[1], f"{where}: {len(states)} STATUS frames"
    for frame in states if step.bodies == 1 else states[-1:]:
        status = Status.from_bytes(frame.payload)
        assert frame.position == step.position, f"{where}: position {frame.position}"
        for name in ("bad_frames", "dropped_frames"):
            assert getattr(status, name) == getattr(step.status, name), f"{where}: {name} of {status}"
        assert status.fault in (before.fault, step.status.fault), f"{where}: fault of {status}"
        new = distance(before.produced, step.status.produced)
        assert distance(before.produced, status.produced) <= new, f"{where}: produced of {status}"
    if states and step.limit_known:
        # Less than half of the store has become free since
        assert distance(status.limit, step.status.limit) < DEPTH // 2, f"{where}: {status}"


def run(host: Host, simulator: Simulator) -> None:
    """All that a host has to send, on a compiled `Line`."""
    levels = np.array(host.levels)
    result = simulator.run({"i": levels}, {"o": len(levels)}, drain=0)
    compare(host, result["o"])
