"""What a host stores is there in later sessions, and what is not whole says so."""

import zlib
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from golden.memory import MemoryConfig
from tests.hw.attention.scenario import UnitBench
from tests.hw.memory.bench_memory import text
from tests.hw.memory.chip import CHIP

WORDS = 45


def status(words: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "words": np.array([len(words)]),
        "sum": np.array([zlib.crc32(words.astype("<u2").tobytes())]),
    }


class Sessions:
    """Of a host with a `WeightsAtChip`."""

    def __init__(self, bench: UnitBench) -> None:
        self.bench = bench
        self.weights = bench.outputs["weights__o_weights"]
        self.status = bench.outputs["weights__o_status"]

    async def begin(self, held: np.ndarray, after: int | None = None) -> None:
        """A session; the memory says what it holds, unless another session begins `after` so many cycles."""
        pace = self.weights.backpressure
        self.weights.backpressure = self.status.backpressure = 1.0
        self.bench.set("restart", 1)
        self.bench.set("running", 0)
        for stream in (*self.bench.inputs.values(), *self.bench.outputs.values()):
            stream.clear()
        await self.bench.run(1)
        self.weights.clear()
        self.status.clear()
        await self.bench.run(7)
        self.bench.set("restart", 0)
        self.weights.backpressure = self.status.backpressure = pace
        if after is not None:
            await self.bench.run(after)
            return
        self.bench.expect("o_status", status(held))
        await self.received(self.status)

    async def received(self, stream: Any) -> None:
        while stream.expected:
            await self.bench.run(1)

    async def store(self, words: np.ndarray) -> None:
        self.bench.send("i_store", words)
        while self.bench.inputs["weights__i_store"].queue:
            await self.bench.run(1)

    async def run_stored(self, words: np.ndarray, rounds: int) -> None:
        """Store, and read; what was stored is told in between."""
        await self.store(words)
        self.bench.expect("o_status", status(words))
        await self.read(words, rounds)
        assert not self.status.expected

    async def read(self, words: np.ndarray, rounds: int) -> None:
        self.bench.set("running", 1)
        self.weights.expected.extend(np.tile(words, rounds).tolist())
        await self.received(self.weights)


@cocotb.test()
@cocotb.parametrize(backpressure=[0.0, 0.5])
async def weights_stay(dut: Any, backpressure: float) -> None:
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    first, second = (rng.integers(0, 1 << 16, count) for count in (WORDS, WORDS - 5))
    nothing = first[:0]
    async with UnitBench(dut, "weights", backpressure=backpressure) as bench:
        sessions, config = Sessions(bench), MemoryConfig(chip=CHIP, clock=bench.manifest.parameters["clock"])
        await sessions.begin(nothing)
        await ClockCycles(dut.clk, (config.power_up_periods + 2) * config.refresh_period)
        await sessions.run_stored(first, 3)
        # a session that ends while words are read, one that ends in the check, then one that only reads
        await sessions.begin(first)
        await sessions.read(first, 2)
        for after in rng.integers(1, 400, 4):
            await sessions.begin(first, int(after))
        await sessions.begin(first)
        await sessions.read(first, 2)
        # another content that is stored in part, by a session that ends; then wholly, and shorter
        await sessions.begin(first)
        await sessions.store(second[:17])
        await sessions.begin(second[:17])
        await sessions.run_stored(second, 3)
        # and one more in the same session
        bench.set("running", 0)
        sessions.weights.backpressure = 1.0
        for _ in range(2):
            await bench.run(1)
            sessions.weights.clear()
        sessions.weights.backpressure = backpressure
        await sessions.run_stored(first, 2)
        await sessions.begin(first)
        await sessions.run_stored(second, 1)
        await sessions.begin(second)
        await sessions.read(second, 1)
        bench.set("running", 0)
        assert text(bench.get("fault")) == ""
        sessions.weights.clear()
