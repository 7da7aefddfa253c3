"""The table of boards, and the clock it asks the loops for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from golden.errors import InputError
from hw.board.clock import dividers
from synth.boards import BOARDS, find_board
from synth.commands import generate
from synth.design import Design, board_top

BIN = Path(sys.executable).parent


@pytest.mark.parametrize("name", BOARDS)
def test_pins_and_clock(name: str) -> None:
    board = BOARDS[name]
    platform = board.make_platform()
    assert ("uart", 0) in platform.resources
    settings = dividers(board.family.name, platform.default_clk_frequency, board.clock)
    assert settings.frequency == pytest.approx(board.clock, rel=1e-3)
    assert board.clock / board.divisor(board.clock) == pytest.approx(board.baud, rel=0.02)


def test_unknown_board() -> None:
    with pytest.raises(InputError, match=r"board must be one of ulx3s-85f, .*, not 'arty'"):
        find_board("arty")


def test_clock_without_bit_rate() -> None:
    with pytest.raises(
        InputError, match=r"clock of icebreaker must make 2e[+]06 baud within 2 %, 25 MHz does not"
    ):
        find_board("icebreaker").divisor(25e6)
    for clock in (float("nan"), float("inf"), -1e6):
        with pytest.raises(InputError, match=r"within 2 %, -?\w+ MHz does not"):
            find_board("icebreaker").divisor(clock)


def calculator(program: str, *arguments: str, directory: Path = Path()) -> str:
    """What a tool's own PLL calculator says."""
    done = subprocess.run(
        [BIN / program, *arguments], cwd=directory, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("target", [50, 80, 100, 125])
def test_ecp5_dividers(tmp_path: Path, target: int) -> None:
    # The tool sees no absolute path under /tmp
    calculator("yowasp-ecppll", "-i", "25", "-o", str(target), "-f", "pll.v", directory=tmp_path)
    text = (tmp_path / "pll.v").read_text()
    found = [
        int(re.search(rf"\.{name}\((\d+)\)", text)[1]) for name in ("CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV")
    ]
    ours = dividers("ecp5", 25e6, target * 1e6)
    assert [ours.reference, ours.feedback, ours.post] == found


@pytest.mark.parametrize("target", [18, 24, 30, 36])
def test_ice40_dividers(target: int) -> None:
    text = calculator("yowasp-icepll", "-i", "12", "-o", str(target))
    found = [int(re.search(rf"{name}:\s*(\d+)", text)[1]) for name in ("DIVR", "DIVF", "DIVQ")]
    ours = dividers("ice40", 12e6, target * 1e6)
    assert [ours.reference - 1, ours.feedback - 1, ours.post.bit_length() - 1] == found


@pytest.mark.parametrize("target", [48, 54, 60])
def test_gowin_dividers(target: int) -> None:
    text = calculator("gowin_pll", "-d", "GW1NR-9 C6/I5", "-i", "27", "-o", str(target))
    found = [int(re.search(rf"\.{name}\((\d+)\)", text)[1]) for name in ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")]
    ours = dividers("gowin", 27e6, target * 1e6)
    assert (ours.feedback / ours.reference) == (found[1] + 1) / (found[0] + 1)
    assert 400e6 <= ours.oscillator <= 1200e6


def test_clock_out_of_reach() -> None:
    with pytest.raises(InputError, match="attainable from 12 MHz by the PLL of ice40, not 500 MHz"):
        dividers("ice40", 12e6, 500e6)


def test_clock_is_constrained_by_a_name_that_synthesis_keeps(echo: Design) -> None:
    """The port of the clock source: names inside it are lost where they stand for the same net."""
    found = BOARDS["ulx3s-85f"]
    lines = generate(found, board_top(found, echo, found.clock))["top.lpf"].splitlines()
    nets = [line for line in lines if line.startswith("FREQUENCY NET")]
    assert nets == [f'FREQUENCY NET "clock.clk" {found.clock} HZ;']


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_clock_and_serial_pins(echo: Design, name: str) -> None:
    board = BOARDS[name]
    files = generate(board, board_top(board, echo, board.clock))
    text = files[f"top{board.family.constraints}"]
    # the port of the pin, as each family writes it
    for pin in ("rx", "tx"):
        assert re.search(
            rf'(LOCATE COMP "uart_0__{pin}__io"|set_io uart_0__{pin}__io|IO_LOC "uart_0__{pin}__io")', text
        )
    assert board.place_options
