"""Attention core: sequencers, clusters of token lanes, and the streams that feed them."""

from collections.abc import Iterator

from amaranth.hdl import Assert, Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.adder_tree import AdderTree
from hw.attention.cluster import COMMANDS, Cluster, links
from hw.attention.context_rows import ContextRows
from hw.attention.context_sequencer import ContextSequencer
from hw.attention.head_queue import fork_heads
from hw.attention.local_trace import LocalTraceMemory
from hw.attention.output_threshold import OutputThreshold
from hw.attention.phase_encoder import PhaseEncoder
from hw.attention.query_rows import QueryRows
from hw.attention.ramp_sequencer import RampSequencer
from hw.attention.score_sequencer import ScoreSequencer
from hw.attention.terms_loader import TermsLoader
from hw.attention.trace import TraceLookup
from hw.attention.trace_loader import TraceLoader
from hw.attention.winner import WinnerCollector, WinnerTree
from hw.attention.winner_sequencer import WinnerSequencer
from hw.parts.granted_queue import GrantedQueue
from hw.parts.payloads import spike

# A word put into an empty queue is there in the next cycle
QUEUE_LATENCY = 1


class AttentionCore(wiring.Component):
    """Spiked attention of one head after the other.

    Args:
        lut_ram: keys and values are in LUT RAM, for a design that is short of block RAM.

    Members (streams; payloads in `hw.attention.payloads`):
        i_head: one descriptor per head.
        i_key, i_value: spikes of K and V; for each feature, for each group of `lanes` tokens, the
            tokens of the group from the last to the first.
        i_query: spikes of Q, row by row, silent ones left out; a silent row is one inactive spike.
        i_terms: for heads with `terms`: for each row, for each group, bias and mask of
            `terms_per_beat` tokens per beat, the beat with the last tokens first.
        o_code: output codes, row by row.
        o_context: normaliser and context, row by row.
        o_winner, o_tap_N: with `CoreConfig.taps` only; cannot be held up.

    Timing: rows overlap in five stages. A row takes as long as its longest stage:
        score    groups * ((1 with terms) + spikes + 1)
        winner   groups * (score_width + 1)
        ramp     groups * window + 1, or until the scores have moved through all slots
        context  groups * (features + 1)
        output   ratio_width + 2, or features + 1
    """

    def __init__(self, config: CoreConfig, *, lut_ram: bool = False) -> None:
        self._config, self._lut_ram = config, lut_ram
        members = {
            "i_head": In(stream.Signature(payloads.head(config))),
            "i_key": In(stream.Signature(spike(config.code))),
            "i_value": In(stream.Signature(spike(config.code))),
            "i_query": In(stream.Signature(payloads.query(config))),
        }
        if config.terms:
            members["i_terms"] = In(stream.Signature(payloads.terms(config)))
        if config.output != "context":
            members["o_code"] = Out(stream.Signature(payloads.code_beat(config)))
        if config.output != "codes":
            members["o_context"] = Out(stream.Signature(payloads.context_beat(config)))
        if config.taps:
            members["o_winner"] = Out(stream.Signature(signed(config.score_width), always_ready=True))
            for n in range(config.clusters):
                members[f"o_tap_{n}"] = Out(stream.Signature(payloads.tap(config), always_ready=True))
        super().__init__(members)

    @property
    def latency(self) -> dict[str, int]:
        """Cycles of the longest possible row in each stage, and of the way from stage to stage."""
        config = self._config
        # every cluster hands commands, bits and sums on one cycle later
        context = LocalTraceMemory.latency + TraceLookup.latency(config) + AdderTree.latency(config.cluster)
        search = WinnerSequencer.latency(config) + Cluster.bit_latency + WinnerTree.latency(config.cluster)
        return {
            "score": config.groups * (config.head_dim + 1 + config.terms),
            "winner": config.groups * (config.score_width + 1),
            "ramp": config.groups * config.code.steps + 1,
            "context": config.groups * (config.head_dim + 1),
            "threshold": OutputThreshold.latency(config),
            "winner_to_ramp": search + config.clusters + WinnerCollector.latency + QUEUE_LATENCY,
            "context_to_buffer": context + config.clusters + ContextRows.latency,
            "buffer_to_code": PhaseEncoder.latency["code"],
            "buffer_to_context": PhaseEncoder.latency["context"],
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.key_loader = key_loader = TraceLoader(config)
        m.submodules.value_loader = value_loader = TraceLoader(config)
        m.submodules.query_rows = query_rows = QueryRows(config)
        m.submodules.score = score = ScoreSequencer(config)
        m.submodules.winner = winner = WinnerSequencer(config)
        m.submodules.winner_collector = collector = WinnerCollector(config)
        m.submodules.ramp = ramp = RampSequencer(config)
        m.submodules.context = context = ContextSequencer(config)
        m.submodules.context_rows = rows = ContextRows(config)
        m.submodules.threshold = threshold = OutputThreshold(config)
        m.submodules.encoder = encoder = PhaseEncoder(config)
        units = {
            "key_loader": key_loader,
            "value_loader": value_loader,
            "score": score,
            "ramp": ramp,
            "context": context,
            "threshold": threshold,
        }

        connect(m, flipped(self.i_key), key_loader.i)
        connect(m, flipped(self.i_value), value_loader.i)
        connect(m, flipped(self.i_query), query_rows.i)
        if config.terms:
            m.submodules.terms_loader = units["terms_loader"] = terms_loader = TermsLoader(config)
            connect(m, flipped(self.i_terms), terms_loader.i)
            m.d.comb += [
                score.terms_full.eq(terms_loader.full),
                terms_loader.consume.eq(score.consume_terms),
            ]
        fork_heads(m, self.i_head, units, config.queued_heads)

        m.d.comb += [
            score.rows.eq(query_rows.rows),
            score.last.eq(query_rows.last),
            score.spike.eq(query_rows.spike),
            query_rows.index.eq(score.index),
            query_rows.leave.eq(score.leave_row),
            query_rows.release.eq(score.release_row),
            score.keys_full.eq(key_loader.full),
            key_loader.release.eq(score.release_keys),
            score.winner_free.eq(winner.free),
            winner.take.eq(score.take),
            winner.final.eq(score.final),
            winner.release_slot.eq(ramp.release_slot),
            ramp.slot_full.eq(winner.slot_full),
            context.phases.eq(ramp.phases),
            ramp.release_phases.eq(context.release_phases),
            context.values_full.eq(value_loader.full),
            value_loader.release.eq(context.release_values),
            context.release_row.eq(encoder.release),
            encoder.rows.eq(rows.rows),
            encoder.value.eq(rows.value),
            rows.release.eq(encoder.release),
            rows.bank.eq(encoder.bank),
            rows.column.eq(encoder.column),
            rows.enable.eq(encoder.enable),
        ]
        connect(m, rows.o_normaliser, threshold.i)
        connect(m, threshold.o, encoder.i)

        self._queue_winners(m, collector, ramp)

        clusters = list(self._chain_clusters(m))
        first, last = clusters[0], clusters[-1]
        m.d.comb += [
            first.i_load_k.eq(key_loader.o_command),
            first.i_key.eq(key_loader.o_spike),
            first.i_load_v.eq(value_loader.o_command),
            first.i_value.eq(value_loader.o_spike),
            first.i_score.eq(score.o_command),
            first.i_winner.eq(winner.o_command),
            first.i_ramp.eq(ramp.o_command),
            first.i_context.eq(context.o_command),
            collector.i.eq(last.o_winner_bit),
            rows.i.eq(last.o_context_sum),
        ]
        if config.terms:
            m.d.comb += [
                first.i_shift_terms.eq(terms_loader.o_shift),
                first.i_terms.eq(terms_loader.o_terms),
            ]
        if config.output != "context":
            connect(m, encoder.o_code, flipped(self.o_code))
        if config.output != "codes":
            connect(m, encoder.o_context, flipped(self.o_context))
        if config.taps:
            self._tap(m, collector, winner, ramp, clusters)
        return m

    def _queue_winners(self, m: Module, collector: WinnerCollector, ramp: RampSequencer) -> None:
        """As many places as scores that can be held: a winner never waits for room."""
        config = self._config
        m.submodules.winner_queue = queue = GrantedQueue(config.score_width, payloads.score_slots(config))
        m.d.comb += [
            queue.w_data.eq(collector.winner),
            queue.w_en.eq(collector.found),
            ramp.i_winner.payload.eq(queue.r_data),
            ramp.i_winner.valid.eq(queue.r_rdy),
            queue.r_en.eq(ramp.i_winner.ready),
        ]

    def _tap(
        self, m: Module, collector: WinnerCollector, winner: WinnerSequencer, ramp: RampSequencer,
        clusters: list[Cluster],
    ) -> None:  # fmt: skip
        """Winners, scores and attention spikes for verification."""
        m.d.comb += [
            self.o_winner.valid.eq(collector.found),
            self.o_winner.payload.eq(collector.winner),
        ]
        slot_full = Signal()
        m.d.sync += [
            slot_full.eq(winner.slot_full),
            Assert(~ramp.o_command.strobe.step | slot_full, "a ramp step meets scores in slot 0"),
        ]
        for n, cluster in enumerate(clusters):
            tap = getattr(self, f"o_tap_{n}")
            m.d.comb += [tap.valid.eq(cluster.tap_valid), tap.payload.eq(cluster.tap)]

    def _chain_clusters(self, m: Module) -> Iterator[Cluster]:
        config = self._config
        names = [*COMMANDS, *links(config)] + (["shift_terms"] if config.terms else [])
        before: Cluster | None = None
        for n in range(config.clusters):
            m.submodules[f"cluster_{n}"] = cluster = Cluster(config, n, lut_ram=self._lut_ram)
            if before is not None:
                m.d.comb += [getattr(cluster, f"i_{name}").eq(getattr(before, f"o_{name}")) for name in names]
            before = cluster
            yield cluster
