"""The attention core in Amaranth's own simulator, fed with the same beats as the compiled one."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from amaranth.hdl import Value
from amaranth.sim import Simulator as PythonSimulator
from amaranth.sim import SimulatorContext
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.attention.job import AttentionJob
from hw.attention.core import AttentionCore
from hw.export.verilog import Manifest
from sim.cores.attention import driver
from sim.verilator.payload import pack
from sim.verilator.simulator import Beats, Result, word_count


def run_python(job: AttentionJob, config: CoreConfig, manifest: Manifest) -> Result:
    """Run a job without pauses in Amaranth's simulator.

    Args:
        job: its heads follow each other at once.
        config: the core.
        manifest: of that core; describes the streams.

    Returns:
        What `sim.verilator.simulator.Simulator.run` returns, `accepted` and `ports` left empty; the time
        is without the generation of Python code.
    """
    core = AttentionCore(config)
    simulator = PythonSimulator(core)
    simulator.add_clock(1e-6)
    expect = driver.output_beats(job, config)
    words: dict[str, list[int]] = {name: [] for name in expect}
    cycles: dict[str, list[int]] = {name: [] for name in expect}

    def add_feed(stream: Any, payloads: list[int]) -> None:
        async def feed(context: SimulatorContext) -> None:
            for payload in payloads:
                context.set(Value.cast(stream.payload), payload)
                context.set(stream.valid, 1)
                await context.tick().until(stream.ready)
            context.set(stream.valid, 0)

        simulator.add_testbench(feed)

    def add_collector(name: str, stream: Any) -> None:
        async def collect(context: SimulatorContext) -> None:
            if not manifest.stream(name).always_ready:
                context.set(stream.ready, 1)
            cycle = 0
            async for _, _, valid, payload in context.tick().sample(stream.valid, Value.cast(stream.payload)):
                if valid:
                    words[name].append(payload)
                    cycles[name].append(cycle)
                    if len(words[name]) == expect[name]:
                        return
                cycle += 1

        simulator.add_testbench(collect)

    for name, fields in driver.input_beats(job, config).items():
        add_feed(getattr(core, name), _integers(pack(manifest.stream(name).layout, fields, name)))
    for name in expect:
        add_collector(name, getattr(core, name))
    started = time.perf_counter()
    simulator.run()
    seconds = time.perf_counter() - started
    outputs = {name: _beats(words[name], cycles[name], manifest.stream(name).layout) for name in expect}
    last = max(int(beats.cycles[-1]) for beats in outputs.values())
    return Result(outputs=outputs, accepted={}, ports={}, cycles=last + 1, seconds=seconds)


def _integers(words: NDArray[np.uint32]) -> list[int]:
    """One integer per row of words, the first word lowest."""
    return [int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words]


def _beats(payloads: list[int], cycles: list[int], layout: Mapping[str, Any]) -> Beats:
    size = word_count(layout)
    raw = b"".join(payload.to_bytes(4 * size, "little") for payload in payloads)
    words = np.frombuffer(raw, "<u4").astype(np.uint32).reshape(-1, size)
    return Beats(words, np.array(cycles, np.int64), layout)
