"""Synthesis makes no DSP block of the attention core: sums and counters are not taken for products."""

import dataclasses
from pathlib import Path

import pytest

from golden.attention.config import TRACE_STORES
from hw.attention.core import AttentionCore
from hw.export.verilog import export
from tests.hw.attention.core_cases import CORES
from tests.yosys import yosys

# FPGA flows put products into DSP blocks before `map_ram`
CHECKS = {
    "ecp5": "synth_ecp5 -top {0} -run begin:map_ram; select -assert-none t:MULT18X18D t:ALU54B",
    "ice40": "synth_ice40 -top {0} -dsp -run begin:map_ram; select -assert-none t:SB_MAC16",
}


def holds_none(verilog: Path, check: str) -> bool:
    """Whether Yosys finds no multiplier in the module that has the name of its file."""
    done = yosys(f"read_verilog {verilog.name}; {CHECKS[check].format(verilog.stem)}", verilog.parent)
    found = "Assertion failed: selection is not empty" in done.stderr
    assert done.returncode == int(found), done.stderr
    return not found


@pytest.fixture(scope="module", params=TRACE_STORES)
def core(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(request.param) / "core.v"
    config = dataclasses.replace(CORES["two-groups"], trace_store=request.param)
    path.write_text(export(AttentionCore(config), "core")[0])
    return path


@pytest.mark.parametrize("check", CHECKS)
def test_core_holds_no_multiplier(core: Path, check: str) -> None:
    assert holds_none(core, check)


@pytest.mark.parametrize("check", CHECKS)
def test_check_finds_a_multiplier(check: str, tmp_path: Path) -> None:
    path = tmp_path / "product.v"
    path.write_text("module product(input [7:0] a, b, output [15:0] y); assign y = a * b; endmodule\n")
    assert not holds_none(path, check)
    path.write_text("module product(input [7:0] a, b, output [8:0] y); assign y = a + b; endmodule\n")
    assert holds_none(path, check)
