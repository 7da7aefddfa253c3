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


@pytest.mark.parametrize(("case", "reads", "memories"), [("stem", 3, 2), ("streamed", 5, 3)])
def test_weights_that_are_loaded_while_they_are_read_are_not_used(
    case: str, reads: int, memories: int, tmp_path: Path
) -> None:
    """As synthesis is told: every word read in a cycle in which one is written comes inverted, of the half
    into which it is where they are streamed."""

    def spoil(verilog: str) -> str:
        def spoiled(match: re.Match[str]) -> str:
            word, kind, half = match.groups()
            bit = "" if half is None else f"[{half}]"
            return f"<= i_write_{kind}{bit} ? ~{word} : {word};"

        text, count = re.subn(r"<= ((weights|biases)(?:_(\d))?\[[^\n]*\]);", spoiled, verilog)
        assert (count, verilog.count("no_rw_check")) == (reads, memories)
        return text

    run_network(case, tmp_path, transform=spoil)
