"""A component behind the whole link, from the serial line to the serial line."""

from collections import deque

import cocotb
import numpy as np

from hw.link.protocol import ESCAPE, FLAG, Deframer, Frame, Kind, Status, encode_frame
from tests.hw.attention.scenario import UnitBench

DIVISOR, DEPTH, IDENT = 4, 64, b"a sum"
ANSWER = 4000  # cycles within which the board must have answered


class Terminal:
    """Host's end of the line: ten bits a byte, lowest first, as `docs/link.md` has it."""

    def __init__(self, bench: UnitBench) -> None:
        self.bench = bench
        self._levels: deque[int] = deque()
        self._bits: list[int] | None = None
        self._wait = 0
        self._deframer = Deframer()
        self.frames: deque[Frame] = deque()
        bench.set("rx", 1)

    def send(self, line: bytes) -> None:
        for byte in line:
            for level in (0, *(byte >> n & 1 for n in range(8)), 1):
                self._levels += [level] * DIVISOR

    async def run(self, cycles: int = 1) -> None:
        for _ in range(cycles):
            self.bench.set("rx", self._levels.popleft() if self._levels else 1)
            await self.bench.run(1)
            self._listen(self.bench.get("tx"))

    def _listen(self, level: int) -> None:
        if self._bits is None:
            if level == 0:
                self._bits, self._wait = [], DIVISOR + DIVISOR // 2
            return
        self._wait -= 1
        if self._wait:
            return
        self._bits.append(level)
        self._wait = DIVISOR
        if len(self._bits) == 9:
            assert self._bits[8] == 1, "byte without stop bit"
            byte = sum(bit << n for n, bit in enumerate(self._bits[:8]))
            self.frames += self._deframer.feed(bytes([byte]))
            assert self._deframer.bad_frames == 0
            self._bits = None

    async def quiet(self, cycles: int = 1000) -> None:
        """All is sent, and nothing comes."""
        while self._levels:
            await self.run()
        await self.run(cycles)
        assert not self.frames

    async def receive(self, kind: Kind) -> Frame:
        """The next frame, which must be of this kind."""
        left = ANSWER
        while not self.frames:
            await self.run()
            left -= not self._levels
            assert left, f"no {kind.name}"
        frame = self.frames.popleft()
        assert frame.kind == kind, frame
        return frame

    async def status(self) -> tuple[Status, int]:
        """STATUS, and the position of the next byte that the board wants."""
        frame = await self.receive(Kind.STATUS)
        return Status.from_bytes(frame.payload), frame.position

    async def open(self, session: int) -> None:
        self.send(encode_frame(Frame(Kind.OPEN, session, 0)))
        frame = await self.receive(Kind.IDENT)
        assert (frame.session, frame.position, frame.payload) == (session, 0, IDENT)
        assert self.bench.get("open")


def record(values: np.ndarray) -> bytes:
    """One record of the only channel: sums begin anew with the first value; 5 bits signed, bit 0 first."""
    beats = [int(n == 0) | (int(value) & 31) << 1 for n, value in enumerate(values)]
    return bytes([0, len(beats) - 1, *beats])


def sums(values: np.ndarray) -> bytes:
    return b"".join((int(total) & 0x1FFF).to_bytes(2, "little") for total in np.cumsum(values))


def begin(dut: object) -> tuple[UnitBench, np.random.Generator]:
    return UnitBench(dut, "linked"), np.random.default_rng(cocotb.RANDOM_SEED)


@cocotb.test()
async def sessions(dut: object) -> None:
    """Jobs of two sessions; the second begins while bytes of the first wait for acknowledgement."""
    bench, rng = begin(dut)
    async with bench:
        line = Terminal(bench)
        await line.quiet()
        for session in (3, 4):
            await line.open(session)
            values = rng.integers(-16, 16, 9)
            line.send(encode_frame(Frame(Kind.DATA, session, 0, record(values))))
            status, wanted = await line.status()
            assert (wanted, status.bad_frames, status.dropped_frames, status.fault) == (11, 0, 0, False)
            got = b""
            while len(got) < 18:
                frame = await line.receive(Kind.REPLY)
                assert frame.position == len(got)
                got += frame.payload
            assert got == sums(values)
        # Bytes that are not acknowledged can be had again, and a POLL on its heels takes nothing back
        line.send(encode_frame(Frame(Kind.RESEND, 4, 4)))
        await line.status()
        frame = await line.receive(Kind.REPLY)
        assert (frame.position, frame.payload) == (4, got[4:])
        line.send(encode_frame(Frame(Kind.POLL, 4, 18)))
        await line.status()
        await line.quiet()
        # What would be a record of a channel that is not there stops the component until it is opened anew
        line.send(encode_frame(Frame(Kind.DATA, 4, 11, bytes([1, 0, 0]))))
        await line.status()
        await line.run(100)
        line.send(encode_frame(Frame(Kind.DATA, 4, 14, record(values))))
        status, wanted = await line.status()
        assert (wanted, status.dropped_frames, status.fault) == (14, 1, True)
        await line.open(5)
        assert not bench.get("fault")


@cocotb.test()
async def nothing_before_open(dut: object) -> None:
    """Frames of any session, 0 among them, reach no component before the first OPEN."""
    bench, rng = begin(dut)
    async with bench:
        line = Terminal(bench)
        values = rng.integers(-16, 16, 3)
        for dropped, session in enumerate((0, 1, 255), start=1):
            line.send(encode_frame(Frame(Kind.DATA, session, 0, record(values))))
            status, wanted = await line.status()
            assert (wanted, status.produced, status.dropped_frames) == (0, 0, dropped)
            assert not bench.get("open")
        await line.quiet()
        await line.open(1)


@cocotb.test()
async def doubled_escape(dut: object) -> None:
    """An escape that escapes an escape spoils its body, even where the check sum would be right."""
    bench, _ = begin(dut)
    async with bench:
        line = Terminal(bench)
        await line.open(2)
        good = encode_frame(Frame(Kind.DATA, 2, 0, bytes([FLAG])))
        for count, body in enumerate(
            (good.replace(bytes([ESCAPE]), bytes([ESCAPE] * 2)), good[:-1] + b"\x7d\x7e")
        ):
            line.send(body)
            status, wanted = await line.status()
            assert (wanted, status.bad_frames) == (0, count + 1)
        line.send(good)
        assert (await line.status())[1] == 1
