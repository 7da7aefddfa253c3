"""Proofs of the buffer of query rows."""

from amaranth.hdl import Assert, Assume, Cover, Signal

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import payloads, query_rows, score_sequencer
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=2, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


class RowsAreReadAsWritten(Property):
    """Every spike of every row is read from the place at which it was written, unchanged, until reading
    leaves its row; a row has as many spikes as were sent, and rows come in order.

    Assumes: a row is at most `head_dim` spikes, is left only while one is held that was not, is released
    after that, and is read only up to its last spike. Any one spike is followed."""

    component = "attention/query_rows"
    faults = (
        Fault(module=query_rows, old="self.rows != banks", new="1"),
        Fault(module=query_rows, old="bank.eq(bank + 1)", new="bank.eq(bank + self.i.valid)"),
        Fault(
            module=query_rows, old="lasts[write_address.bank].eq(write_address.index)", new="lasts[0].eq(0)"
        ),
    )

    def build(self) -> None:
        m = self.m
        rows = self.unit("rows", query_rows.QueryRows(CONFIG))
        banks = payloads.ROW_BANKS
        transfer = rows.i.valid & rows.i.ready
        follow = self.free(1, "follow")
        place, kept = Signal.like(rows.index), Signal.like(rows.i.payload)
        index = Signal(range(CONFIG.head_dim))  # of the spike that is sent
        followed, whole, before, length = Signal(), Signal(), Signal(range(banks + 1)), Signal.like(rows.last)
        left = Signal(range(banks + 1))  # rows that are left and not released
        m.d.comb += [
            Assume(~transfer | rows.i.payload.last | (index != CONFIG.head_dim - 1)),
            Assume(~rows.leave | (left < rows.rows)),
            Assume(~rows.release | (left != 0)),
        ]
        m.d.sync += left.eq(left + rows.leave - rows.release)
        with m.If(transfer):
            m.d.sync += index.eq(index + 1)
            with m.If(rows.i.payload.last):
                m.d.sync += index.eq(0)
        with m.If(transfer & follow & ~followed):
            m.d.sync += [
                followed.eq(1),
                whole.eq(rows.i.payload.last),
                place.eq(index),
                length.eq(index),
                kept.eq(rows.i.payload),
                before.eq(rows.rows - left - rows.leave),
            ]
        with m.Elif(followed):
            with m.If(transfer & ~whole):
                m.d.sync += [length.eq(index), whole.eq(rows.i.payload.last)]
            with m.If(rows.leave):
                m.d.sync += [before.eq(before - 1), followed.eq(before != 0)]
        turn = followed & whole & (before == 0)
        read = self.later(turn & (rows.index == place), 2)
        m.d.comb += [
            Assert(~read | (rows.spike.as_value() == self.later(kept.as_value(), 2))),
            Assert(~turn | (rows.last == length)),
            Assert(~turn | (left < rows.rows)),
            Assert(rows.rows <= banks),
            Cover(read & turn & (place == 1)),
            Cover(turn & (length == 1) & (rows.rows == banks)),
        ]


class QueriesDoNotCollide(Property):
    """No spike is read for a broadcast in the cycle in which it is written.

    Assumes: a head has no more tokens than the core, and one at least, and stays as it is offered until it is
    done. Rows of any length, heads, terms and pauses are any."""

    component = "attention/query_rows"
    reach = 40
    faults = (
        Fault(module=query_rows, old="self.rows != banks", new="1"),
        Fault(module=score_sequencer, old="self.keys_full & (self.rows != 0)", new="self.keys_full"),
    )

    def build(self) -> None:
        m = self.m
        rows = self.opened("rows", query_rows.QueryRows(CONFIG))
        score = self.opened("score", score_sequencer.ScoreSequencer(CONFIG))
        m.d.comb += [
            score.ports.rows.eq(rows.ports.rows),
            score.ports.last.eq(rows.ports.last),
            rows.ports.index.eq(score.ports.index),
            rows.ports.leave.eq(score.ports.leave_row),
            rows.ports.release.eq(score.ports.release_row),
        ]
        offered = score.ports.i_head
        stays = self.later(offered.valid & ~offered.ready)
        same = offered.payload.as_value() == self.later(offered.payload.as_value())
        tokens = offered.payload.tokens
        m.d.comb += [
            Assume(~stays | (offered.valid & same)),
            Assume(~offered.valid | ((tokens > 0) & (tokens <= CONFIG.tokens))),
        ]
        write, read, used = rows["write"], rows["read"], score["add"]  # a cycle after it was read
        met = write.en & (write.addr == read.addr)
        m.d.comb += [Assert(~(self.later(met) & used)), Cover(self.later(write.en) & used), Cover(met)]
