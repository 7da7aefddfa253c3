"""Controllers that break a rule of the chip are found."""

from typing import Any

import cocotb
import numpy as np
import pytest

from golden.memory import Region
from tests.hw.attention.scenario import UnitBench
from tests.hw.cocotb.streams import Divergence
from tests.hw.memory.bench_memory import Memory
from tests.hw.memory.faulty import FAULTY


@cocotb.test()
@cocotb.parametrize(rule=list(FAULTY))
async def rules_are_broken(dut: Any, rule: str) -> None:
    unit = rule.replace("-", "_")
    async with UnitBench(dut, unit) as bench:
        memory = Memory(bench, unit)
        await memory.set_up()
        await memory.write(0, np.arange(16))
        await memory.begin(Region(memory.config.chip, 0, 16))
        memory.monitor.expected.extend(np.tile(np.arange(16), 120).tolist())
        await bench.run(1400)
        assert memory.fault == rule
        await memory.quiet()


@cocotb.test()
async def words_come_at_their_time(dut: Any) -> None:
    """From a controller that sets another CAS latency than it waits for, they are wrong."""
    async with UnitBench(dut, "CAS") as bench:
        memory = Memory(bench, "CAS")
        await memory.set_up()
        await memory.write(0, np.arange(16))
        await memory.begin(Region(memory.config.chip, 0, 16))
        with pytest.raises(Divergence):
            await memory.read(np.arange(16))
        await memory.quiet()
