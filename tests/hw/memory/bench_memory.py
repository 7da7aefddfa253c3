"""Words written to the model of a chip come back in order, over and over, and no rule of the chip is broken."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from golden.memory import MemoryConfig, Region
from hw.memory import payloads
from sim.timing.memory import CyclicReads
from tests.hw.cocotb.streams import Bench

# First word and number: within a row; over banks, ending within a burst; from the last bank over all of them;
# to the end of the chip
REGIONS = ((0, 40), (512 - 16, 601), (2032, 2103), (2**24 - 520, 520))
# Cycles before the first word
POWER_UP = 15_000


def text(fault: int) -> str:
    return fault.to_bytes(16, "big").strip(b"\0").decode()


class Memory:
    """What a bench does with a `MemoryAtChip`."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.config = MemoryConfig(clock=bench.manifest.parameters["clock"])

    def set(self, **values: int) -> None:
        for name, value in values.items():
            getattr(self.bench.dut, name).value = value

    def sound(self) -> None:
        fault = text(int(self.bench.dut.fault.value))
        assert not fault, f"cycle {self.bench.cycle}, chip: {fault}"

    async def idle(self, cycles: int) -> None:
        """Let cycles pass without a look at the streams."""
        await ClockCycles(self.bench.dut.clk, cycles)
        self.bench.cycle += cycles

    async def write(self, first: int, words: np.ndarray) -> None:
        self.set(writing=1, rewind=1)
        self.bench.send("i_word", {"address": first + np.arange(len(words)), "data": words})
        while self.bench.inputs["i_word"].queue:
            await self.bench.run(8)
            self.sound()
        await self.bench.run(8)

    async def quiet(self) -> None:
        """Rewind: what is offered need not stay."""
        monitor = self.bench.outputs["o_word"]
        pace, monitor.backpressure = monitor.backpressure, 1.0
        self.set(rewind=1)
        for _ in range(2):
            await self.bench.run(1)
            monitor.clear()
        monitor.backpressure = pace

    async def begin(self, first: int, count: int) -> None:
        region = Region(self.config.chip, first, count)
        bits = payloads.address_bits(self.config.chip) - payloads.PLACE_BITS
        self.set(region=region.first_burst | region.last_burst << bits | region.tail << 2 * bits)
        self.set(writing=0)
        await self.quiet()
        # The row that is open when refreshes come is closed after two of them
        await self.idle(2 * self.config.refresh_period)
        self.set(rewind=0)


def same_cycles(got: list[int], want: np.ndarray) -> None:
    for word in np.flatnonzero(np.array(got) != want)[:1]:
        raise AssertionError(f"word {word}: cycle {got[word]}, predicted {want[word]}")


@cocotb.test()
async def words_come_round(dut: Any) -> None:
    """In one go: the chip keeps its words, and a reset of the controller alone would let them fade."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    async with Bench(dut) as bench:
        memory = Memory(bench)
        monitor = bench.outputs["o_word"]
        kept = []
        await memory.idle(POWER_UP)
        for first, count in REGIONS:
            kept.append(rng.integers(0, 1 << 16, count))
            await memory.write(first, kept[-1])
        for monitor.backpressure, most in ((0.0, 9000), (0.3, 1500), (0.9, 150)):
            for (first, count), words in zip(REGIONS, kept, strict=True):
                await memory.begin(first, count)
                model = CyclicReads(memory.config, Region(memory.config.chip, first, count), bench.cycle)
                monitor.expected.extend(np.tile(words, 3).tolist()[: min(most, max(600, 2 * count))])
                while monitor.expected:
                    await bench.run(1)
                    memory.sound()
                if not monitor.backpressure:
                    same_cycles(monitor.cycles, model.times(len(monitor.cycles), 0))
        await memory.quiet()
