"""Memories and term chains with their loaders, joined as in the core, with streams around them.

Clusters see everything one cycle after each other, as in `hw.attention.cluster`.
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.local_trace import LocalTraceMemory
from hw.attention.terms_chain import TermsChain
from hw.attention.terms_loader import TermsLoader
from hw.attention.trace_loader import TraceLoader
from hw.parts.payloads import spike
from tests.hw.attention.wrappers import delay, free


def present_only(m: Module, lanes: Any, values: Any, present: Any) -> None:
    """Values of the lanes that hold a token; 0 for the others, whatever they kept."""
    for lane, (target, value) in enumerate(zip(lanes, values, strict=True)):
        with m.If(present > lane):
            m.d.comb += target.eq(value)


class LoadedMemories(wiring.Component):
    """Loader and memories of all clusters.

    Members: those of the loader that face the streams and the score sequencer, and
        i_read: word to read, and how many lanes of it count.
        o_word: the spikes of all lanes.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._loader = TraceLoader(config)
        members = self._loader.signature.members
        read = {"address": payloads.memory_address(config), "present": bits_for(config.lanes)}
        super().__init__(
            {name: members[name] for name in ("i_head", "i", "full", "release")}
            | {
                "i_read": In(free(data.StructLayout(read))),
                "o_word": Out(free(data.ArrayLayout(spike(config.code), config.lanes))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clusters = self._config.clusters
        m.submodules.loader = loader = self._loader
        connect(m, flipped(self.i_head), loader.i_head)
        connect(m, flipped(self.i), loader.i)
        m.d.comb += [self.full.eq(loader.full), loader.release.eq(self.release)]
        command, spike, address = loader.o_command, loader.o_spike, self.i_read.payload.address
        words = []
        for n in range(clusters):
            m.submodules[f"memory_{n}"] = memory = LocalTraceMemory(self._config)
            command, address = (delay(m, value, 1) for value in (command, address))
            m.d.comb += [memory.command.eq(command), memory.i.eq(spike), memory.address.eq(address)]
            spike = memory.o
            word = delay(m, memory.spikes, clusters - 1 - n)
            words += [word[lane] for lane in range(self._config.cluster)]
        m.d.comb += self.o_word.valid.eq(delay(m, self.i_read.valid, clusters + 2))
        present_only(m, self.o_word.payload, words, delay(m, self.i_read.payload.present, clusters + 2))
        return m


class LoadedTerms(wiring.Component):
    """Loader and chain of terms of all clusters.

    Members: `i_head` and `i` of the loader, and
        i_consume: take the terms of the next pass; how many lanes count.
        o_terms: the terms that the score lanes see.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._loader = TermsLoader(config)
        members = self._loader.signature.members
        super().__init__(
            {
                "i_head": members["i_head"],
                "i": members["i"],
                "i_consume": In(stream.Signature(bits_for(config.lanes))),
                "o_terms": Out(free(data.ArrayLayout(payloads.term(config), config.lanes))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clusters = self._config.clusters
        m.submodules.loader = loader = self._loader
        connect(m, flipped(self.i_head), loader.i_head)
        connect(m, flipped(self.i), loader.i)
        consume = Signal()
        m.d.comb += [
            self.i_consume.ready.eq(loader.full),
            consume.eq(self.i_consume.valid & loader.full),
            loader.consume.eq(consume),
        ]
        # one cycle in the sequencer, one in the cluster, four until the addends are there
        way = 6
        shift, entering = loader.o_shift, loader.o_terms
        lanes = []
        for n in range(clusters):
            m.submodules[f"chain_{n}"] = chain = TermsChain(self._config)
            shift = delay(m, shift, 1)
            m.d.comb += [chain.shift.eq(shift), chain.i.eq(entering)]
            entering = chain.o
            terms = delay(m, chain.terms, clusters - 1 - n)
            lanes += [terms[lane] for lane in range(self._config.cluster)]
        way += clusters - 1
        m.d.comb += self.o_terms.valid.eq(delay(m, consume, way))
        present_only(m, self.o_terms.payload, lanes, delay(m, self.i_consume.payload, way))
        return m
