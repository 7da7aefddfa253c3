"""The boards: what is on them, at which clock they are run, and how they are programmed.

Pins and constraints come from amaranth-boards; the rest is here. Device sizes are those that nextpnr
reports for the part.
"""

import importlib
import math
from dataclasses import dataclass
from typing import Any

from amaranth.build import Attrs
from amaranth_boards.resources import UARTResource

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
        serial: pins rx and tx of the connector "io", for a board without a serial port.
        logic_cells, flip_flops, block_rams, dsps: what the device has; a logic cell holds one LUT4.
        preset: made where none is named.
        clock: Hz; of the design unless the budget of a preset names another.
        baud: bits per second of the serial line.
        buffer_bytes: stores of the link, each direction; bounds what is on its way over USB.
        loaders: programs that configure the board, each with its arguments before the bitstream; the
            first that is found is used.
        suffix: of the bitstream file.
        place_options, pack_options: of place and route, and of the packer, that name the device.
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
    place_options: tuple[str, ...]
    pack_options: tuple[str, ...] = ()
    serial: tuple[str, str] | None = None
    memory: SdramChip | None = None

    def make_platform(self) -> Any:
        """A fresh amaranth-boards platform; one serves one design."""
        module, name = self.platform.split(":")
        platform = getattr(importlib.import_module(f"amaranth_boards.{module}"), name)()
        if self.serial is not None:
            rx, tx = self.serial
            attributes = Attrs(IO_TYPE="LVCMOS33")
            platform.add_resources([UARTResource(0, rx=rx, tx=tx, conn=("io", 0), attrs=attributes)])
        return platform

    def check_clock(self, clock: float) -> None:
        """Raise InputError unless the PLL can make this clock, and the clock the bit rate."""
        self.divisor(clock)
        dividers(self.family.name, self.make_platform().default_clk_frequency, clock)

    def divisor(self, clock: float) -> int:
        """Clock cycles per bit of the serial line.

        Raises:
            InputError: the clock cannot make the bit rate within 2 %.
        """
        divisor = max(1, round(clock / self.baud)) if math.isfinite(clock) else 1
        if not abs(clock / divisor - self.baud) <= 0.02 * self.baud:
            raise InputError(
                f"clock of {self.name} must make {self.baud:g} baud within 2 %, {clock / 1e6:g} MHz does not"
            )
        return divisor


def _ecp5(
    name: str,
    title: str,
    size: str,
    platform: str,
    package: tuple[str, str],
    preset: str,
    *loaders: str,
    **more: Any,
) -> Board:
    """A board with an ECP5.

    Args:
        size: of the device, such as 85F; a 12F has what a 25F has.
        package: as its part number names it, with the speed, and as nextpnr does.
        loaders: openFPGALoader's name of the board, and other programs that load it.
    """
    cells, memories, multipliers = {
        "12F": (24288, 56, 28),
        "25F": (24288, 56, 28),
        "45F": (43848, 108, 72),
        "85F": (83640, 208, 156),
    }[size]
    part, long = package
    return Board(
        name=name,
        title=f"{title}, ECP5-{size}",
        family=FAMILIES["ecp5"],
        device=f"LFE5U-{size}-{part}",
        platform=platform,
        logic_cells=cells,
        flip_flops=cells,
        block_rams=memories,
        dsps=multipliers,
        preset=preset,
        clock=100e6,
        baud=2e6,
        buffer_bytes=8192,
        loaders=(("openFPGALoader", "-b", loaders[0]), *((name,) for name in loaders[1:])),
        suffix=".bit",
        place_options=(f"--{size[:-1]}k", "--package", long, "--speed", part[0]),
        **more,
    )


def _ulx3s(size: str, preset: str) -> Board:
    return _ecp5(
        f"ulx3s-{size.lower()}",
        "Radiona ULX3S",
        size,
        f"ulx3s:ULX3S_{size}_Platform",
        ("6BG381C", "CABGA381"),
        preset,
        "ulx3s",
        "fujprog",
        memory=ULX3S_SDRAM,
    )


BOARDS = {
    board.name: board
    for board in (
        _ulx3s("85F", "default"),
        _ulx3s("45F", "default"),
        _ulx3s("25F", "digits"),
        _ulx3s("12F", "digits"),
        _ecp5(
            "icepi-zero",
            "Icepi Zero",
            "25F",
            "icepi_zero:IcepiZero1_3Platform",
            ("6BG256C", "CABGA256"),
            "digits",
            "icepi-zero",
        ),
        _ecp5(
            "orangecrab-25f",
            "OrangeCrab r0.2",
            "25F",
            "orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
            ("8MG285C", "CSFBGA285"),
            "digits",
            "orangeCrab",
            # RX and TX of the Feather pins
            serial=("0", "1"),
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
            pack_options=("-d", "GW1N-9C"),
        ),
        Board(
            name="tangprimer20k",
            title="Sipeed Tang Primer 20K on its dock, GW2A-18C",
            family=FAMILIES["gowin"],
            device="GW2A-LV18PG256C8/I7",
            platform="tang_primer_20k:TangPrimer20kDockPlatform",
            logic_cells=20736,
            flip_flops=15552,
            block_rams=46,
            dsps=48,
            preset="digits",
            clock=54e6,
            baud=2e6,
            buffer_bytes=2048,
            loaders=(("openFPGALoader", "-b", "tangprimer20k"),),
            suffix=".fs",
            place_options=("--device", "GW2A-LV18PG256C8/I7", "--vopt", "family=GW2A-18C"),
            pack_options=("-d", "GW2A-18C"),
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
