"""The integer core in a cocotb bench, and with memories that spoil what is read while it is written."""

import re
from functools import partial
from pathlib import Path

import pytest

from tests.hw.cocotb.launch import run_bench
from tests.hw.integer.bench_integer_attention import CASES, core

BENCH = "tests.hw.integer.bench_integer_attention"
# A memory of which synthesis is told that it need not mind collisions, its write and its read
MEMORY = re.compile(
    r"no_rw_check = 32'd1 \*\) (?:\(\*[^\n]*\*\) )?reg \[\d+:0\] (?P<name>\w+) \[.*?"
    r"if \((?P<write>[^\n]*)\)\n\s*(?P=name)\[(?P<to>[^\n]*)\] <= .*?"
    r" <= (?P<word>(?P=name)\[(?P<at>[^\n]*)\]);",
    re.DOTALL,
)


@pytest.mark.parametrize("case", CASES)
def test_core(case: str, tmp_path: Path) -> None:
    run_bench(core(CASES[case]), "integer_attention", BENCH, CASES[case], tmp_path)


def spoiled(verilog: str, memories: int) -> str:
    """Words that are written while they are read come inverted, in all the memories of a core."""

    def spoil(found: re.Match[str]) -> str:
        meet = f"({found['write']}) && ({found['to']}) == ({found['at']})"
        return found[0].replace(f"<= {found['word']};", f"<= {meet} ? ~{found['word']} : {found['word']};")

    text, count = MEMORY.subn(spoil, verilog)
    assert count == verilog.count("no_rw_check") == memories
    return text


def test_words_that_are_written_while_they_are_read_are_not_used(tmp_path: Path) -> None:
    parameters, spoil = CASES["squares"], partial(spoiled, memories=10)
    run_bench(core(parameters), "integer_attention", BENCH, parameters, tmp_path, transform=spoil)
