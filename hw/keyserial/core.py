"""Key-serial attention core: two vectors of lanes, the spike shift between them, and the streams around."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.attention.key_serial import KeySerialConfig
from hw.attention import payloads
from hw.attention.head_queue import fork_heads
from hw.attention.output_threshold import OutputThreshold
from hw.integer.context_rows import ContextRows
from hw.integer.context_sequencer import ContextSequencer
from hw.integer.loader import VectorLoader
from hw.integer.payloads import CONTEXT_ROWS, context_tags, key_address, score_tags, term_beat, value_address
from hw.integer.score_rows import ScoreRows
from hw.integer.score_sequencer import ScoreSequencer
from hw.integer.term_rows import TermRows
from hw.integer.vector import VectorUnit
from hw.integer.weight_sequencer import WeightSequencer
from hw.keyserial.output import Output
from hw.keyserial.spike_shift import SpikeShift, tap
from hw.keyserial.trace_points import SpikeFactors
from hw.parts.granted_queue import GrantedQueue
from hw.parts.payloads import spike


def query(config: KeySerialConfig) -> data.StructLayout:
    """One feature of a query row, the lowest first, silent ones too; `last` closes the row."""
    return data.StructLayout({"spike": spike(config.code), "last": 1})


class KeySerialCore(wiring.Component):
    """Spiked attention of one head after the other, in the dataflow of the integer core.

    A vector unit holds a query and adds the points of the trace that it makes with one key per cycle: scores
    come out one by one, and one spike shift is enough. Another holds the attention spikes of a group of keys
    and does so with the values of one feature per cycle.

    Members (streams; payloads in `hw.attention.payloads` unless said):
        i_head: one descriptor per head.
        i_key: spikes of K, key by key.
        i_value: spikes of V, feature by feature.
        i_query: spikes of Q, row by row, see `query`.
        i_terms: for heads with `terms`: bias and mask, row by row (`hw.integer.payloads.term_beat`).
        o_code: output codes, row by row.
        o_context: normaliser and context, row by row.
        o_tap: with `CoreConfig.taps` only; cannot be held up.

    Timing: rows overlap in four stages. A row takes as long as its longest stage:
        score    tokens + 1, or features + 2
        shift    tokens + groups
        context  groups * max(features, 4)
        output   ratio_width + 2, or features + 1
    """

    def __init__(self, config: KeySerialConfig) -> None:
        self._config = config
        members = {
            "i_head": In(stream.Signature(payloads.head(config))),
            "i_key": In(stream.Signature(spike(config.code))),
            "i_value": In(stream.Signature(spike(config.code))),
            "i_query": In(stream.Signature(query(config))),
        }
        if config.terms:
            members["i_terms"] = In(stream.Signature(term_beat(config)))
        if config.output != "context":
            members["o_code"] = Out(stream.Signature(payloads.code_beat(config)))
        if config.output != "codes":
            members["o_context"] = Out(stream.Signature(payloads.context_beat(config)))
        if config.taps:
            members["o_tap"] = Out(stream.Signature(tap(config), always_ready=True))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        sizes = config.tokens, config.head_dim
        m.submodules.key_loader = key_loader = VectorLoader(
            config, "tokens", "features", sizes, config.head_dim
        )
        m.submodules.value_loader = value_loader = VectorLoader(
            config, "features", "tokens", sizes[::-1], config.lanes
        )
        m.submodules.scores = scores = VectorUnit(
            config,
            SpikeFactors.of(config, signed_left=True),
            config.head_dim,
            key_address(config).size,
            score_tags(),
        )
        m.submodules.contexts = contexts = VectorUnit(
            config,
            SpikeFactors.of(config, signed_left=False),
            config.lanes,
            value_address(config).size,
            context_tags(),
        )
        m.submodules.score_sequencer = score = ScoreSequencer(config)
        m.submodules.score_rows = rows = ScoreRows(config, scores.sum.shape())
        m.submodules.weight_sequencer = weights = WeightSequencer(
            config, payloads.head_part(config, "step", "window")
        )
        m.submodules.spike_shift = shift = SpikeShift(config)
        m.submodules.context_sequencer = context = ContextSequencer(config)
        m.submodules.context_rows = context_rows = ContextRows(config, contexts.sum.shape())
        m.submodules.output = output = Output(config)
        units = {
            "key_loader": key_loader,
            "value_loader": value_loader,
            "score": score,
            "weights": weights,
            "context": context,
        }
        if config.output != "context":
            m.submodules.threshold = units["threshold"] = threshold = OutputThreshold(config)
            self._queue_normalisers(m, "threshold", shift, threshold.i)
            connect(m, threshold.o, output.i)
        if config.output != "codes":
            self._queue_normalisers(m, "context", shift, output.i_normaliser)
        fork_heads(m, self.i_head, units, config.queued_heads)
        self._connect_spikes(m, key_loader, value_loader, score)
        connect(m, context_rows.o, output.i_value)

        m.d.comb += [
            score.keys_full.eq(key_loader.full),
            score.release.eq(weights.release_row),
            key_loader.finish.eq(score.finish_keys),
            key_loader.release.eq(scores.o_tags.valid & scores.o_tags.release),
            scores.load.eq(key_loader.o_load),
            scores.word.eq(key_loader.o_word),
            scores.shift.eq(score.o_shift),
            scores.vector.eq(score.o_vector),
            scores.dot.eq(score.o_dot),
            scores.tags.eq(score.o_tags),
            rows.sum.eq(scores.sum),
            rows.tags.eq(scores.o_tags),
            rows.read.eq(weights.token),
            rows.release.eq(weights.release_row),
            weights.row_full.eq(rows.full),
            weights.values_full.eq(value_loader.full),
            weights.release_context.eq(output.release),
            value_loader.finish.eq(weights.finish_values),
            value_loader.release.eq(contexts.o_tags.valid & contexts.o_tags.last & contexts.o_tags.release),
            shift.step.eq(weights.step),
            shift.window.eq(weights.window),
            shift.tags.eq(weights.tags),
            shift.score.eq(rows.score),
            shift.largest.eq(rows.largest),
            context.launch.eq(shift.launch),
            context.tags.eq(shift.o_tags),
            contexts.load.eq(value_loader.o_load),
            contexts.word.eq(value_loader.o_word),
            contexts.shift.eq(shift.o_shift),
            contexts.vector.eq(shift.o_vector),
            contexts.dot.eq(context.o_dot),
            contexts.tags.eq(context.o_tags),
            context_rows.sum.eq(contexts.sum),
            context_rows.tags.eq(contexts.o_tags),
        ]
        if config.terms:
            self._connect_terms(m, score, scores, rows)
        if config.output != "context":
            connect(m, output.o_code, flipped(self.o_code))
        if config.output != "codes":
            connect(m, output.o_context, flipped(self.o_context))
        if config.taps:
            m.d.comb += [self.o_tap.valid.eq(shift.tap.valid), self.o_tap.payload.eq(shift.tap.payload)]
        return m

    def _connect_spikes(
        self, m: Module, key_loader: VectorLoader, value_loader: VectorLoader, score: ScoreSequencer
    ) -> None:
        """Spikes as the bits that the units of vectors take."""
        for port, loader in ((self.i_key, key_loader), (self.i_value, value_loader)):
            m.d.comb += [
                loader.i.payload.eq(port.payload),
                loader.i.valid.eq(port.valid),
                port.ready.eq(loader.i.ready),
            ]
        m.d.comb += [
            score.i.payload.value.eq(self.i_query.payload.spike),
            score.i.payload.last.eq(self.i_query.payload.last),
            score.i.valid.eq(self.i_query.valid),
            self.i_query.ready.eq(score.i.ready),
        ]

    def _connect_terms(self, m: Module, score: ScoreSequencer, scores: VectorUnit, rows: ScoreRows) -> None:
        m.submodules.term_rows = terms = TermRows(self._config)
        connect(m, flipped(self.i_terms), terms.i)
        m.d.comb += [
            score.terms_full.eq(terms.full),
            terms.claim.eq(score.start & score.o_tags.terms),
            terms.token.eq(rows.token),
            rows.term.eq(terms.term),
            terms.release.eq(scores.o_tags.valid & scores.o_tags.last & scores.o_tags.terms),
        ]

    def _queue_normalisers(self, m: Module, name: str, shift: SpikeShift, to: stream.Interface) -> None:
        """Room for as many as rows: a normaliser never waits for room."""
        queue = GrantedQueue(self._config.normaliser_width, CONTEXT_ROWS)
        m.submodules[f"{name}_normalisers"] = queue
        m.d.comb += [
            queue.w_data.eq(shift.o_normaliser.payload),
            queue.w_en.eq(shift.o_normaliser.valid),
            to.payload.eq(queue.r_data),
            to.valid.eq(queue.r_rdy),
            queue.r_en.eq(to.ready),
        ]
