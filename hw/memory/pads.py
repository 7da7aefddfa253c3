"""The pins of an SDRAM chip on a board."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In

from golden.memory import SdramChip
from hw.memory import payloads
from hw.memory.weights import DOMAIN

# Clock domain of the chip: that of `memory`, three quarters of a period later. What the chip sees changes
# long before and after its edges. What it answers within 5.4 ns, with two pads on the way, is there at the
# edge after the next, and stays until 2.5 ns and the pads behind its own next edge
CHIP_DOMAIN = "sdram"


class SdramPads(wiring.Component):
    """A register at every pin, in each direction, and the chip's clock.

    Members:
        sdram: the other side of a controller's pins.
    """

    def __init__(self, chip: SdramChip) -> None:
        super().__init__({"sdram": In(wiring.Signature(payloads.pins(chip)))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        sdram = self.sdram
        names = [part.name for part in platform.lookup("sdram", 0).ios if hasattr(part, "ios")]
        port = platform.request("sdram", 0, dir=dict.fromkeys(names, "-"))
        # the board's pins are named by what they do, not by their level
        outputs = {
            "clk_en": sdram.cke,
            "cs": ~sdram.cs_n,
            "ras": ~sdram.ras_n,
            "cas": ~sdram.cas_n,
            "we": ~sdram.we_n,
            "ba": sdram.ba,
            "a": sdram.a,
            "dqm": sdram.dqm,
        }
        for name, value in outputs.items():
            m.submodules[name] = pad = io.FFBuffer("o", getattr(port, name), o_domain=DOMAIN)
            m.d.comb += pad.o.eq(value)
        m.submodules.dq = dq = io.FFBuffer("io", port.dq, i_domain=DOMAIN, o_domain=DOMAIN)
        m.d.comb += [dq.o.eq(sdram.dq_o), dq.oe.eq(sdram.dq_oe), sdram.dq_i.eq(dq.i)]
        m.submodules.clock = clock = io.DDRBuffer("o", port.clk, o_domain=CHIP_DOMAIN)
        m.d.comb += [clock.o[0].eq(1), clock.o[1].eq(0)]
        return m
