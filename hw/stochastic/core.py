"""Stochastic attention engine: rows of units, delayed values, generators, encoders, flow control."""

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.stochastic.config import StochasticConfig
from hw.parts.granted_queue import GrantedQueue
from hw.stochastic.encoder import BernoulliEncoder
from hw.stochastic.generator import GeneratorBank
from hw.stochastic.payloads import column_layout, rates_layout, score_layout, spikes_layout
from hw.stochastic.row import AttentionRow, adder_stages

# Outputs that may wait for the consumer or be under way; the last two must find room, so full rate
# needs two more than the cycles from issue to delivery. Sixteen deep is one LUT RAM
QUEUE_DEPTH = 16


class StochasticAttention(wiring.Component):
    """Attention of any number of heads, one feature of one row group per cycle.

    A *slot* is one row group of one time step: d columns in, d columns out. Input order: heads, in
    each the time steps, in each the row groups, in each the features; heads follow each other
    without a gap and without a mark. In steady state a slot takes d cycles, and the scores of a
    slot overlap the outputs of the slot before it: a head alone takes (T*groups + 1)*d + `latency`
    cycles from the first input to the last output, both counted.

    Parameters
        config: sizes, mask, plan, and whether Bernoulli encoders stand in front.
        taps: add a stream that shows the scores; it leaves cycles and spikes as they are.

    Members
        i: spikes of a feature; with encoders its rates.
        o: output spikes of a feature, one bit per row of the group; rows past the last token are 0.
        o_score: scores of a slot (only with `taps`).
    """

    def __init__(self, config: StochasticConfig, *, taps: bool = False) -> None:
        self.config = config
        self.taps = taps
        members = {
            "i": In(stream.Signature(rates_layout(config) if config.encoders else column_layout(config))),
            "o": Out(stream.Signature(spikes_layout(config.rows))),
        }
        if taps:
            members["o_score"] = Out(stream.Signature(score_layout(config), always_ready=True))
        super().__init__(members)

    @property
    def latency(self) -> int:
        """Cycles of a head alone beyond (T*groups + 1)*d."""
        return adder_stages(self.config.tokens) + 4 + self.config.encoders

    def elaborate(self, platform: object) -> Module:
        # The inner loop has no enable: a pause broadcasts zeros, which count nothing. Stalls act
        # in two places only: an output column is issued when the queue has room for it, and the
        # last column of a slot is accepted when the scores of the slot before it are sure to be
        # used up by the time the new ones arrive.
        m = Module()
        config = self.config
        d, groups = config.head_dim, config.groups
        transfer, at_last, issue = Signal(), Signal(), Signal()

        i = flipped(self.i)
        if config.encoders:
            m.submodules.encoder = encoder = BernoulliEncoder(config)
            connect(m, i, encoder.i)
            i = encoder.o

        # Position of the next input column; `half` of the value memory alternates by time step
        column, group, half = Signal(range(d)), Signal(range(groups)), Signal()
        m.d.comb += at_last.eq(column == d - 1)
        with m.If(transfer):
            m.d.sync += column.eq(Mux(at_last, 0, column + 1))
            with m.If(at_last):
                m.d.sync += group.eq(group + 1)
                with m.If(group == groups - 1):
                    m.d.sync += [group.eq(0), half.eq(~half)]

        # owed: output columns of accepted slots; due: those whose scores arrive in time
        owed, due = Signal(range(3 * d + 3)), Signal(range(2 * d + 2))
        credit = Signal(range(QUEUE_DEPTH + 1), init=QUEUE_DEPTH)
        m.d.comb += [
            i.ready.eq(~at_last | ((owed <= 2) & (credit >= owed))),
            transfer.eq(i.valid & i.ready),
            issue.eq((due != 0) & (credit != 0)),
        ]
        last_0 = Signal()
        m.d.sync += [
            owed.eq(owed + Mux(transfer & at_last, d, 0) - issue),
            due.eq(due + Mux(last_0, d, 0) - issue),
            credit.eq(credit + (self.o.valid & self.o.ready) - issue),
        ]

        # Keys of the other row groups come from memory, kept since group 0
        q_0, k_0 = Signal(config.rows), Signal(config.tokens)
        taken_0, first_0, stored_0 = Signal(), Signal(), Signal()
        m.d.sync += [
            q_0.eq(i.p.q),
            taken_0.eq(transfer),
            k_0.eq(i.p.k),
            first_0.eq(transfer & (column == 0)),
            last_0.eq(transfer & at_last),
            stored_0.eq(group != 0),
        ]
        keys = k_0
        if groups > 1:
            m.submodules.keys = key_memory = Memory(shape=config.tokens, depth=d, init=[])
            write, read = key_memory.write_port(), key_memory.read_port()
            m.d.comb += [
                write.addr.eq(column),
                write.data.eq(i.p.k),
                write.en.eq(transfer & (group == 0)),
                read.addr.eq(column),
                read.en.eq(1),
            ]
            keys = Mux(stored_0, read.data, k_0)
        q_b, k_b = Signal(config.rows), Signal(config.tokens)
        first_b, last_b, final = Signal(), Signal(), Signal()
        m.d.sync += [
            q_b.eq(Mux(taken_0, q_0, 0)),
            k_b.eq(keys),
            first_b.eq(first_0),
            last_b.eq(last_0),
            final.eq(last_b),
        ]

        # Values wait in one half of a memory while the other half fills
        columns = 1 << (d - 1).bit_length()
        m.submodules.values = value_memory = Memory(shape=config.tokens, depth=2 * columns, init=[])
        write, read = value_memory.write_port(), value_memory.read_port()
        out_column, out_group, out_half = Signal(range(d)), Signal(range(groups)), Signal()
        with m.If(issue):
            m.d.sync += out_column.eq(out_column + 1)
            with m.If(out_column == d - 1):
                m.d.sync += [out_column.eq(0), out_group.eq(out_group + 1)]
                with m.If(out_group == groups - 1):
                    m.d.sync += [out_group.eq(0), out_half.eq(~out_half)]
        v_b = Signal(config.tokens)
        m.d.comb += [
            write.addr.eq(column + Mux(half, columns, 0)),
            write.data.eq(i.p.v),
            write.en.eq(transfer & (group == 0)),
            read.addr.eq(out_column + Mux(out_half, columns, 0)),
            read.en.eq(1),
        ]
        m.d.sync += v_b.eq(read.data)

        # An issued column reaches the queue when memory, v_b and adder have handed it on
        flow = issue
        for stage in range(2 + adder_stages(config.tokens)):
            behind = Signal(name=f"under_way_{stage}")
            m.d.sync += behind.eq(flow)
            flow = behind
        m.submodules.queue = queue = GrantedQueue(config.rows, QUEUE_DEPTH)
        m.d.comb += queue.w_en.eq(flow)
        m.d.comb += [self.o.p.eq(queue.r_data), self.o.valid.eq(queue.r_rdy), queue.r_en.eq(self.o.ready)]

        score_bank = config.bank("score")
        m.submodules.score_numbers = score_numbers = GeneratorBank(score_bank, d)
        m.submodules.output_numbers = output_numbers = GeneratorBank(config.bank("output"), config.tokens)
        m.d.comb += [score_numbers.advance.eq(first_b), output_numbers.advance.eq(flow)]
        drawn = np.broadcast_to(
            np.arange(len(score_numbers.draws)).reshape(score_bank.drawn), score_bank.lanes
        )

        allowed = self._allowed(m, last_b)
        for r in range(config.rows):
            row = m.submodules[f"row_{r}"] = AttentionRow(config.tokens, d)
            m.d.comb += [
                row.q.eq(q_b[r]),
                row.k.eq(k_b),
                row.first.eq(first_b),
                row.final.eq(final),
                row.allowed.eq(allowed[r]),
                row.v.eq(v_b),
                row.output_draw.eq(output_numbers.draws[r if len(output_numbers.draws) > 1 else 0]),
                queue.w_data[r].eq(row.spike),
            ]
            m.d.comb += [row.score_draws[j].eq(score_numbers.draws[int(n)]) for j, n in enumerate(drawn[r])]
            if self.taps:
                m.d.comb += self.o_score.p[r].eq(row.score)
        if self.taps:
            m.d.sync += self.o_score.valid.eq(final)
        return m

    def _allowed(self, m: Module, last_b: Signal) -> list[Signal]:
        """Scores that may spike in the slot that becomes final, one signal per physical row."""
        config = self.config
        mask = np.zeros((config.groups * config.rows, config.tokens), dtype=bool)
        mask[: config.tokens] = config.allowed
        slot = Signal(range(config.groups))
        with m.If(last_b):
            m.d.sync += slot.eq(Mux(slot == config.groups - 1, 0, slot + 1))
        # `slot` moves with the count of finished slots: it names the slot after the final one
        signals = []
        for r in range(config.rows):
            signal = Signal(config.tokens, name=f"allowed_{r}")
            for group, allowed in enumerate(mask[r :: config.rows]):
                with m.If(slot == (group + 1) % config.groups):
                    m.d.comb += signal.eq(
                        Const(sum(int(a) << j for j, a in enumerate(allowed)), config.tokens)
                    )
            signals.append(signal)
        return signals
