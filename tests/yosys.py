"""Runs the Yosys of the package pyosys, which needs no WebAssembly and so a third of the time."""

import subprocess
import sys
from pathlib import Path

RUN = "import sys; from pyosys import libyosys; libyosys.run_pass(sys.argv[1])"


def yosys(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands, parted by semicolons, in a folder: what was said, and the exit status."""
    script_file = folder / "run.ys"
    script_file.write_text("\n".join(script.split(";")) + "\n")
    return subprocess.run(
        [sys.executable, "-c", RUN, f"script {script_file.name}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
