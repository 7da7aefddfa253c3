"""Drivers, monitors and scoreboard of every stream of a component; runs inside the simulator.

    @cocotb.test()
    @PACES
    async def equals_golden(dut, idle, backpressure):
        async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
            bench.send("i", fields)
            bench.expect("o", golden(fields))

Leaving the block waits until all is sent and received. Cycle n is what is sampled at clock edge n;
edge 0 is the first after reset.
"""

import os
import random
from collections import deque
from pathlib import Path
from types import TracebackType

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import RisingEdge, Timer

from hw.export.verilog import Manifest, StreamPort
from sim.verilator.payload import Fields, pack, unpack, word_count

PERIOD = 10  # ns
STALL = 2000  # cycles without a transfer after which a bench gives up
DRAIN = 30  # cycles after the last transfer in which no other may follow
PACES = cocotb.parametrize(idle=[0.0, 0.4], backpressure=[0.0, 0.4])


class Divergence(AssertionError):
    """The first thing that was not as expected, in one line."""


def payloads(port: StreamPort, fields: Fields) -> list[int]:
    """Fields as the numbers that travel over a stream."""
    words = pack(port.layout, fields, port.name)
    return [int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words]


def fields_of(port: StreamPort, numbers: list[int]) -> Fields:
    """Inverse of `payloads`."""
    size = word_count(port.layout)
    rows = [np.frombuffer(number.to_bytes(4 * size, "little"), "<u4") for number in numbers]
    return unpack(port.layout, np.array(rows, np.uint32).reshape(-1, size))


def difference(got: Fields, want: Fields, name: str = "payload") -> str:
    """First field in which two lists of payloads differ, with both values; empty if none does."""
    if isinstance(want, dict):
        parts = (
            difference(got[key], want[key], key if name == "payload" else f"{name}.{key}") for key in want
        )
        return next(filter(None, parts), "")
    for index in np.argwhere(np.asarray(got) != np.asarray(want))[:1]:
        element = "".join(f"[{n}]" for n in index[1:])
        return f"field {name}{element}: {got[tuple(index)]}, expected {want[tuple(index)]}"
    return ""


class Driver:
    """Sends beats over an input stream; with probability `idle` waits a cycle before offering one."""

    def __init__(self, dut: SimHandleBase, port: StreamPort, idle: float) -> None:
        self._port = port
        self._payload = getattr(dut, f"{port.name}__payload") if port.width else None
        self._valid = None if port.always_valid else getattr(dut, f"{port.name}__valid")
        self._ready = None if port.always_ready else getattr(dut, f"{port.name}__ready")
        self._idle = 0.0 if port.always_valid else idle
        self._random = random.Random(f"{cocotb.RANDOM_SEED} {port.name}")
        self._noise = (1 << port.width) - 1
        self.clear()

    def clear(self) -> None:
        """Forget what is queued; offer nothing."""
        self.queue: deque[int] = deque()
        self.accepted: list[int] = []
        self._offered = False
        self._apply(self._noise)

    def _apply(self, payload: int) -> None:
        if self._payload is not None:
            self._payload.value = payload
        if self._valid is not None:
            self._valid.value = self._offered

    def drive(self) -> None:
        """Values for the coming edge. A payload that is not offered is all ones."""
        if self._offered or not self.queue or self._random.random() < self._idle:
            return
        self._offered = True
        self._apply(self.queue[0])

    def sample(self, cycle: int) -> bool:
        """Whether a beat passed at this edge."""
        if not self._offered or not (self._ready is None or int(self._ready.value)):
            return False
        self.queue.popleft()
        self.accepted.append(cycle)
        self._offered = False
        if not self._port.always_valid:
            self._apply(self._noise)
        return True

    @property
    def waiting(self) -> str:
        return f"{self._port.name} ({len(self.queue)} beats not accepted)" if self.queue else ""


