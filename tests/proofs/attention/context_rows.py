"""Proofs of the buffer of context rows."""

from amaranth.hdl import Assert, Assume, Cat, Cover, Mux, Signal, signed

from golden.attention.config import DEFAULT, CoreConfig
from golden.code import PhaseCode
from hw.attention import context_rows, payloads, phase_encoder
from tests.proofs.following import passes_in_order, peeked, stays_offered
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=1, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


class SumsStayInTheirWidth(Property):
    """What is written into the buffer is the sum, in integers without a width, of the partial sums of all
    groups of its column: it never overflows, in the widths of the default preset.

    Assumes: each partial sum is of at most a trace's full value for each token of its group, and all groups
    of a column have at most `tokens` tokens."""

    component = "attention/context_rows"
    faults = (
        Fault(module=context_rows, old="+ self.i.sum + self.i.carry", new="+ self.i.sum"),
        Fault(module=context_rows, old="Mux(open_sum, total, 0)", new="total"),
    )

    def build(self) -> None:
        m = self.m
        config = DEFAULT
        rows = self.opened("rows", context_rows.ContextRows(config))
        link = rows.ports.i
        shift = config.code.trace_bits
        tokens = self.free(range(config.lanes + 1), "tokens")
        total, seen = Signal(signed(config.context_width + 4)), Signal(range(config.tokens + 1))
        now, count = Signal.like(total), Signal.like(seen)
        m.d.comb += [
            Assume(tokens <= config.lanes),
            Assume(~link.tags.valid | (seen + tokens <= config.tokens)),
            Assume(
                (link.sum + link.carry <= tokens << shift) & (link.sum + link.carry >= -(tokens << shift))
            ),
            now.eq(total + link.sum + link.carry),
            count.eq(seen + tokens),
        ]
        with m.If(link.tags.valid):
            m.d.sync += [total.eq(Mux(link.tags.final, 0, now)), seen.eq(Mux(link.tags.final, 0, count))]
        bound = seen << shift
        m.d.comb += [
            Assert(~rows["open_sum"] | (rows["total"] == total)),
            Assert(rows["open_sum"] | ((total == 0) & (seen == 0))),
            Assert((total <= bound) & (total >= -bound)),
            Assert(seen <= config.tokens),
            Assert(~rows["valid"] | (rows["total"] == self.later(now))),
            Assert(rows["write"].en == rows["valid"]),
            Cover(rows["valid"] & (rows["write"].data < 0)),
            Cover(rows["valid"] & (rows["write"].data == config.normaliser_limit)),
        ]


class NormalisersPassInOrder(Property):
    """Normalisers leave as they came: none lost, repeated, changed or overtaken; what is offered stays.

    Assumes: room in the buffer, as `ContextSequencer` grants it: a normaliser comes only while fewer than
    `ROW_BANKS` wait."""

    component = "attention/context_rows"
    faults = (
        Fault(module=context_rows, old="head.eq(head + pop)", new="head.eq(head + push)"),
        Fault(module=context_rows, old="level != 0", new="push | (level != 0)"),
    )

    def build(self) -> None:
        m = self.m
        rows = self.opened("rows", context_rows.ContextRows(CONFIG))
        o = rows.ports.o_normaliser
        inside = passes_in_order(
            self,
            push=rows["push"],
            item=rows["total"][: CONFIG.normaliser_width],
            pop=o.valid & o.ready,
            out=o.payload,
            capacity=payloads.ROW_BANKS,
        )
        m.d.comb += Assume(~rows["push"] | (inside != payloads.ROW_BANKS))
        stays_offered(self, o)


class RowsDoNotCollide(Property):
    """No value is read for the output in the cycle in which it is written.

    Assumes: room, as `ContextSequencer` grants it: a row begins only while fewer than `ROW_BANKS` have begun
    and were not released. Rows and heads of any length, levels and pauses are any."""

    component = "attention/context_rows"
    reach = 40
    faults = (
        Fault(module=phase_encoder, old="self.i.valid & ~claimed & (self.rows != 0)", new="self.i.valid"),
        Fault(module=context_rows, old="written.bank.eq(written.bank + 1)", new="written.bank.eq(0)"),
    )

    def build(self) -> None:
        m = self.m
        rows = self.opened("rows", context_rows.ContextRows(CONFIG))
        encoder = self.opened("encoder", phase_encoder.PhaseEncoder(CONFIG))
        banks, tags = payloads.ROW_BANKS, rows.ports.i.tags
        m.d.comb += [
            encoder.ports.rows.eq(rows.ports.rows),
            rows.ports.release.eq(encoder.ports.release),
            rows.ports.bank.eq(encoder.ports.bank),
            rows.ports.column.eq(encoder.ports.column),
            rows.ports.enable.eq(encoder.ports.enable),
        ]
        begun, open_row = Signal(range(banks + 1)), Signal()
        m.d.comb += Assume(~tags.valid | open_row | (begun != banks))
        m.d.sync += begun.eq(begun + (tags.valid & ~open_row) - encoder.ports.release)
        with m.If(tags.valid):
            m.d.sync += open_row.eq(~(tags.final & tags.last))
        write, read = rows["write"], rows["read"]
        used = read.en & encoder["running"]
        m.d.comb += [
            Assert(~(write.en & used & (write.addr == read.addr))),
            Cover(write.en & used),
            Cover(write.en & read.en & (write.addr == read.addr)),
        ]


