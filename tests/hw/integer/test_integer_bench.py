"""The integer core in a cocotb bench, and with memories that spoil what is read while it is written."""

from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.integer.bench_integer_attention import CASES, core
from tests.hw.spoiled import spoiled

BENCH = "tests.hw.integer.bench_integer_attention"


@pytest.mark.parametrize("case", CASES)
def test_core(case: str, tmp_path: Path) -> None:
    run_bench(core(CASES[case]), "integer_attention", BENCH, CASES[case], tmp_path)


def test_words_that_are_written_while_they_are_read_are_not_used(tmp_path: Path) -> None:
    def spoil(verilog: str) -> str:
        assert verilog.count("no_rw_check") == 10
        return spoiled(verilog)

    parameters = CASES["squares"]
    run_bench(core(parameters), "integer_attention", BENCH, parameters, tmp_path, transform=spoil)
