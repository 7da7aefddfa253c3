"""Proof of the memory of scores: no word that is shown is read in the cycle in which it is written."""

from dataclasses import replace

from amaranth.hdl import Assert, Assume, Cover

from hw.attention import score_memory, winner_sequencer
from tests.proofs.attention.ramp_sequencer import CONFIG as REGISTERS
from tests.proofs.property import Fault, Property

CONFIG = replace(REGISTERS, score_store="memory")


class StoredScoresDoNotCollide(Property):
    """No scores move to slot 0 in the cycle in which they are stored, and what moves there was stored.

    Assumes: scores are handed over only while the search is free, slot 0 is released only while it holds
    scores."""

    component = "attention/score_memory"
    cases = ({}, {"tokens": 1})
    reach = 40
    faults = (
        Fault(module=score_memory, old="newest + self.copy", new="newest + self.copy - self.leave"),
        Fault(module=winner_sequencer, old="held[n + 1] & (~held[n]", new="(~held[n]"),
    )

    def build(self, tokens: int = CONFIG.tokens) -> None:
        m = self.m
        config = replace(CONFIG, tokens=tokens)
        search = self.opened("search", winner_sequencer.WinnerSequencer(config))
        scores = self.opened("scores", score_memory.ScoreMemory(config))
        ports, strobe = search.ports, search.ports.o_command.strobe
        m.d.comb += [
            Assume(~ports.take | ports.free),
            Assume(~ports.release_slot | search["held"][0]),
            scores.ports.copy.eq(strobe.copy),
            scores.ports.leave.eq(strobe.move[0]),
        ]
        write, read = scores["write"], scores["read"]
        waiting = sum(search["held"][1:])  # in all slots but the first
        m.d.comb += [
            Assert(~(write.en & read.en & (write.addr == read.addr))),
            Assert((scores["newest"] - scores["oldest"])[: len(read.addr)] == waiting),
            Assert(~read.en | (waiting != 0)),
            Cover(write.en & read.en),
            Cover(search["held"].all()),
        ]
