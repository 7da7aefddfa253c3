"""Designs that a board has no room for: what is short, and what would have it."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.attention.config import PRESETS
from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.program import config_for
from hw.parts.memory import BLOCK, LUT_RAM
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from synth.boards import BOARDS
from synth.design import Design
from synth.families import FAMILIES
from synth.figures import BUILDS
from synth.fit import MemoryNeed, blocks, check_fit, check_memories, memories, where_else
from synth.netlist import Resources
from tests.golden.network.samples import converted, random_images, random_transformer


class Store(wiring.Component):
    """A memory, read with a clock or at once."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def __init__(
        self, depth: int, domain: str = "sync", width: int = 16, attributes: Mapping[str, str] | None = None
    ) -> None:
        self.depth, self.domain, self.width, self.attributes = depth, domain, width, attributes
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = memory = Memory(
            shape=signed(self.width), depth=self.depth, init=[], attrs=self.attributes
        )
        write, read = memory.write_port(), memory.read_port(domain=self.domain)
        m.d.comb += [write.en.eq(self.i.valid), write.data.eq(self.i.payload), read.addr.eq(self.i.payload)]
        m.d.comb += [self.o.payload.eq(read.data), self.o.valid.eq(1), self.i.ready.eq(1)]
        return m


def test_memories_that_must_be_block_ram() -> None:
    (memory,) = memories(Store(512))
    assert (memory.name, memory.width, memory.depth) == ("top.words", 16, 512)
    assert memories(Store(511)) == memories(Store(4096, "comb")) == []
    assert memories(Store(512, attributes=BLOCK)) == [memory]
    assert memories(Store(512, attributes=LUT_RAM)) == []


@pytest.mark.parametrize(
    ("width", "depth", "ecp5", "ice40"),
    [(36, 512, 1, 5), (37, 512, 2, 5), (36, 513, 2, 9), (1, 16384, 1, 8), (64, 2048, 8, 32)],
)
def test_shapes_of_a_block_ram(width: int, depth: int, ecp5: int, ice40: int) -> None:
    memory = MemoryNeed("m", width, depth)
    wanted = {"ecp5": ecp5, "gowin": ecp5, "ice40": ice40}
    assert {name: memory.block_rams(family) for name, family in FAMILIES.items()} == wanted


def test_memories_are_counted_from_below() -> None:
    """Of the smallest preset on each board that it was built for: no more than its bitstream has."""
    rows = {(row["board"], row["design"]): row["block_rams"] for row in json.loads(BUILDS.read_text())}
    design = SpikedAttentionCore(PRESETS["pico"]).design("pico")
    tried = [BOARDS[board] for board, name in rows if name == "pico"]
    assert len({board.family.name for board in tried}) == 3
    for board in tried:
        least = sum(blocks(memories(design.make()), board).values())
        assert 0 < least <= rows[board.name, "pico"]


def test_the_memory_that_is_too_large() -> None:
    design = Design(name="store", make=lambda: Store(1 << 16))
    small, large = BOARDS["tangnano9k"], BOARDS["ulx3s-85f"]
    says = (
        r"^store must fit .* of tangnano9k, it needs at least 66 block RAMs \(it has 26\), 64 of them for "
        r"top.words; the smallest board that has as much is ulx3s-45f$"
    )
    with pytest.raises(InputError, match=says):
        check_memories(small, design)
    check_memories(large, design)
    huge = replace(design, make=lambda: Store(1 << 18))
    with pytest.raises(InputError, match=r"256 of them for top.words; no board has as much$"):
        check_memories(large, huge)
    less = replace(huge, smaller=("in pieces", lambda: design))
    with pytest.raises(InputError, match=r"no board has as much, in pieces ulx3s-45f$"):
        check_memories(large, less)
    still = replace(huge, smaller=("in pieces", lambda: huge))
    with pytest.raises(InputError, match=r"no board has as much, nor in pieces$"):
        check_memories(large, still)
    same = replace(design, smaller=("in pieces", lambda: design))
    with pytest.raises(InputError, match=r"as much is ulx3s-45f$"):
        check_memories(small, same)


def test_lut_ram_where_there_is_none() -> None:
    design = Design(name="store", make=lambda: Store(512, attributes=LUT_RAM))
    for board in ("icebreaker", "tangnano9k"):
        family = BOARDS[board].family.name
        says = (
            f"its memory top.words asks for LUT RAM, which designs for {family} do without; .* is ulx3s-25f$"
        )
        with pytest.raises(InputError, match=says):
            check_memories(BOARDS[board], design)
    check_memories(BOARDS["ulx3s-12f"], design)


def test_cells_that_are_too_many() -> None:
    """Counted in a family they are known for its boards; others must have as many LUTs."""
    design = Design(name="store", make=lambda: Store(512))
    need = Resources(lut4=15000, flip_flops=5000, block_rams=5, dsps=0, logic_cells=20000)
    nano, prime, small = (BOARDS[name] for name in ("tangnano9k", "tangprimer20k", "ulx3s-12f"))
    with pytest.raises(InputError, match=r"it needs 20000 logic cells .* is tangprimer20k$"):
        check_fit(nano, design, need)
    with pytest.raises(InputError, match=r"it needs 21000 logic cells .* is ulx3s-25f$"):
        check_fit(prime, design, replace(need, logic_cells=21000))
    with pytest.raises(InputError, match=r"it needs 30000 logic cells .* is ulx3s-45f$"):
        check_fit(small, design, replace(need, logic_cells=30000))
    with pytest.raises(InputError, match=r"it needs 90000 logic cells .*; no board has as much$"):
        check_fit(small, design, replace(need, logic_cells=90000))
    estimated = replace(design, estimate=lambda family: need)
    assert where_else(estimated) == "the smallest board that has as much is tangprimer20k"


def test_a_network_whose_weights_are_too_many() -> None:
    """Streamed they need a board with a memory; the core of few weights is never refused."""
    network = converted(random_transformer(1, hidden=512, blocks=2), random_images(2, 4), PhaseCode(steps=8))
    core = WholeNetworkCore(config_for(network, 8))
    design = core.design("wide", NetworkJob(network=network))
    board = BOARDS["icebreaker"]
    says = (
        r"it needs at least \d+ block RAMs \(it has 30\), \d+ of them for cluster.weights; the smallest "
        r"board that has as much is ulx3s-45f, with --streamed "
        r"ulx3s-25f$"
    )
    with pytest.raises(InputError, match=says):
        check_memories(board, design)
    streamed = WholeNetworkCore(config_for(network, 8, weight_stream=16)).design("less")
    assert where_else(streamed) == "the smallest board that has as much is ulx3s-25f"
