"""The stochastic engine in a cocotb bench; networks, with a memory that spoils what is read while it is
written, too."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.stochastic import bench_stochastic_network
from tests.hw.stochastic.bench_stochastic_attention import CASES

BENCH = "tests.hw.stochastic.bench_stochastic_network"


@pytest.mark.parametrize("case", CASES)
def test_engine(case: str, tmp_path: Path) -> None:
    component, parameters = CASES[case]
    bench = "tests.hw.stochastic.bench_stochastic_attention"
    run_bench(component(**parameters), "stochastic_attention", bench, parameters, tmp_path)


def run_network(case: str, tmp_path: Path, **how: Callable[[str], str]) -> None:
    parameters = bench_stochastic_network.CASES[case]
    core = bench_stochastic_network.core(parameters)
    run_bench(core, "stochastic_network_core", BENCH, parameters, tmp_path, **how)


@pytest.mark.parametrize("case", bench_stochastic_network.CASES)
def test_network(case: str, tmp_path: Path) -> None:
    run_network(case, tmp_path)


def test_weights_that_are_loaded_while_they_are_read_are_not_used(tmp_path: Path) -> None:
    """As synthesis is told: every word read in a cycle in which one is written comes inverted."""

    def spoil(verilog: str) -> str:
        read, spoiled = r"<= ((weights|biases)\[[^\n]*\]);", r"<= i_write_\2 ? ~\1 : \1;"
        text, count = re.subn(read, spoiled, verilog)
        assert (count, verilog.count("no_rw_check")) == (3, 2)
        return text

    run_network("stem", tmp_path, transform=spoil)
