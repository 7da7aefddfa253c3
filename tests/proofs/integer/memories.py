"""Proofs of the memories of the integer core: no word that is used is read in the cycle in which it is
written."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Assert, Assume, Cover, Mux, Signal

from golden.integer.config import IntegerConfig
from hw.integer import (
    context_rows,
    context_sequencer,
    loader,
    payloads,
    score_rows,
    score_sequencer,
    term_rows,
    weight_sequencer,
)
from tests.proofs.property import Fault, Property

SIZES = (2, 2)
# Two groups of one token
CONFIG = IntegerConfig(
    bits=2, lanes=1, cluster=1, tokens=2, head_dim=2, multiplier="dsp", bias=False, mask=True, queued_heads=2,
    output="codes",
)  # fmt: skip
SQUARES = IntegerConfig(
    bits=6, lanes=1, cluster=1, tokens=2, head_dim=2, multiplier="table", bias=False, mask=False,
    queued_heads=2, output="codes",
)  # fmt: skip


def counted(prop: Property, more: Any, less: Any, most: int, name: str) -> Signal:
    """How many there are: `more` in this cycle, `less` only while there is one."""
    count = Signal(range(most + 1), name=name)
    prop.m.d.sync += count.eq(count + more - less)
    prop.m.d.comb += Assume(~less | (count != 0))
    return count


def do_not_meet(prop: Property, write: Any, used: Any, written: Any, wanted: Any) -> None:
    """Claim that a write and a read that is used never have the same address."""
    prop.m.d.comb += [
        Assert(~(write & used & (written == wanted))),
        Cover(write & used),
        Cover(write & (written == wanted)),
    ]


class LoadedKeysDoNotCollide(Property):
    """No key is read for a product in the cycle in which its word is written, in whatever cluster: loading
    and reading commands reach every cluster in as many cycles.

    Assumes: a head is released only after its last product was on its way. Heads, rows and pauses are any;
    what loads and what is read need not even agree on the size of a head."""

    component = "integer/cluster"
    reach = 40
    faults = (
        Fault(module=loader, old="(started != 2)", new="1"),
        Fault(module=loader, old="place.bank.eq(~place.bank)", new="place.bank.eq(place.bank)"),
        Fault(module=score_sequencer, old="& self.keys_full", new="& 1"),
    )

    def build(self) -> None:
        keys = self.unit("keys", loader.VectorLoader(CONFIG, "tokens", "features", SIZES, CONFIG.head_dim))
        score = self.unit("score", score_sequencer.ScoreSequencer(CONFIG))
        self.m.d.comb += [score.keys_full.eq(keys.full), keys.finish.eq(score.finish_keys)]
        counted(self, score.finish_keys, keys.release, 3, "finished")
        write, read = keys.o_load, score.o_dot
        do_not_meet(self, write.write, score.o_tags.valid, write.address, read.address)


class LoadedValuesDoNotCollide(Property):
    """The same of values that are read for a product with weights.

    Assumes: products of a head begin once it is loaded, as `WeightSequencer` sees to by `full`; its bank
    is released with its last product."""

    component = "integer/cluster"
    reach = 40
    faults = (
        Fault(module=loader, old="(started != 2)", new="1"),
        Fault(module=context_sequencer, old="place.bank.eq(~place.bank)", new="place.bank.eq(place.bank)"),
    )

    def build(self) -> None:
        m = self.m
        values = self.opened("values", loader.VectorLoader(CONFIG, "features", "tokens", SIZES, CONFIG.lanes))
        context = self.opened("context", context_sequencer.ContextSequencer(CONFIG))
        ports, tags = values.ports, context.ports.o_tags
        release = tags.valid & tags.last & tags.release
        m.d.comb += ports.release.eq(release)
        loaded = Signal(range(3))
        m.d.sync += loaded.eq(loaded + values["loaded"] - release)
        launch, running = context.ports.launch, context["running"]
        # one after the other, and the next head only where another is there
        m.d.comb += [
            Assume(~launch | ~running | tags.last),
            Assume(~launch | (loaded > release)),
            Assume(~ports.finish | ports.full),
        ]
        write, read = ports.o_load, context.ports.o_dot
        do_not_meet(self, write.write, tags.valid, write.address, read.address)


class TermsDoNotCollide(Property):
    """No term of a row whose scores have begun is read in the cycle in which it is written.

    Assumes: a row is claimed while one is there, and released after it was claimed."""

    component = "integer/term_rows"
    faults = (
        Fault(module=term_rows, old="held != payloads.ROW_BANKS", new="1"),
        Fault(module=term_rows, old="bank.eq(bank + self.release)", new="bank.eq(bank + self.claim)"),
    )

    def build(self) -> None:
        rows = self.opened("rows", term_rows.TermRows(CONFIG))
        ports, write, read = rows.ports, rows["write"], rows["read"]
        self.m.d.comb += Assume(~ports.claim | ports.full)
        claimed = counted(self, ports.claim, ports.release, payloads.ROW_BANKS, "claimed")
        do_not_meet(self, write.en, claimed != 0, write.addr, read.addr)


class ScoresDoNotCollide(Property):
    """No score is read for a weight in the cycle in which it is written.

    Assumes: as `ScoreSequencer` grants it, a row begins only while fewer than `SCORE_ROWS` have begun and
    were not released; a row has at most as many scores as there are tokens."""

    component = "integer/score_rows"
    reach = 40
    faults = (
        Fault(module=score_rows, old="written.bank.eq(written.bank + 1)", new="written.bank.eq(0)"),
        Fault(module=weight_sequencer, old="self.i_head.valid & self.row_full", new="self.i_head.valid"),
    )

    def build(self) -> None:
        m = self.m
        rows = self.opened("rows", score_rows.ScoreRows(CONFIG, 4))
        passed = payloads.head_part(CONFIG, "mantissa", "shift")
        weights = self.opened("weights", weight_sequencer.WeightSequencer(CONFIG, passed))
        tags, release = rows.ports.tags, weights.ports.release_row
        m.d.comb += [
            rows.ports.read.eq(weights.ports.token),
            rows.ports.release.eq(release),
            weights.ports.row_full.eq(rows.ports.full),
        ]
        begun, open_row = Signal(range(payloads.SCORE_ROWS + 1)), Signal()
        m.d.comb += Assume(~tags.valid | open_row | (begun != payloads.SCORE_ROWS))
        m.d.sync += begun.eq(begun + (tags.valid & ~open_row) - release)
        with m.If(tags.valid):
            m.d.sync += open_row.eq(~tags.last)
        write, read = rows["write"], rows["read"]
        do_not_meet(self, write.en, weights.ports.tags.valid, write.addr, read.addr)
        # what holds in between, with the rows that are written whole and not released
        whole, level, ends = Signal(range(5)), rows["queue"].level, rows["valid"] & rows["last"]
        m.d.sync += whole.eq(whole + ends - release)
        m.d.comb += [
            Assert((whole <= begun) & (begun <= payloads.SCORE_ROWS) & (begun == whole + open_row + ends)),
            Assert(whole == level + rows["complete"]),
            Assert(rows["written"].bank == (rows["bank"] + whole)[:2]),
            Assert(weights["first"] | (level != 0)),
            Assert(~weights["running"] | ~weights["first"]),
        ]


class NormsDoNotCollide(Property):
    """No sum of squares of a head that is loaded is read in the cycle in which it is written.

    Assumes: a head is finished while one is full, and released after that."""

    component = "integer/loader"
    reach = 40
    faults = (
        Fault(module=loader, old="(started != 2)", new="1"),
        Fault(module=loader, old='delayed(m, done, 4, "done", reset=True)', new="done"),
    )

    def build(self) -> None:
        values = self.opened(
            "values", loader.VectorLoader(SQUARES, "features", "tokens", SIZES, SQUARES.lanes)
        )
        ports, memory = values.ports, values["m"].submodules.norms
        (write,), (read,) = memory.write_ports, memory.read_ports
        self.m.d.comb += Assume(~ports.finish | ports.full)
        finished = counted(self, ports.finish, ports.release, 2, "finished")
        do_not_meet(self, write.en, ports.full | (finished != 0), write.addr, read.addr)


class SumsDoNotCollide(Property):
    """No sum over groups is read, to be added to, in the cycle in which it is written.

    Assumes: as `WeightSequencer` sees to, the groups of a row have as many features as its first, and begin
    at least four cycles apart, and no sooner than the group before has ended."""

    component = "integer/context_rows"
    cases = ({"squares": False}, {"squares": True})
    faults = (
        Fault(
            module=context_rows,
            old='delayed(m, before, 3, "written")',
            new='delayed(m, before, 4, "written")',
        ),
    )

    def build(self, squares: bool) -> None:
        m = self.m
        config = replace(SQUARES if squares else CONFIG, head_dim=4)
        rows = self.opened("rows", context_rows.ContextRows(config, 8))
        tags = rows.ports.tags
        feature, features = Signal(range(4)), Signal(range(4))  # which; the last one of the row's first group
        running, apart = Signal(), Signal(range(weight_sequencer.SHORTEST_PASS), init=3)
        begins = tags.valid & ~running
        m.d.sync += apart.eq(Mux(begins, 0, Mux(apart == 3, apart, apart + 1)))
        with m.If(tags.valid):
            m.d.sync += [running.eq(~tags.last), feature.eq(Mux(tags.last, 0, feature + 1))]
            m.d.sync += features.eq(Mux(tags.first, feature, features))
        m.d.comb += [
            Assume(~running | tags.valid),
            Assume(~begins | (apart == 3)),
            Assume(~running | begins | (tags.first == self.later(tags.first))),
            Assume(~tags.valid | tags.first | (tags.last == (feature == features))),
            Assume(~(tags.valid & (feature == 3)) | tags.last),
        ]
        memory = rows["m"].submodules.sums
        (write,), (read,) = memory.write_ports, memory.read_ports
        used = self.later(tags.valid & ~tags.first, 3 if squares else 1)
        meets = self.later(write.en & (write.addr == read.addr))
        m.d.comb += [Assert(~(used & meets)), Cover(used & self.later(write.en)), Cover(meets)]
