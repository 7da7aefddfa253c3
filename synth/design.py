"""What is put on a board: a component, its link, and what the board will say of itself."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amaranth.back import rtlil
from amaranth.lib import wiring

from golden.errors import InputError
from golden.memory import MemoryConfig
from hw.board.top import BoardTop
from hw.link.channels import ChannelMap
from hw.link.link import Link, frame_bytes
from hw.link.protocol import VERSION
from synth.boards import Board
from synth.families import Family
from synth.netlist import Resources

DIGEST_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Design:
    """A component to put behind a link.

    Attributes:
        name: short, part of file names; the preset where there is one.
        make: a fresh component.
        parameters: what it was generated from, as plain values.
        lanes: token lanes, to report resources per lane; 0 where there are none.
        estimate: resources that it is expected to need on a family, known before synthesis to within
            `synth.estimate.TOLERANCE`; None where that is not known.
        dsp: its products go to DSP blocks.
        smaller: another form that does the same with less of the device: what to ask for, and the design.
    """

    name: str
    make: Callable[[], wiring.Component]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    lanes: int = 0
    estimate: Callable[[Family], Resources | None] = lambda family: None
    dsp: bool = False
    smaller: "tuple[str, Callable[[], Design]] | None" = None


def component_digest(component: wiring.Component) -> str:
    """16 hexadecimal digits that stand for the generated hardware, whatever its source text."""
    text = rtlil.convert(component, emit_src=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def identification(board: Board, design: Design, clock: float) -> bytes:
    """What the board answers to OPEN: compact JSON, see `docs/link.md`."""
    component = design.make()
    table = {
        "link": VERSION,
        "digest": component_digest(component),
        "design": design.name,
        "board": board.name,
        "clock": round(clock),
        "receive_bytes": board.buffer_bytes,
        "transmit_bytes": board.buffer_bytes,
        "frame_bytes": frame_bytes(board.buffer_bytes),
        "streams": ChannelMap.of(component.signature).to_table(),
        "parameters": dict(design.parameters),
    }
    return json.dumps(table, separators=(",", ":")).encode()


def memory_of(board: Board, component: wiring.Component, clock: float) -> MemoryConfig | None:
    """The board's memory where a component needs one.

    Raises:
        InputError: the board has none, or it cannot follow the clock.
    """
    if "memory" not in component.signature.members:
        return None
    if board.memory is None:
        raise InputError(f"{board.name} must have a memory for streamed weights, it has none")
    return MemoryConfig(chip=board.memory, clock=clock)


def board_top(board: Board, design: Design, clock: float) -> BoardTop:
    """The design on its board's pins.

    Args:
        clock: Hz.

    Raises:
        InputError: the clock cannot make the board's bit rate, the component cannot be linked, or it needs a
            memory that the board does not have or that cannot follow the clock.
    """
    component = design.make()
    memory = memory_of(board, component, clock)
    link = Link(
        component,
        ident=identification(board, design, clock),
        divisor=board.divisor(clock),
        receive_depth=board.buffer_bytes,
        transmit_depth=board.buffer_bytes,
    )
    return BoardTop(link, board.family.name, clock, memory)
