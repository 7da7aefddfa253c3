"""The smallest bench on each of its cases; and that a bench notices what is wrong."""

from pathlib import Path

import pytest

from tests.hw.cocotb.bench_running_sum import CASES, RunningSum
from tests.hw.cocotb.launch import run_bench

BENCH = "tests.hw.cocotb.bench_running_sum"


@pytest.mark.parametrize("case", CASES)
def test_running_sum(case: str, tmp_path: Path) -> None:
    component, parameters = CASES[case]
    run_bench(component(**parameters), "running_sum", BENCH, parameters, tmp_path)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("value", r"cycle \d+, stream o, beat \d+, field payload\[1\]: -?\d+, expected -?\d+ \(seed 1\)"),
        ("drop", r"cycle \d+, stream o, beat \d+, field payload\[0\]: -?\d+, expected -?\d+ \(seed 1\)"),
        ("repeat", r"cycle \d+, stream o, beat \d+, field payload\[0\]: -?\d+, expected -?\d+ \(seed 1\)"),
        ("withdraw", r"cycle \d+, stream o, beat \d+: withdrawn before it was accepted \(seed 1\)"),
    ],
)
def test_a_bench_notices(fault: str, message: str, tmp_path: Path) -> None:
    parameters = {"width": 6, "lanes": 2}
    component = RunningSum(**parameters, fault=fault)
    with pytest.raises(pytest.fail.Exception, match=rf"equals_golden.*: {message}"):
        run_bench(component, "running_sum", BENCH, parameters, tmp_path)
