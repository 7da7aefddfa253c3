"""`make help` against the Makefile and the README."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TIME = r"(?:\d+ (?:s|min)(?: for [\w-]+)?|MINUTES|as \w+)"


@pytest.fixture(scope="module")
def shown() -> list[str]:
    # A make that runs the tests would have this one speak of its directory
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ("make", "--no-print-directory", "help")
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_every_target_has_a_time_and_a_sentence(shown: list[str]) -> None:
    assert max(map(len, shown)) <= 80
    words = [line.split()[1] for line in shown[::2]]
    assert words == re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE)
    for head, sentence in zip(shown[::2], shown[1::2], strict=True):
        assert re.fullmatch(rf"make [a-z0-9-]+ +{TIME} +(?:\d\.\d GB)?", head), head
        assert re.fullmatch(r"    \S.*[^)]", sentence), sentence


def test_disk_is_that_of_what_a_target_installs(shown: list[str]) -> None:
    disk = dict(re.findall(r"^## ([A-Z]+) (.+)$", MAKEFILE, re.MULTILINE))
    assert set(disk) == {"CORE", "DEV", "FPGA", "DOCS"}
    lines = {line.split()[1]: line for line in shown[::2]}
    for target, name in {
        "sim": "CORE",
        "test": "DEV",
        "prove": "DEV",
        "synth": "FPGA",
        "docs": "DOCS",
    }.items():
        assert lines[target].endswith(f" {disk[name]}"), target
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"{disk['CORE']} for `make sim`, {disk['DEV']} for `make test`" in readme
