"""Whether a device has what a design needs; if not, which board would have it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from amaranth.hdl import Fragment, Shape
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib import wiring

from golden.errors import InputError
from hw.parts.memory import LUT_RAM
from synth.boards import BOARDS, Board
from synth.design import Design
from synth.families import Family
from synth.netlist import Resources

# Of fewer bits a memory may as well be LUTs; one of more is block RAM in every family
LEAST_BITS = 1 << 13
LINK_BITS = 8  # of a word of the link's stores


@dataclass(frozen=True)
class MemoryNeed:
    """A memory of a design.

    Attributes:
        name: its unit, and what it is called there; units of one kind share a name.
        width: bits of a word; depth: words.
    """

    name: str
    width: int
    depth: int

    def block_rams(self, family: Family) -> int:
        """The least that hold it: of one shape each, side by side and one behind another."""
        return min(-(-self.width // width) * -(-self.depth // depth) for width, depth in family.block_shapes)


def memories(component: wiring.Component) -> list[MemoryNeed]:
    """Those of a component that are read with a clock, and too large for LUTs; slices of one
    (`hw.parts.sliced_memory`) have its name."""
    return [
        need
        for need, memory in _every_memory(component)
        if not _asks_for_lut_ram(memory)
        and all(port._domain != "comb" for port in memory._read_ports)
        and need.width * need.depth >= LEAST_BITS
    ]


def _asks_for_lut_ram(memory: MemoryInstance) -> bool:
    return bool(memory._attrs.get("ram_style") == LUT_RAM["ram_style"])


def _every_memory(component: wiring.Component) -> list[tuple[MemoryNeed, MemoryInstance]]:
    def walk(fragment: Any, unit: str) -> Iterator[tuple[MemoryNeed, MemoryInstance]]:
        for part, name, _ in fragment.subfragments:
            if not isinstance(part, MemoryInstance):
                yield from walk(part, unit if name == "memory" else re.sub(r"_\d+$", "", str(name)))
            else:
                need = MemoryNeed(
                    unit if name == "memory" or str(name).startswith("slice_") else f"{unit}.{name}",
                    Shape.cast(part._data.shape).width,
                    part._data.depth,
                )
                yield need, part

    return list(walk(Fragment.get(component, None), "top"))


def needs_lut_ram(component: wiring.Component) -> str | None:
    """Name of a memory that asks for LUT RAM, None if there is none."""
    return next((need.name for need, memory in _every_memory(component) if _asks_for_lut_ram(memory)), None)


def blocks(own: list[MemoryNeed], board: Board) -> Counter[str]:
    """Least block RAMs of a component's memories and of the stores of its link, by their names."""
    needed = [*own, *[MemoryNeed("link", LINK_BITS, board.buffer_bytes)] * 2]
    total: Counter[str] = Counter()
    for memory in needed:
        total[memory.name] += memory.block_rams(board.family)
    return total


def check_memories(board: Board, design: Design) -> None:
    """Raise InputError if the memories of a design need more block RAMs than a board has, or LUT RAM where
    there is none.

    Block RAMs are counted from below, so that whatever has a bitstream passes.
    """
    component = design.make()
    if (name := needs_lut_ram(component)) is not None and not board.family.lut_ram:
        raise InputError(
            f"{design.name} must fit {board.device} of {board.name}, its memory {name} asks for LUT RAM, "
            f"which designs for {board.family.name} do without; {where_else(design, board)}"
        )
    needed = blocks(memories(component), board)
    least = sum(needed.values())
    if least > board.block_rams:
        name, most = needed.most_common(1)[0]
        raise InputError(
            f"{design.name} must fit {board.device} of {board.name}, it needs at least {least} block RAMs "
            f"(it has {board.block_rams}), {most} of them for {name}; {where_else(design, board)}"
        )


def check_fit(
    board: Board, design: Design, need: Resources, how: str = "needs", *, tolerance: float = 0
) -> None:
    """Raise InputError unless the device has what a design needs.

    Args:
        how: the verb, needs or is estimated to need.
        tolerance: share of `need` that it may be less in truth.
    """
    short = [
        f"{want} {what} (it has {has})"
        for what, (want, has) in pairs(board, need).items()
        if int(want * (1 - tolerance)) > has
    ]
    if short:
        raise InputError(
            f"{design.name} must fit {board.device} of {board.name}, it {how} {', '.join(short)}; "
            f"{where_else(design, board, need)}"
        )


def pairs(board: Board, need: Resources) -> dict[str, tuple[int, int]]:
    """What is needed and what there is."""
    return {
        "logic cells": (need.logic_cells, board.logic_cells),
        "flip-flops": (need.flip_flops, board.flip_flops),
        "block RAMs": (need.block_rams, board.block_rams),
        "DSPs": (need.dsps, board.dsps),
    }


def where_else(design: Design, board: Board | None = None, need: Resources | None = None) -> str:
    """The smallest board that has as much as a design needs, and, where it has a smaller form, as that needs.

    Args:
        board: that is too small.
        need: what was counted there.
    """
    found = smallest_board(design, board, need)
    says = f"the smallest board that has as much is {found.name}" if found else "no board has as much"
    if design.smaller is None:
        return says
    way, smaller = design.smaller
    other = smallest_board(smaller())
    if found is None and other is None:
        return f"{says}, nor {way}"
    smallest = found is None or (other is not None and size(other) < size(found))
    return f"{says}, {way} {other.name}" if other and smallest else says


def smallest_board(design: Design, board: Board | None = None, need: Resources | None = None) -> Board | None:
    """The smallest board whose block RAMs hold a design's memories and whose cells are as many as it needs;
    None if there is none. See `where_else`."""
    component = design.make()
    streamed = "memory" in component.signature.members
    own, lut_ram = memories(component), needs_lut_ram(component) is not None
    for other in sorted(BOARDS.values(), key=size):
        if board is not None and (other == board or size(other) < size(board)):
            continue
        if (streamed and other.memory is None) or (lut_ram and not other.family.lut_ram):
            continue
        least = sum(blocks(own, other).values())
        if least <= other.block_rams and has(other, design, board, need):
            return other
    return None


def has(other: Board, design: Design, board: Board | None, need: Resources | None) -> bool:
    """Whether a board has the cells that a design needs, as far as that is known there."""
    estimated = design.estimate(other.family)
    if board is not None and need is not None and other.family == board.family:
        known = need
    elif estimated is not None:
        known = estimated
    elif need is not None:
        # cells of another family are other cells, and its block RAMs those that the memories need
        known = replace(need, logic_cells=need.lut4, block_rams=0)
    else:
        return True
    return all(want <= there for want, there in pairs(other, known).values())


def size(board: Board) -> tuple[int, int]:
    return board.logic_cells, board.block_rams
