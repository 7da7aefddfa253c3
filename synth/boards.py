"""The boards: what is on them, at which clock they are run, and how they are programmed.

Pins and constraints come from amaranth-boards; the rest is here. Device sizes are those that nextpnr
reports for the part.
"""

import importlib
from dataclasses import dataclass, field
from typing import Any

from golden.errors import InputError, quoted
from golden.memory import ULX3S_SDRAM, SdramChip
from hw.board.clock import dividers
from synth.families import FAMILIES, Family


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board on which the core runs.

    Attributes:
        name: as the user types it.
        title: as people call it.
        family: of its FPGA.
        device: part number.
        platform: module and class in amaranth_boards.
        logic_cells, flip_flops, block_rams, dsps: what the device has; a logic cell holds one LUT4.
        preset: made where none is named.
        clock: Hz; of the design unless the budget of a preset names another.
        baud: bits per second of the serial line.
        buffer_bytes: stores of the link, each direction; bounds what is on its way over USB.
        loaders: programs that configure the board, each with its arguments before the bitstream; the
            first that is found is used.
        suffix: of the bitstream file.
        place_options: options of place and route that name the device.
        memory: the chip for streamed weights; None where there is none that is used.
    """

    name: str
    title: str
    family: Family
    device: str
    platform: str
    logic_cells: int
    flip_flops: int
    block_rams: int
    dsps: int
    preset: str
    clock: float
    baud: float
    buffer_bytes: int
    loaders: tuple[tuple[str, ...], ...]
    suffix: str
    place_options: tuple[str, ...] = field(default=())
    memory: SdramChip | None = None

    def make_platform(self) -> Any:
        """A fresh amaranth-boards platform; one serves one design."""
        module, name = self.platform.split(":")
        return getattr(importlib.import_module(f"amaranth_boards.{module}"), name)()

    def check_clock(self, clock: float) -> None:
        """Raise InputError unless the PLL can make this clock, and the clock the bit rate."""
        self.divisor(clock)
        dividers(self.family.name, self.make_platform().default_clk_frequency, clock)

    def divisor(self, clock: float) -> int:
        """Clock cycles per bit of the serial line.

        Raises:
            InputError: the clock cannot make the bit rate within 2 %.
        """
        divisor = max(1, round(clock / self.baud))
        if abs(clock / divisor - self.baud) > 0.02 * self.baud:
            raise InputError(
                f"clock of {self.name} must make {self.baud:g} baud within 2 %, {clock / 1e6:g} MHz does not"
            )
        return divisor


BOARDS = {
    board.name: board
    for board in (
        Board(
            name="ulx3s-85f",
            title="Radiona ULX3S, ECP5-85F",
            family=FAMILIES["ecp5"],
            device="LFE5U-85F-6BG381C",
            platform="ulx3s:ULX3S_85F_Platform",
            logic_cells=83640,
            flip_flops=83640,
            block_rams=208,
            dsps=156,
            preset="default",
            clock=100e6,
            baud=2e6,
            buffer_bytes=8192,
            loaders=(("openFPGALoader", "-b", "ulx3s"), ("fujprog",)),
            suffix=".bit",
            place_options=("--85k", "--package", "CABGA381", "--speed", "6"),
            memory=ULX3S_SDRAM,
        ),
        Board(
            name="icebreaker",
            title="1BitSquared iCEBreaker, iCE40UP5K",
            family=FAMILIES["ice40"],
            device="iCE40UP5K-SG48",
            platform="icebreaker:ICEBreakerPlatform",
            logic_cells=5280,
            flip_flops=5280,
            block_rams=30,
            dsps=8,
            preset="pico",
            clock=24e6,
            baud=2e6,
            buffer_bytes=1024,
            loaders=(("openFPGALoader", "-b", "ice40_generic"), ("iceprog",)),
            suffix=".bin",
            place_options=("--up5k", "--package", "sg48"),
        ),
        Board(
            name="tangnano9k",
            title="Sipeed Tang Nano 9K, GW1NR-9C",
            family=FAMILIES["gowin"],
            device="GW1NR-LV9QN88PC6/I5",
            platform="tang_nano_9k:TangNano9kPlatform",
            logic_cells=8640,
            flip_flops=6480,
            block_rams=26,
            dsps=20,
            preset="tiny",
            clock=54e6,
            baud=2e6,
            buffer_bytes=2048,
            loaders=(("openFPGALoader", "-b", "tangnano9k"),),
            suffix=".fs",
            place_options=("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
        ),
    )
}


def find_board(name: str) -> Board:
    """The board of this name.

    Raises:
        InputError: there is none.
    """
    if name not in BOARDS:
        raise InputError(f"board must be one of {', '.join(BOARDS)}, not {quoted(name)}")
    return BOARDS[name]
