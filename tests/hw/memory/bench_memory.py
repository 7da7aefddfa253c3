"""Words written to the model of a chip come back in order, over and over, in the cycles that are predicted.

No rule of the chip is broken.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from golden.memory import MemoryConfig, Region
from hw.memory import payloads
from sim.timing.memory import CyclicReads
from tests.hw.attention.scenario import UnitBench
from tests.hw.memory.chip import CHIP

# First word and number: within a row; from the end of one over all banks, ending in a burst; the chip's end
REGIONS = ((0, 40), (504, 1551), (2**24 - 72, 72))


def text(fault: int) -> str:
    return fault.to_bytes(16, "big").strip(b"\0").decode()


def same_cycles(got: list[int], want: np.ndarray) -> None:
    for word in np.flatnonzero(np.array(got) != want)[:1]:
        raise AssertionError(f"word {word}: cycle {got[word]}, predicted {want[word]}")


class Memory:
    """What a bench does with a `MemoryAtChip`."""

    def __init__(self, bench: UnitBench, unit: str) -> None:
        self.bench = bench
        self.words = bench.inputs[f"{unit}__i_word"].queue
        self.monitor = bench.outputs[f"{unit}__o_word"]
        self.config = MemoryConfig(chip=CHIP, clock=bench.manifest.parameters["clock"])
        bench.set("rewind", 1)

    @property
    def fault(self) -> str:
        return text(self.bench.get("fault"))

    async def idle(self, cycles: int) -> None:
        """Let cycles pass without a look at the streams."""
        await ClockCycles(self.bench.dut.clk, cycles)
        self.bench.cycle += cycles

    async def set_up(self) -> None:
        await self.idle((self.config.power_up_periods + 2) * self.config.refresh_period)

    async def write(self, first: int, words: np.ndarray) -> None:
        await self.quiet()
        while not self.bench.get("quiet"):
            await self.bench.run(1)
        self.bench.set("writing", 1)
        self.bench.send("i_word", {"address": first + np.arange(len(words)), "data": words})
        while self.words:
            await self.bench.run(8)
        await self.bench.run(8)
        self.bench.set("writing", 0)

    async def quiet(self) -> None:
        """Rewind: what is offered need not stay."""
        pace, self.monitor.backpressure = self.monitor.backpressure, 1.0
        self.bench.set("rewind", 1)
        for _ in range(2):
            await self.bench.run(1)
            self.monitor.clear()
        self.monitor.backpressure = pace

    async def begin(self, region: Region) -> None:
        bits = payloads.address_bits(self.config.chip) - payloads.PLACE_BITS
        self.bench.set("region", region.first_burst | region.last_burst << bits | region.tail << 2 * bits)
        await self.quiet()
        # The row that is open when refreshes come is closed after two of them
        await self.idle(2 * self.config.refresh_period)
        self.bench.set("rewind", 0)

    async def read(self, words: np.ndarray) -> None:
        self.monitor.expected.extend(words.tolist())
        while self.monitor.expected:
            await self.bench.run(1)


@cocotb.test()
async def words_come_round(dut: Any) -> None:
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    async with UnitBench(dut, "sound") as bench:
        memory = Memory(bench, "sound")
        await memory.set_up()
        kept = [rng.integers(0, 1 << 16, count) for _, count in REGIONS]
        for (first, _), words in zip(REGIONS, kept, strict=True):
            await memory.write(first, words)
        for memory.monitor.backpressure, most in ((0.0, 9000), (0.3, 1500), (0.9, 150)):
            for (first, count), words in zip(REGIONS, kept, strict=True):
                region = Region(memory.config.chip, first, count)
                await memory.begin(region)
                model = CyclicReads(memory.config, region, bench.cycle)
                await memory.read(np.tile(words, 3)[: min(most, max(600, 2 * count))])
                if not memory.monitor.backpressure:
                    same_cycles(memory.monitor.cycles, model.times(len(memory.monitor.cycles), 0))
        await memory.quiet()
        assert memory.fault == ""