class ValuesAreReadAsWritten(Property):
    """Every sum is read from the bank of its row and the column at which it came, unchanged, until its row is
    released; rows count once they are complete, and in order.

    Assumes: room, as `RowsDoNotCollide`; a row has at most as many sums as there are columns; only rows that
    count are released. Any one sum is followed."""

    component = "attention/context_rows"
    faults = (
        Fault(module=context_rows, old="written.bank.eq(written.bank + 1)", new="written.bank.eq(0)"),
        Fault(
            module=context_rows,
            old="written.column.eq(written.column + 1)",
            new="written.column.eq(0)",
        ),
        Fault(module=context_rows, old="complete.eq(valid & last)", new="complete.eq(valid)"),
    )

    def build(self) -> None:
        m = self.m
        config, banks = CONFIG, payloads.ROW_BANKS
        with peeked(context_rows.ContextRows):
            inside = self.opened("rows", context_rows.ContextRows(config))
        ports, peek, written = inside.ports, inside["memory"].peek, inside["written"]
        valid, last, total, tags = inside["valid"], inside["last"], inside["total"], inside.ports.i.tags
        # rows begun and not released, and sums of the open one
        begun, open_row, sums = Signal(range(banks + 1)), Signal(), Signal(range(config.head_dim + 2))
        arrives = tags.valid & tags.final
        m.d.comb += [
            Assume(~tags.valid | open_row | (begun != banks)),
            Assume(~arrives | tags.last | (sums != config.head_dim)),
            Assume(~ports.release | (ports.rows != 0)),
        ]
        m.d.sync += begun.eq(begun + (tags.valid & ~open_row) - ports.release)
        with m.If(tags.valid):
            m.d.sync += open_row.eq(~(tags.final & tags.last))
        with m.If(arrives):
            m.d.sync += sums.eq(Mux(tags.last, 0, sums + 1))
        column, bank = Signal.like(ports.column), Signal(range(banks))  # of the next sum
        with m.If(valid):
            m.d.sync += [column.eq(Mux(last, 0, column + 1)), bank.eq(bank + last)]
        # one sum is followed: whether its row counts, and how many that are held came before
        follow = self.free(1, "follow")
        followed, whole, before = Signal(), Signal(), Signal(range(banks + 1))
        at, where, kept = Signal.like(column), Signal.like(bank), Signal.like(total)
        with m.If(valid & follow & ~followed):
            m.d.sync += [followed.eq(1), whole.eq(last), at.eq(column), where.eq(bank), kept.eq(total)]
            m.d.sync += before.eq(ports.rows - ports.release)
        with m.Elif(followed):
            with m.If(valid & last):
                m.d.sync += whole.eq(1)
            with m.If(ports.release):
                m.d.sync += [before.eq(before - 1), followed.eq(before != 0)]
        read = followed & ports.enable & (ports.bank == where) & (ports.column == at)
        m.d.comb += [
            peek.addr.eq(Cat(at, where)),
            Assert(~self.later(read) | (ports.value == self.later(kept))),
            Assert(~followed | (peek.data == kept)),
            Assert(~(followed & whole & (before == 0)) | (ports.rows != 0)),
            # what holds in between
            Assert((written.column == column) & (written.bank == bank)),
            Assert((begun <= banks) & (begun == ports.rows + open_row + (valid & last))),
            Assert((sums <= config.head_dim) & (open_row | (sums == 0))),
            Assert(sums == Mux(valid, Mux(last, 0, column + 1), column)),
            Assert(
                ~followed
                | Mux(
                    whole,
                    (before < ports.rows) & (where == (bank + before - ports.rows)[:2]),
                    (before == ports.rows) & (where == bank) & (at < column),
                )
            ),
            Cover(self.later(read) & (at == 1)),
            Cover(followed & whole & (ports.rows == banks)),
        ]
