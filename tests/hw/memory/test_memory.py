"""The controller and the reader at the model of a chip."""

from pathlib import Path

import pytest

from golden.memory import MemoryConfig
from tests.hw.cocotb.launch import run_bench
from tests.hw.memory.chip import MemoryAtChip, with_model

CLOCKS = (80e6,)


@pytest.mark.parametrize("clock", CLOCKS)
def test_words_come_round(tmp_path: Path, clock: float) -> None:
    component = MemoryAtChip(MemoryConfig(clock=clock))
    run_bench(component, "memory", "tests.hw.memory.bench_memory", {"clock": clock}, tmp_path, with_model)
