"""Proofs of the stage that puts scores on the winner search."""

from amaranth.hdl import Assert, Assume, Cover, Signal

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import winner_sequencer
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=1, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


class SearchHasNoPauses(Property):
    """From its first bit to its last a search goes on in every cycle, as many as a score has bits and one for
    `alive`: a one that moves on in every cycle chooses the bit whose turn it is.

    Assumes: scores are handed over only while the search is free. Slots become free at any time."""

    component = "attention/winner_sequencer"
    reach = 40
    faults = (
        Fault(module=winner_sequencer, old="(~first | (used != slots))", new="(used != slots)"),
        Fault(module=winner_sequencer, old="search & first),", new="search),"),
    )

    def build(self) -> None:
        m = self.m
        search = self.unit("search", winner_sequencer.WinnerSequencer(CONFIG))
        strobe, bits = search.o_command.strobe, CONFIG.score_width + 1
        count = Signal(range(bits + 1))  # of the bits of the number that is searched
        m.d.comb += Assume(~search.take | search.free)
        with m.If(strobe.search):
            m.d.sync += count.eq(count + 1)
            with m.If(search.o_command.data.last):
                m.d.sync += count.eq(0)
        m.d.comb += [
            Assert((count == 0) | strobe.search),
            Assert(strobe.first == (strobe.search & (count == 0))),
            Assert(~strobe.search | (search.o_command.data.last == (count == bits - 1))),
            Cover(strobe.first),
            Cover(strobe.search & search.o_command.data.last),
        ]
