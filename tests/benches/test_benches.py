"""Every bench_*.py of this folder, on each of its cases; and that a bench notices what is wrong."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.benches.bench_running_sum import RunningSum
from tests.benches.launch import run_bench

BENCHES = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
PLACE = "tests.benches"
CASES = [
    pytest.param(bench, case, id=f"{bench.removeprefix('bench_')}-{case}")
    for bench in BENCHES
    for case in import_module(f"{PLACE}.{bench}").CASES
]


@pytest.mark.parametrize(("bench", "case"), CASES)
def test_bench(bench: str, case: str, tmp_path: Path) -> None:
    component, parameters = import_module(f"{PLACE}.{bench}").CASES[case]
    run_bench(component(**parameters), bench.removeprefix("bench_"), f"{PLACE}.{bench}", parameters, tmp_path)


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
        run_bench(component, "running_sum", "tests.benches.bench_running_sum", parameters, tmp_path)
