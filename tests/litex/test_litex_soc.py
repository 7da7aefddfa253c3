"""The SoC of docs/litex: Verilog for the ULX3S, and a small one whose core is run over its serial port."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from golden.attention.config import PRESETS
from hw.export.axi import AxiManifest
from sim.cores.attention.axi_bench import write_bench
from sim.cores.attention.core import SpikedAttentionCore
from synth.tools import find_tools, run_tool
from tests.hw.cocotb.launch import run_verilog
from tests.litex.bench_soc import BIT

pytest.importorskip("litex", reason="the environment is older than the extra `dev`")
EXAMPLE = Path(__file__).parents[2] / "docs" / "litex" / "soc.py"
CORE = SpikedAttentionCore(
    replace(PRESETS["pico"], tokens=4, head_dim=4, lanes=2, cluster=2, terms_per_beat=1)
)
MHZ = 50


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("core")
    written = CORE.write(folder, axi=True)
    write_bench(AxiManifest.from_json(written[1].read_text()), folder)
    return folder


def made(core: Path, folder: Path, *options: str) -> str:
    """Verilog of the SoC."""
    words = (sys.executable, str(EXAMPLE), str(core), "-o", str(folder), "--clock", str(MHZ), *options)
    ran = subprocess.run(words, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return (folder / "gateware" / "soc.v").read_text()


def test_for_the_board(core: Path, tmp_path: Path) -> None:
    """The clock of the ULX3S, its pins, every stream, and a script that synthesises both files."""
    verilog = made(core, tmp_path)
    assert "EHXPLLL" in verilog
    (instance,) = re.findall(r"^attention_core_axis attention_core_axis\(.*?^\);", verilog, re.M | re.S)
    pins = set(re.findall(r"\.(\w+)", instance))
    manifest = AxiManifest.from_json((core / "attention_core_axis.json").read_text())
    assert pins == {"aclk", "aresetn", *(signal for port in manifest.streams for signal in port.signals)}
    assert 'LOCATE COMP "clk25" SITE "G2"' in (tmp_path / "gateware" / "soc.lpf").read_text()
    assert str(core / "attention_core_axis.v") in (tmp_path / "gateware" / "soc.ys").read_text()


@pytest.mark.long
def test_bitstream(core: Path, tmp_path: Path) -> None:
    """Its scripts synthesise, place and route both files, and the clock is reached."""
    made(core, tmp_path)
    folder = tmp_path / "gateware"
    shutil.copy(core / "attention_core_axis.v", folder)
    # Tools of YoWASP see a /tmp of their own
    script = (folder / "soc.ys").read_text()
    (folder / "soc.ys").write_text(script.replace(f"{core}/", "").replace(f"{folder}/", ""))
    words = dict(re.findall(r"^([\w-]+) +(.*)", (folder / "build_soc.sh").read_text(), re.M))
    for name, tool in find_tools(["yosys", "nextpnr-ecp5", "ecppack"]).items():
        run_tool(tool, words[name].split(), folder, folder / f"{name}.log")
    reached = re.findall(
        r"Max frequency for clock .*: ([\d.]+) MHz", (folder / "nextpnr-ecp5.log").read_text()
    )
    assert float(reached[-1]) >= MHZ
    assert (folder / "soc.bit").stat().st_size > 100_000


def test_equals_golden(core: Path, tmp_path: Path) -> None:
    """What the registers give is what golden says, over the serial port and LiteX's bus."""
    baud = MHZ * 1_000_000 // BIT
    verilog = made(core, tmp_path / "soc", "--simulation", "--baud", str(baud))
    top = tmp_path / "bench" / "soc.v"
    top.parent.mkdir()
    shutil.copy(tmp_path / "soc" / "gateware" / "soc_mem.init", top.parent)
    shutil.copy(tmp_path / "soc" / "csr.json", top.parent)
    for path in core.glob("*.hex"):
        shutil.copy(path, top.parent)
    manifest = shutil.copy(core / "attention_core_axis.json", top.parent / "core.json")
    assert json.loads(Path(manifest).read_text())["streams"]
    # Migen writes combinational blocks with `<=`, and LiteX the time of day
    plain = re.sub(r"^//.*\n", "", verilog, flags=re.M)
    core_text = (core / "attention_core_axis.v").read_text()
    top.write_text(f"/* verilator lint_off COMBDLY */\n{plain}{core_text}")
    ports = ["serial_rx", "serial_tx", "simulation_clk", "simulation_rst"]
    run_verilog(top, Path(manifest), ports, "tests.litex.bench_soc")
