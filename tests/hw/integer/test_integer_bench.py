"""The integer core in a cocotb bench."""

from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.integer.bench_integer_attention import CASES, core


@pytest.mark.parametrize("case", CASES)
def test_core(case: str, tmp_path: Path) -> None:
    bench = "tests.hw.integer.bench_integer_attention"
    run_bench(core(CASES[case]), "integer_attention", bench, CASES[case], tmp_path)
