"""The stochastic engine in a cocotb bench."""

from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.stochastic import bench_stochastic_network
from tests.hw.stochastic.bench_stochastic_attention import CASES


@pytest.mark.parametrize("case", CASES)
def test_engine(case: str, tmp_path: Path) -> None:
    component, parameters = CASES[case]
    bench = "tests.hw.stochastic.bench_stochastic_attention"
    run_bench(component(**parameters), "stochastic_attention", bench, parameters, tmp_path)


def test_network(tmp_path: Path) -> None:
    bench = "tests.hw.stochastic.bench_stochastic_network"
    run_bench(bench_stochastic_network.core(), "stochastic_network_core", bench, {}, tmp_path)
