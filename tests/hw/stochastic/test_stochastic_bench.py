"""The stochastic engine in a cocotb bench."""

from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.stochastic.bench_stochastic_attention import CASES


@pytest.mark.parametrize("case", CASES)
def test_engine(case: str, tmp_path: Path) -> None:
    component, parameters = CASES[case]
    bench = "tests.hw.stochastic.bench_stochastic_attention"
    run_bench(component(**parameters), "stochastic_attention", bench, parameters, tmp_path)