class Monitor:
    """Receives beats from an output stream and compares each with the next expected one.

    With probability `backpressure` it is not ready in a cycle.
    """

    def __init__(self, dut: SimHandleBase, port: StreamPort, backpressure: float) -> None:
        self._port = port
        self._payload = getattr(dut, f"{port.name}__payload") if port.width else None
        self._valid = None if port.always_valid else getattr(dut, f"{port.name}__valid")
        self._ready = None if port.always_ready else getattr(dut, f"{port.name}__ready")
        self.backpressure = backpressure
        self._random = random.Random(f"{cocotb.RANDOM_SEED} {port.name}")
        self.clear()

    def clear(self) -> None:
        """Forget what was expected and received."""
        self.expected: deque[int] = deque()
        self.received: list[int] = []
        self.cycles: list[int] = []
        self._held: int | None = None
        self._open = True
        if self._ready is not None:
            self._ready.value = 0
            self._open = False

    @property
    def fields(self) -> Fields:
        """What was received since the last reset."""
        return fields_of(self._port, self.received)

    def drive(self) -> None:
        if self._ready is not None:
            self._open = self._random.random() >= self.backpressure
            self._ready.value = self._open

    def sample(self, cycle: int) -> bool:
        """Whether a beat passed at this edge; checked against the scoreboard."""
        offered = self._valid is None or bool(int(self._valid.value))
        payload = int(self._payload.value.to_unsigned()) if offered and self._payload is not None else 0
        where = f"cycle {cycle}, stream {self._port.name}, beat {len(self.received)}"
        if self._held is not None:
            if not offered:
                raise Divergence(f"{where}: withdrawn before it was accepted")
            if payload != self._held:
                raise Divergence(f"{where}: changed before it was accepted")
        self._held = payload if offered and not self._open and self._valid is not None else None
        if not offered or not self._open:
            return False
        if not self.expected:
            if self._valid is not None:
                raise Divergence(f"{where}: not expected")
            return False
        self._compare(payload, self.expected.popleft(), where)
        self.received.append(payload)
        self.cycles.append(cycle)
        return True

    def _compare(self, got: int, want: int, where: str) -> None:
        if got != want:
            text = difference(fields_of(self._port, [got]), fields_of(self._port, [want]))
            raise Divergence(f"{where}, {text}")

    @property
    def waiting(self) -> str:
        return f"{self._port.name} ({len(self.expected)} beats missing)" if self.expected else ""


class Bench:
    """A component with a driver or a monitor at every stream, and a clock.

    Attributes:
        manifest: of the component; `parameters` are those given to the launcher.
        inputs: drivers by stream.
        outputs: monitors by stream.
        cycle: number of the next edge.
    """

    def __init__(self, dut: SimHandleBase, *, idle: float = 0.0, backpressure: float = 0.0) -> None:
        self.dut = dut
        self.manifest = Manifest.from_json(Path(os.environ["BENCH_MANIFEST"]).read_text())
        streams = self.manifest.streams
        self.inputs = {s.name: Driver(dut, s, idle) for s in streams if s.direction == "in"}
        self.outputs = {s.name: Monitor(dut, s, backpressure) for s in streams if s.direction == "out"}
        self.cycle = 0

    def send(self, stream: str, fields: Fields) -> None:
        """Queue beats for an input stream."""
        self.inputs[stream].queue.extend(payloads(self.manifest.stream(stream), fields))

    def expect(self, stream: str, fields: Fields) -> None:
        """Queue beats that an output stream must deliver next."""
        self.outputs[stream].expected.extend(payloads(self.manifest.stream(stream), fields))

    async def run(self, cycles: int) -> None:
        """Let clock edges pass."""
        for _ in range(cycles):
            await self._edge()

    async def finish(self) -> None:
        """Wait until all is sent and received, and see that nothing else comes."""
        quiet = 0
        while quiet < DRAIN or self._waiting():
            moved = await self._edge()
            quiet = 0 if moved else quiet + 1
            if quiet == STALL:
                raise Divergence(f"cycle {self.cycle}: no transfer for {STALL} cycles; {self._waiting()}")

    async def reset(self) -> None:
        """Pulse reset for one cycle; forget what is queued, expected and received."""
        for stream in (*self.inputs.values(), *self.outputs.values()):
            stream.clear()
        if self.manifest.reset:
            reset = getattr(self.dut, self.manifest.reset)
            reset.value = 1
            await self._tick()
            reset.value = 0
        self.cycle = 0

    def _waiting(self) -> str:
        return ", ".join(filter(None, (s.waiting for s in (*self.inputs.values(), *self.outputs.values()))))

    async def _tick(self) -> None:
        clock = self.manifest.clock
        await (RisingEdge(getattr(self.dut, clock)) if clock else Timer(PERIOD, "ns"))

    async def _edge(self) -> bool:
        """One clock edge: registers still show what was there before it. Whether any beat passed."""
        streams = (*self.inputs.values(), *self.outputs.values())
        for stream in streams:
            stream.drive()
        await self._tick()
        moved = [stream.sample(self.cycle) for stream in streams]
        self.cycle += 1
        return any(moved)

    async def __aenter__(self) -> "Bench":
        for port in self.manifest.ports:
            if port.direction == "in":
                getattr(self.dut, port.name).value = 0
        if self.manifest.clock:
            Clock(getattr(self.dut, self.manifest.clock), PERIOD, unit="ns").start()
        await self.reset()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.finish()
