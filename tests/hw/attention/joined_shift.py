"""Winner search and ramp, joined as in the core, with streams around them.

Clusters see everything one cycle after each other, as in `hw.attention.cluster`.
"""

from dataclasses import replace

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.attention_memory import AttentionMemory
from hw.attention.ramp_lane import RampLane
from hw.attention.ramp_sequencer import RampSequencer
from hw.attention.score_memory import ScoreMemory
from hw.attention.trace import TraceLookup
from hw.attention.winner import WinnerCollector, WinnerTree
from hw.attention.winner_sequencer import WinnerSequencer
from tests.hw.attention.wrappers import delay, free


class WinnerSearch(wiring.Component):
    """Trees of all clusters, and the collector. Bits of a group wait for its last: a search has no pauses.

    Members:
        i: one bit of the score of every lane, and what it is.
        o: winner of a row.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        bit = {"bits": data.ArrayLayout(1, config.lanes), "last": 1, "final": 1}
        super().__init__({"i": In(free(data.StructLayout(bit))), "o": Out(free(signed(config.score_width)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        layout, word = self.i.payload.shape(), config.score_width + 1
        m.submodules.whole = whole = SyncFIFO(width=layout.size, depth=2 * word)
        beat, under_way, tags = data.View(layout, whole.r_data), Signal(), Signal(payloads.winner_tags())
        m.d.comb += [
            whole.w_data.eq(self.i.payload.as_value()),
            whole.w_en.eq(self.i.valid),
            tags.valid.eq(under_way | (whole.level >= word)),
            whole.r_en.eq(tags.valid),
            *[getattr(tags, name).eq(getattr(beat, name)) for name in ("last", "final")],
        ]
        with m.If(tags.valid):
            m.d.sync += under_way.eq(~beat.last)
        bits = beat.bits.as_value()
        link = None
        for n in range(config.clusters):
            m.submodules[f"tree_{n}"] = tree = WinnerTree(config.cluster, first_cluster=n == 0)
            bits, tags = delay(m, bits, 1), delay(m, tags, 1)
            m.d.comb += [tree.bits.eq(bits[n * config.cluster :]), tree.tags.eq(tags)]
            if link is not None:
                m.d.comb += tree.i.eq(link)
            link = tree.o
        m.submodules.collector = collector = WinnerCollector(config)
        m.d.comb += [
            collector.i.eq(link),
            self.o.valid.eq(collector.found),
            self.o.payload.eq(collector.winner),
        ]
        return m


class Ramp(wiring.Component):
    """Ramp sequencer and lanes, fed with scores by the winner sequencer and with the winner by the bench.

    Members:
        i_head: of the ramp sequencer.
        i_scores: scores of one group; with the last group of a row its winner.
        i_groups: groups of each row.
        o_row: attention spikes of each row, phase 0 where silent; releases the row.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._sequencer = RampSequencer(config)
        scores = {
            "scores": data.ArrayLayout(payloads.score(config), config.lanes),
            "final": 1,
            "winner": signed(config.score_width),
        }
        row = data.ArrayLayout(data.ArrayLayout(payloads.attention(config), config.lanes), config.groups)
        super().__init__(
            {
                "i_head": self._sequencer.signature.members["i_head"],
                "i_scores": In(stream.Signature(data.StructLayout(scores))),
                "i_groups": In(stream.Signature(bits_for(config.groups))),
                "o_row": Out(stream.Signature(row)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.ramp = ramp = self._sequencer
        m.submodules.search = search = WinnerSequencer(config)
        m.submodules.winners = winners = SyncFIFO(
            width=config.score_width, depth=payloads.score_slots(config)
        )
        connect(m, flipped(self.i_head), ramp.i_head)
        taken = Signal(self.i_scores.payload.shape())
        with m.If(search.take):
            m.d.sync += taken.eq(self.i_scores.payload)
        scores = delay(m, taken, 4 + TraceLookup.latency(config))
        found = search.o_command.strobe.copy & search.o_command.data.final
        m.d.comb += [
            self.i_scores.ready.eq(search.free),
            search.take.eq(self.i_scores.valid & search.free),
            search.final.eq(self.i_scores.payload.final),
            search.release_slot.eq(ramp.release_slot),
            ramp.slot_full.eq(search.slot_full),
            # the shortest way of a winner: two cycles in the cluster, one in its tree, two to collect
            winners.w_en.eq(delay(m, found, 5)),
            winners.w_data.eq(delay(m, scores.winner, 5)),
            ramp.i_winner.payload.eq(winners.r_data),
            ramp.i_winner.valid.eq(winners.r_rdy),
            winners.r_en.eq(ramp.i_winner.ready),
        ]
        # a row is complete four cycles after it was counted
        release, bank, wait = Signal(), Signal(), Signal(range(5))
        m.d.comb += [
            self.o_row.valid.eq(self.i_groups.valid & (wait == 4)),
            release.eq(self.o_row.valid & self.o_row.ready),
            self.i_groups.ready.eq(release),
            ramp.release_phases.eq(release),
        ]
        m.d.sync += bank.eq(bank ^ release)
        with m.If((ramp.phases == 0) | release):
            m.d.sync += wait.eq(0)
        with m.Elif(wait != 4):
            m.d.sync += wait.eq(wait + 1)
        step, place = delay(m, ramp.o_command, 1), delay(m, search.o_command.strobe, 1)
        alone = replace(config, cluster=1, terms_per_beat=1)
        for n in range(config.lanes):
            m.submodules[f"lane_{n}"] = lane = RampLane(config)
            m.d.comb += lane.command.eq(step)
            if config.score_store == "memory":
                m.submodules[f"scores_{n}"] = stored = ScoreMemory(alone)
                m.d.comb += [
                    stored.scores[0].eq(scores.scores[n]),
                    stored.copy.eq(place.copy),
                    stored.leave.eq(place.move[0]),
                    lane.score.eq(stored.held[0]),
                ]
            else:
                m.d.comb += [
                    lane.score.eq(scores.scores[n]),
                    lane.copy.eq(place.copy),
                    lane.move.eq(place.move),
                ]
            spike = lane.next if config.score_store == "memory" else lane.spike
            # a memory for each lane and group: a row is seen as a whole
            for group in range(config.groups):
                m.submodules[f"memory_{n}_{group}"] = memory = AttentionMemory(alone)
                m.d.comb += [
                    memory.command.eq(step),
                    memory.i[0].eq(spike),
                    memory.entry.eq(Mux(bank, config.groups, 0) + group),
                ]
                with m.If((group < self.i_groups.payload) & memory.o[0].active):
                    m.d.comb += self.o_row.payload[group][n].eq(memory.o[0])
        return m
