"""The key-serial core in a cocotb bench, its memories spoiling what is read while it is written."""

from functools import partial
from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.integer.test_integer_bench import spoiled
from tests.hw.keyserial.bench_key_serial_attention import CASES, core

BENCH = "tests.hw.keyserial.bench_key_serial_attention"
# Those of keys and values by cluster, rows of scores, of terms, sums over groups
MEMORIES = 3 + 2 + 3


@pytest.mark.parametrize("case", CASES)
def test_core(case: str, tmp_path: Path) -> None:
    spoil = partial(spoiled, memories=MEMORIES)
    run_bench(core(CASES[case]), "key_serial_attention", BENCH, CASES[case], tmp_path, transform=spoil)
