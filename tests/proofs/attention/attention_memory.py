"""Proof of the memory of attention spikes: none that is used is read in the cycle in which it is written."""

from dataclasses import replace

from amaranth.hdl import Assert, Cover

from hw.attention import attention_memory, context_sequencer, ramp_sequencer
from hw.attention.local_trace import LocalTraceMemory
from tests.proofs.attention.score_memory import CONFIG
from tests.proofs.property import Fault, Property


class AttentionSpikesDoNotCollide(Property):
    """No attention spikes are read for a column in the cycle in which they are written, in whatever cluster:
    steps of the ramp and columns reach every cluster in as many cycles.

    Assumes: nothing. Heads, winners, values, room and pauses are any; what writes and what reads need not
    even agree on the size of a head."""

    component = "attention/attention_memory"
    cases = ({}, {"tokens": 1})
    reach = 40
    faults = (
        Fault(module=attention_memory, old="2 - AttentionMemory.latency(config)", new="2"),
        Fault(module=ramp_sequencer, old="(used != 2)", new="1"),
        Fault(module=context_sequencer, old="(self.phases != 0) & room", new="room"),
    )

    def build(self, tokens: int = CONFIG.tokens) -> None:
        m = self.m
        config = replace(CONFIG, tokens=tokens)
        ramp = self.unit("ramp", ramp_sequencer.RampSequencer(config))
        context = self.unit("context", context_sequencer.ContextSequencer(config))
        memory = self.opened("memory", attention_memory.AttentionMemory(config))
        early = LocalTraceMemory.latency - memory.ports.latency(config)
        m.d.comb += [
            context.phases.eq(ramp.phases),
            ramp.release_phases.eq(context.release_phases),
            memory.ports.command.eq(self.later(ramp.o_command)),
            memory.ports.entry.eq(self.later(context.o_command.data.entry, 1 + early)),
        ]
        write, read = memory["write"], memory["read"]
        used = self.later(context.o_command.strobe.read, 1 + early)
        m.d.comb += [
            Assert(~(write.en & used & (write.addr == read.addr))),
            Cover(write.en & used),
            Cover(write.en & (write.addr == read.addr)),
        ]
