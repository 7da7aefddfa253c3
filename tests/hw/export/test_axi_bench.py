"""The test bench of the IP in Verilog: golden's beats pass, anything else does not."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from golden.attention.config import CoreConfig, to_table
from golden.attention.job import compute
from golden.code import spike_text
from hw.attention.core import AttentionCore
from hw.export.axi import AxiManifest, write_axi
from sim.cores.attention.axi_bench import random_job, write_bench
from sim.cores.attention.core import SpikedAttentionCore
from sim.verilator import toolchain
from studies.waves.trace import chosen, read_signals, read_views
from tests.hw.export.test_axi import CONFIGS, NAME
from tests.sim.cores.views import traced

icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None,
    reason="no Icarus Verilog (on Debian and Ubuntu: apt-get install iverilog)",
)


def write(config: CoreConfig, directory: Path) -> list[Path]:
    """Verilog of the IP and of its bench."""
    core = AttentionCore(config)
    verilog, manifest, _ = write_axi(core, NAME, directory, to_table(config), core.latency)
    bench, *_ = write_bench(AxiManifest.from_json(manifest.read_text()), directory)
    return [verilog, bench]


def run(command: list[str | Path], folder: Path) -> tuple[int, str]:
    ran = subprocess.run(
        command, cwd=folder, env=toolchain.environment(), capture_output=True, text=True, timeout=600
    )
    return ran.returncode, ran.stdout + ran.stderr


def in_icarus(sources: list[Path], folder: Path) -> tuple[int, str]:
    assert run(["iverilog", "-g2005", "-Wall", "-o", "tb.vvp", *sources], folder)[0] == 0
    return run(["vvp", "-N", "tb.vvp"], folder)


@icarus
@pytest.mark.parametrize("name", CONFIGS)
def test_icarus(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    sources = write(config, tmp_path)
    status, said = in_icarus(sources, tmp_path)
    assert status == 0, said
    rows, features = 2 * min(config.tokens, 12), min(config.head_dim, 8)
    assert f"PASS: {rows * features} beats of m_axis_code" in said
    if config.output != "codes":
        assert f"{rows * (features + 1)} beats of m_axis_context" in said
    # One bit of what golden says, of what enters, and a file that is not there
    beats = tmp_path / "m_axis_code.hex"
    whole = beats.read_text()
    number, mask = whole.split(maxsplit=2)[:2]
    beats.write_text(f"{int(number, 16) ^ 1:x} {mask}\n" + whole.split("\n", 1)[1])
    status, said = in_icarus(sources, tmp_path)
    assert (status, "FAIL: 1 beats differ" in said) == (1, True)
    assert "beat 0 of m_axis_code must be " in said
    # A beat that golden does not have
    beats.write_text(whole.rsplit("\n", 2)[0] + "\n")
    status, said = in_icarus(sources, tmp_path)
    assert (status, "of m_axis_code must not be there" in said) == (1, True)
    beats.write_text(whole)
    keys = tmp_path / "s_axis_key.hex"
    keys.write_text("".join(f"{int(line, 16) ^ 2:x}\n" for line in keys.read_text().splitlines()))
    status, said = in_icarus(sources, tmp_path)
    assert (status, "beats differ" in said) == (1, True)
    keys.unlink()
    status, said = in_icarus(sources, tmp_path)
    assert (status, "FAIL: s_axis_key.hex must lie in the folder" in said) == (1, True)


@icarus
def test_waves(tmp_path: Path) -> None:
    """What lies beside the Verilog to view them with shows signals that are there, and the core's."""
    verilog, manifest, *_, views = SpikedAttentionCore(CONFIGS["codes"]).write(tmp_path, axi=True)
    bench, *_ = write_bench(AxiManifest.from_json(manifest.read_text()), tmp_path)
    assert run(["iverilog", "-g2005", "-o", "tb.vvp", verilog, bench], tmp_path)[0] == 0
    assert run(["vvp", "-N", "tb.vvp"], tmp_path)[0] == 0
    assert not list(tmp_path.glob("*.vcd"))
    assert run(["vvp", "-N", "tb.vvp", "+waves"], tmp_path)[0] == 0
    scope: list[str] = []
    found = set()
    for line in (tmp_path / f"{NAME}.vcd").read_text().splitlines():
        match line.split():
            case ["$scope", _, name, "$end"]:
                scope.append(name)
            case ["$upscope", "$end"]:
                scope.pop()
            case ["$var", _, _, _, name, *bits, "$end"]:
                found.add(".".join([*scope, name]) + "".join(bits))
            case ["$enddefinitions", "$end"]:
                break
    shown = traced((views / f"{NAME}.gtkw").read_text())
    assert {trace.path for trace in shown} <= found
    core = f"{NAME}_tb.dut.core"
    spikes = {trace.path for trace in shown if trace.filter == "spike.filter.txt"}
    assert {f"{core}.i_key__payload[4:0]", f"{core}.\\i_query__payload.spike[4:0]"} <= spikes
    # In the words of a viewer the output is golden's
    names = [f"o_code__{end}" for end in ("valid", "ready", "payload.spike")]
    signals = read_signals(tmp_path / f"{NAME}.vcd", chosen(read_views(views), names), "aclk")
    valid, ready, words = (signal.values for signal in signals)
    read = [word for *passes, word in zip(valid, ready, words, strict=True) if passes == ["1", "1"]]
    out = compute(random_job(CONFIGS["codes"])).out
    pairs = zip(out.sign.ravel().tolist(), out.phase.ravel().tolist(), strict=True)
    assert read == [spike_text(sign, phase) for sign, phase in pairs]
    assert len(set(read)) > 4


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGS)
def test_verilator(name: str, tmp_path: Path) -> None:
    options = ("-CFLAGS", "-fcoroutines", "-CFLAGS", "-O0")
    command = [
        "verilator",
        "--binary",
        "--timing",
        *options,
        "-Wno-fatal",
        "-Wno-lint",
        "-Wno-style",
        "-o",
        "bench",
    ]
    sources = write(CONFIGS[name], tmp_path)
    status, said = run([*command, "--top-module", f"{NAME}_tb", *sources], tmp_path)
    assert status == 0, said
    status, said = run([tmp_path / "obj_dir" / "bench"], tmp_path)
    assert (status, "PASS: " in said) == (0, True), said


def test_the_bench_is_clean(tmp_path: Path) -> None:
    """No warning of Verilator about the bench itself; the IP is a box there."""
    verilog, bench = write(CONFIGS["both outputs"], tmp_path)
    waived = tmp_path / "ip.vlt"
    waived.write_text(f'`verilator_config\nlint_off -file "{verilog}"\n')
    command = ["verilator", "--lint-only", "--timing", "--top-module", f"{NAME}_tb"]
    status, said = run([*command, waived, verilog, bench], tmp_path)
    assert (status, "Warning" in said) == (0, False), said


def test_the_core_file_names_what_is_there(tmp_path: Path) -> None:
    write(CONFIGS["both outputs"], tmp_path)
    text = (tmp_path / f"{NAME}_tb.core").read_text()
    assert text.startswith("CAPI=2:\n")
    found = yaml.safe_load(text.split("\n", 1)[1])
    named = [name for part in found["filesets"].values() for entry in part["files"] for name in entry]
    written = {path.name for path in tmp_path.iterdir()} - {
        f"{NAME}{end}" for end in (".v", ".json", ".core")
    }
    assert {*named, f"{NAME}_tb.core"} == written
    assert found["targets"]["icarus"] == found["targets"]["default"]
    assert {target["toplevel"] for target in found["targets"].values()} == {f"{NAME}_tb"}
