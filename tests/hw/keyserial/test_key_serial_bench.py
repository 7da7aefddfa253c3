"""The key-serial core in a cocotb bench, its memories spoiling what is read while it is written."""

from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.keyserial.bench_key_serial_attention import CASES, core
from tests.hw.spoiled import spoiled

BENCH = "tests.hw.keyserial.bench_key_serial_attention"


@pytest.mark.parametrize("case", CASES)
def test_core(case: str, tmp_path: Path) -> None:
    run_bench(core(CASES[case]), "key_serial_attention", BENCH, CASES[case], tmp_path, transform=spoiled)
