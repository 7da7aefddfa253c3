"""The transmitting half of the link, driven and read as a host would."""

from collections import deque
from typing import Any

import numpy as np

from hw.link.protocol import Frame, Kind, Status, parse_body
from tests.hw.attention.scenario import UnitBench, scenario
from tests.hw.cocotb.streams import Monitor

DEPTH, FRAME_BYTES, IDENT = 64, 32, b"identification of a bench"
LIMIT, EXPECTED = 0x1234, 0xABCD
PATIENCE = 40_000  # cycles in which every scenario ends
PLAIN = {
    "session": 5, "expected": EXPECTED, "limit": LIMIT, "bad_frames": 3, "dropped_frames": 250, "fault": 1,
}  # fmt: skip


class Listener(Monitor):
    """Takes whatever is offered, so long as it keeps still until it is taken."""

    def sample(self, cycle: int) -> bool:
        if int(self._valid.value):
            self.expected = deque([int(self._payload.value.to_unsigned())])
        moved = super().sample(cycle)
        self.expected.clear()
        return moved


class Host:
    """Frames that have come, each checked on arrival.

    Attributes:
        got: bytes of the stream so far.
        frames: all frames.
    """

    def __init__(self, bench: UnitBench, data: bytes) -> None:
        port = bench.manifest.stream("transmitter__o")
        pace = bench.outputs["transmitter__o"].backpressure
        self.listener = bench.outputs["transmitter__o"] = Listener(bench.dut, port, pace)
        self.bench, self.data = bench, data
        self.got = bytearray()
        self.frames: list[Frame] = []
        self._read = 0
        self._next = 0
        self._targets: set[int] = set()  # positions that were asked for again
        for name, value in PLAIN.items():
            bench.set(name, value)

    async def run(self, cycles: int) -> None:
        for _ in range(cycles):
            await self.bench.run(1)
            assert self.bench.cycle < PATIENCE, f"{len(self.frames)} frames, {len(self.got)} bytes"
            self._listen()

    async def strobe(self, *names: str, **values: int) -> None:
        """Strobes for one cycle, with the values that go with them."""
        for name, value in {**values, **dict.fromkeys(names, 1)}.items():
            self.bench.set(name, value)
        # An acknowledgement after a rewind may come into effect together with it
        if "ack" in names and (values["rewind"] or self._targets):
            self._targets.add(values["ack_position"])
        await self.run(1)
        for name in names:
            self.bench.set(name, 0)

    def _listen(self) -> None:
        """Cut what has come into frames."""
        port = self.listener
        ends = [n for n in range(self._read, len(port.received)) if port.received[n] >> 8]
        if len(ends) < 2:
            return
        first, last = ends[:2]
        assert first == self._read, "bytes between two frames"
        body = bytes(beat & 255 for beat in port.received[first + 1 : last])
        frame = parse_body(body)
        assert frame is not None, body.hex(" ")
        self._read = last + 1
        self._check(frame)
        self.frames.append(frame)

    def _check(self, frame: Frame) -> None:
        assert frame.session == PLAIN["session"]
        if frame.kind == Kind.REPLY:
            self._check_reply(frame)
            return
        assert frame.position == EXPECTED
        if frame.kind == Kind.IDENT:
            assert frame.payload == IDENT
        else:
            status = Status.from_bytes(frame.payload)
            assert (status.limit, status.bad_frames, status.dropped_frames) == (LIMIT, 3, 250)
            assert status.fault
            assert len(self.got) <= status.produced <= len(self.data)

    def _check_reply(self, frame: Frame) -> None:
        assert 1 <= len(frame.payload) <= FRAME_BYTES
        assert frame.position == self._next or frame.position in self._targets
        self._next = frame.position
        self._next += len(frame.payload)
        assert frame.payload == self.data[frame.position : self._next]
        self.got += frame.payload[max(0, len(self.got) - frame.position) :]

    async def frames_come(self, count: int) -> None:
        while len(self.frames) < count:
            await self.run(1)


def stream_of(data: bytes) -> Any:
    return np.frombuffer(data, np.uint8)


@scenario("transmitter", cut=200)
async def every_byte_arrives(bench: UnitBench, rng: np.random.Generator) -> None:
    """Random acknowledgements, rewinds, IDENT and STATUS between the bytes of a stream."""
    data = rng.bytes(100)
    host = Host(bench, data)
    bench.send("i", stream_of(data))
    acked = 0
    while len(host.got) < len(data):
        await host.run(int(rng.integers(1, 400)))
        choice = rng.integers(10)
        if choice < 2:
            await host.strobe("send_ident" if choice else "send_status")
        else:
            acked = int(rng.integers(acked, len(host.got) + 1))
            await host.strobe("ack", ack_position=acked, rewind=int(choice == 2))
    assert host.got == data


@scenario("transmitter", cut=200)
async def what_is_due_goes_out_in_order(bench: UnitBench, rng: np.random.Generator) -> None:
    """While a frame goes out: IDENT, one STATUS for two strobes, then the bytes, from a position asked for
    by RESEND that a POLL after it does not take back.
    """
    data = rng.bytes(40)
    host = Host(bench, data)
    bench.send("i", stream_of(data))
    while len(host.got) < len(data):
        await host.run(1)
    came = len(host.frames)
    # Nothing is due: nothing comes
    await host.run(100)
    assert len(host.frames) == came
    await host.strobe("send_ident")
    await host.run(30)
    await host.strobe("send_status")
    await host.strobe("ack", ack_position=3, rewind=1)
    await host.run(int(rng.integers(0, 3)))
    await host.strobe("send_status", "ack", ack_position=5, rewind=0)
    await host.frames_come(came + 4)
    assert [frame.kind for frame in host.frames[came:]] == [Kind.IDENT, Kind.STATUS, Kind.REPLY, Kind.REPLY]
    first, second = host.frames[-2:]
    assert (first.position, first.payload + second.payload) == (5, data[5:])
    # A POLL alone repeats nothing, and what it acknowledges is gone: a position before it is refused
    await host.strobe("ack", ack_position=20, rewind=0)
    await host.run(300)
    await host.strobe("ack", ack_position=19, rewind=0)
    await host.run(300)
    assert len(host.frames) == came + 4
