"""The IP behind cocotbext-axi's sources and sinks, with pauses on both sides, against golden."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from golden.attention.config import from_table
from golden.attention.job import AttentionJob
from hw.export.axi import AxiManifest, AxiPort
from sim.cores.attention.axi_bench import output_fields
from sim.cores.attention.driver import input_beats
from sim.verilator.payload import Fields, pack
from tests.hw.attention.core_cases import random_job
from tests.hw.export.axi_bus import watch_rules

PERIOD = 10  # ns
TIMEOUT = 20_000_000  # ns
JOBS = 2
PACES = cocotb.parametrize((("idle", "backpressure"), [(0.0, 0.0), (0.5, 0.0), (0.2, 0.7)]))


def beats(port: AxiPort, fields: Fields) -> list[bytes]:
    """tdata of each beat; the spare top bits on the way in are ones, to show that nobody looks at them."""
    inner = {name: value for name, value in fields.items() if name != "last"} if port.tlast else fields
    words = pack(port.layout, inner, port.name)
    spare = -1 << port.layout["width"] if port.direction == "in" else 0
    mask = (1 << 8 * port.tdata_bytes) - 1
    numbers = (int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words)
    return [((number | spare) & mask).to_bytes(port.tdata_bytes, "little") for number in numbers]


def frames(port: AxiPort, fields: Fields) -> list[bytes]:
    """What travels up to each tlast; one beat each where there is no tlast."""
    found, frame = [], b""
    ends = fields["last"] if port.tlast else None
    for index, beat in enumerate(beats(port, fields)):
        frame += beat
        if ends is None or ends[index]:
            found.append(frame)
            frame = b""
    assert not frame, "the last beat must have tlast"
    return found


def masked(stream: str, frame: bytes) -> bytes:
    """A frame with sign and phase of silent spikes, which mean nothing, at 0."""
    return bytes(byte if byte & 1 else 0 for byte in frame) if stream == "o_code" else frame


def pauses(rate: float, name: str) -> Iterator[bool]:
    rng = random.Random(f"{cocotb.RANDOM_SEED} {name}")
    while True:
        yield rng.random() < rate


class Bench:
    """The IP with a source or a sink at every port."""

    def __init__(self, dut: Any, idle: float, backpressure: float) -> None:
        self.dut = dut
        self.manifest = AxiManifest.from_json(Path(os.environ["BENCH_MANIFEST"]).read_text())
        self.config = from_table(dict(self.manifest.parameters), "manifest")
        self.sources: dict[str, AxiStreamSource] = {}
        self.sinks: dict[str, AxiStreamSink] = {}
        self.ports = {port.stream: port for port in self.manifest.streams}
        for port in self.manifest.streams:
            bus = AxiStreamBus.from_prefix(dut, port.name)
            inward = port.direction == "in"
            kind = AxiStreamSource if inward else AxiStreamSink
            end = kind(bus, dut.aclk, dut.aresetn, reset_active_level=False)
            (self.sources if inward else self.sinks)[port.stream] = end
            if rate := idle if inward else backpressure:
                end.set_pause_generator(pauses(rate, port.name))
            if not inward:
                cocotb.start_soon(watch_rules(dut, port))

    @classmethod
    async def start(cls, dut: Any, idle: float, backpressure: float) -> "Bench":
        """A bench after reset. Sources and sinks first look at ports that have been in reset."""
        Clock(dut.aclk, PERIOD, unit="ns").start()
        dut.aresetn.value = 0
        for port in AxiManifest.from_json(Path(os.environ["BENCH_MANIFEST"]).read_text()).streams:
            getattr(dut, f"{port.name}_{'tvalid' if port.direction == 'in' else 'tready'}").value = 0
        await ClockCycles(dut.aclk, 2)
        bench = cls(dut, idle, backpressure)
        await bench.reset()
        return bench

    async def reset(self) -> None:
        self.dut.aresetn.value = 0
        for _ in range(4):
            await RisingEdge(self.dut.aclk)
        for end in (*self.sources.values(), *self.sinks.values()):
            end.clear()
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)

    def send(self, job: AttentionJob) -> None:
        for stream, fields in input_beats(job, self.config).items():
            port = self.ports[stream]
            for frame in frames(port, fields):
                self.sources[stream].send_nowait(AxiStreamFrame(frame))

    async def receive(self, job: AttentionJob) -> None:
        for stream, fields in output_fields(job, self.config).items():
            for number, want in enumerate(frames(self.ports[stream], fields)):
                got = bytes((await with_timeout(self.sinks[stream].recv(), TIMEOUT, "ns")).tdata)
                assert masked(stream, got) == want, f"{stream}, frame {number}: {got.hex()}, not {want.hex()}"

    def jobs(self) -> list[AttentionJob]:
        rng = np.random.default_rng(cocotb.RANDOM_SEED)
        return [random_job(int(seed), self.config) for seed in rng.integers(1 << 30, size=JOBS)]

    async def run(self) -> None:
        """Jobs back to back; nothing is left over."""
        jobs = self.jobs()
        for job in jobs:
            self.send(job)
        for job in jobs:
            await self.receive(job)
        for _ in range(50):
            await RisingEdge(self.dut.aclk)
        assert all(source.idle() for source in self.sources.values())
        assert all(sink.empty() and sink.idle() for sink in self.sinks.values())


@cocotb.test()
@PACES
async def equals_golden(dut: Any, idle: float, backpressure: float) -> None:
    bench = await Bench.start(dut, idle, backpressure)
    await bench.run()


@cocotb.test()
async def reset_in_the_middle(dut: Any) -> None:
    bench = await Bench.start(dut, 0.2, 0.2)
    for cycles in (40, 150, 400):
        bench.send(bench.jobs()[0])
        for _ in range(cycles):
            await RisingEdge(dut.aclk)
        await bench.reset()
    await bench.run()
