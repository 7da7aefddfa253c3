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


@pytest.mark.parametrize("shape", bench_stochastic_network.SHAPES)
def test_network(shape: str, tmp_path: Path) -> None:
    bench, core = "tests.hw.stochastic.bench_stochastic_network", bench_stochastic_network.core(shape)
    run_bench(core, "stochastic_network_core", bench, {"shape": shape}, tmp_path)
