"""The netlist after synthesis does what the core does: the core's own bench, on the cells of a device.

`make gate-level` runs the presets that take minutes.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from golden.attention.config import CoreConfig, preset, to_table
from golden.errors import InputError
from hw.attention.core import AttentionCore
from sim.verilator.cache import cached, digest
from synth import carry_cells
from synth.families import FAMILIES
from synth.gate_level import gate_level, synthesis_scripts
from synth.tools import find_tools
from tests.hw.attention.core_cases import T8
from tests.hw.attention.wrappers import Group
from tests.hw.cocotb.bench_running_sum import RunningSum
from tests.hw.cocotb.launch import run_bench

# Two clusters, two tokens per lane, every port
SMALL = CoreConfig(code=T8, lanes=2, tokens=4, head_dim=4, cluster=1, terms_per_beat=1)
SUM = {"width": 6, "lanes": 2}


def netlist(name: str, family: str) -> Callable[[str], str]:
    """Verilog of a module to its netlist; synthesised unless an equal one is in build/gate-level."""

    def transform(verilog: str) -> str:
        how = (*synthesis_scripts(name, family), inspect.getsource(carry_cells))
        key = digest((verilog, *how, find_tools(["yosys"])["yosys"].version))

        def make(directory: Path) -> None:
            (directory / "flat.v").write_text(gate_level(verilog, name, family))

        return (cached("gate-level", key, make) / "flat.v").read_text()

    return transform


def check_core(config: CoreConfig, family: str, directory: Path) -> None:
    """Run the core's bench on its netlist."""
    core = Group({"core": AttentionCore(config)})
    run_bench(
        core, "core", "tests.hw.attention.bench_core", to_table(config), directory, netlist("core", family)
    )


def test_tiny_on_ice40(tmp_path: Path) -> None:
    check_core(preset("tiny"), "ice40", tmp_path)


def test_terms_and_both_outputs_on_ecp5(tmp_path: Path) -> None:
    check_core(SMALL, "ecp5", tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["tiny", "digits"])
def test_preset(name: str, family: str, tmp_path: Path) -> None:
    check_core(preset(name), family, tmp_path)


def test_running_sum_on_gowin(tmp_path: Path) -> None:
    component = RunningSum(**SUM)
    run_bench(
        component,
        "running_sum",
        "tests.hw.cocotb.bench_running_sum",
        SUM,
        tmp_path,
        netlist("running_sum", "gowin"),
    )


def test_a_wrong_cell_is_noticed(tmp_path: Path) -> None:
    def spoil(verilog: str) -> str:
        """One register takes the opposite of its input."""
        text, count = re.subn(r"<= (\S+);", r"<= ~\1;", netlist("running_sum", "gowin")(verilog), count=1)
        assert count == 1
        return text

    with pytest.raises(pytest.fail.Exception, match="equals_golden"):
        run_bench(RunningSum(**SUM), "running_sum", "tests.hw.cocotb.bench_running_sum", SUM, tmp_path, spoil)


def test_unknown_family() -> None:
    with pytest.raises(InputError, match="family must be one of ecp5, ice40, gowin, not 'xilinx'"):
        gate_level("", "core", "xilinx")
