"""Integer attention core: two vectors of lanes, the softmax between them, and the streams around."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.integer.config import IntegerConfig
from hw.attention.head_queue import fork_heads
from hw.integer import payloads
from hw.integer.context_rows import ContextRows
from hw.integer.context_sequencer import ContextSequencer
from hw.integer.divisor import Divisor
from hw.integer.exponential import Exponential
from hw.integer.loader import VectorLoader
from hw.integer.output import Output
from hw.integer.product import Factors
from hw.integer.score_rows import ScoreRows
from hw.integer.score_sequencer import ScoreSequencer
from hw.integer.term_rows import TermRows
from hw.integer.vector import VectorUnit
from hw.integer.weight_sequencer import WeightSequencer


class IntegerCore(wiring.Component):
    """Softmax attention of one head after the other, in integers.

    A vector unit holds a query and takes its product with one key per cycle: scores come out one by one, and
    one softmax unit is enough. Another holds the weights of a group of keys and takes their product with the
    values of one feature per cycle: the context comes out one by one, and one divider is enough.

    Members (streams; payloads in `hw.integer.payloads`):
        i_head: one descriptor per head.
        i_key: codes of K, key by key.
        i_value: codes of V, feature by feature.
        i_query: codes of Q, row by row.
        i_terms: for heads with `terms`: bias and mask, row by row.
        o_code: output codes, row by row.
        o_context: normaliser and context, row by row.
        o_tap: with `IntegerConfig.taps` only; cannot be held up.

    Timing: rows overlap in four stages. A row takes as long as its longest stage:
        score    tokens + 1, or features + 2
        softmax  tokens + groups
        context  groups * max(features, 4)
        output   ratio_width + 2, or features + 1
    """

    def __init__(self, config: IntegerConfig) -> None:
        self._config = config
        members = {
            "i_head": In(stream.Signature(payloads.head(config))),
            "i_key": In(stream.Signature(payloads.code(config))),
            "i_value": In(stream.Signature(payloads.code(config))),
            "i_query": In(stream.Signature(payloads.query(config))),
        }
        if config.terms:
            members["i_terms"] = In(stream.Signature(payloads.term_beat(config)))
        if config.output != "context":
            members["o_code"] = Out(stream.Signature(payloads.code_beat(config)))
        if config.output != "codes":
            members["o_context"] = Out(stream.Signature(payloads.context_beat(config)))
        if config.taps:
            members["o_tap"] = Out(stream.Signature(payloads.tap(config), always_ready=True))
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
            Factors.of_scores(config),
            config.head_dim,
            payloads.key_address(config).size,
            payloads.score_tags(),
        )
        m.submodules.contexts = contexts = VectorUnit(
            config,
            Factors.of_context(config),
            config.lanes,
            payloads.value_address(config).size,
            payloads.context_tags(),
        )
        m.submodules.score_sequencer = score = ScoreSequencer(config)
        m.submodules.score_rows = rows = ScoreRows(config, scores.sum.shape())
        m.submodules.weight_sequencer = weights = WeightSequencer(
            config, payloads.head_part(config, "mantissa", "shift")
        )
        m.submodules.exponential = exponential = Exponential(config)
        m.submodules.context_sequencer = context = ContextSequencer(config)
        m.submodules.context_rows = context_rows = ContextRows(config, contexts.sum.shape())
        m.submodules.divisor = divisor = Divisor(config)
        m.submodules.output = output = Output(config)
        fork_heads(
            m,
            self.i_head,
            {
                "key_loader": key_loader,
                "value_loader": value_loader,
                "score": score,
                "weights": weights,
                "context": context,
                "divisor": divisor,
            },
            config.queued_heads,
        )
        connect(m, flipped(self.i_key), key_loader.i)
        connect(m, flipped(self.i_value), value_loader.i)
        connect(m, flipped(self.i_query), score.i)
        connect(m, exponential.o_normaliser, divisor.i)
        connect(m, divisor.o, output.i)
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
            exponential.mantissa.eq(weights.mantissa),
            exponential.shift.eq(weights.shift),
            exponential.tags.eq(weights.tags),
            exponential.score.eq(rows.score),
            exponential.largest.eq(rows.largest),
            context.launch.eq(exponential.launch),
            context.tags.eq(exponential.o_tags),
            contexts.load.eq(value_loader.o_load),
            contexts.word.eq(value_loader.o_word),
            contexts.shift.eq(exponential.o_shift),
            contexts.vector.eq(exponential.o_vector),
            contexts.dot.eq(context.o_dot),
            contexts.tags.eq(context.o_tags),
            context_rows.sum.eq(contexts.sum),
            context_rows.tags.eq(contexts.o_tags),
        ]
        if config.squares:
            self._connect_norms(m, key_loader, value_loader, rows, exponential, context_rows)
        if config.terms:
            self._connect_terms(m, score, scores, rows)
        self._connect_outputs(m, output, exponential)
        return m

    def _connect_outputs(self, m: Module, output: Output, exponential: Exponential) -> None:
        config = self._config
        if config.output != "context":
            connect(m, output.o_code, flipped(self.o_code))
        if config.output != "codes":
            connect(m, output.o_context, flipped(self.o_context))
        if config.taps:
            m.d.comb += [
                self.o_tap.valid.eq(exponential.tap.valid),
                self.o_tap.payload.eq(exponential.tap.payload),
            ]

    def _connect_norms(
        self,
        m: Module,
        key_loader: VectorLoader,
        value_loader: VectorLoader,
        rows: ScoreRows,
        exponential: Exponential,
        context_rows: ContextRows,
    ) -> None:
        """Sums of squares, where those who add products up that are made of squares take them off."""
        connect(m, exponential.o_squares, context_rows.i_squares)
        m.d.comb += [
            key_loader.norm_index.eq(rows.token),
            rows.norm.eq(key_loader.norm),
            value_loader.norm_index.eq(context_rows.feature),
            context_rows.norm.eq(value_loader.norm),
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
