"""Proofs of the local trace memories: no word that is used is read in the cycle in which it is written."""

from amaranth.hdl import Assert, Cover, Value

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import context_sequencer, score_sequencer, trace_loader
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=2, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


def do_not_meet(prop: Property, load: Value, read: Value, used: Value) -> None:
    """Claim that a command to write and a read that is used never have the same address."""
    same = load.data.address.as_value() == read.data.address.as_value()
    prop.m.d.comb += [
        Assert(~(load.strobe.write & used & same)),
        Cover(load.strobe.write & used),
        Cover(load.strobe.write & same),
    ]


class KeysDoNotCollide(Property):
    """No key is read for an addition in the cycle in which its word is written, in whatever cluster: loading
    and reading commands reach every cluster in as many cycles.

    Assumes: nothing. Heads, rows of queries, terms and pauses are any; what loads and what is read need not
    even agree on the size of a head."""

    component = "attention/local_trace"
    reach = 40
    faults = (
        Fault(module=trace_loader, old="(started != 2)", new="1"),
        Fault(module=trace_loader, old="bank.eq(~bank)", new="bank.eq(bank)"),
        Fault(module=score_sequencer, old="self.i_head.valid & self.keys_full", new="self.i_head.valid"),
    )

    def build(self) -> None:
        m = self.m
        loader = self.unit("loader", trace_loader.TraceLoader(CONFIG))
        score = self.unit("score", score_sequencer.ScoreSequencer(CONFIG))
        m.d.comb += [score.keys_full.eq(loader.full), loader.release.eq(score.release_keys)]
        do_not_meet(self, loader.o_command, score.o_command, score.o_command.strobe.add)


class ValuesDoNotCollide(Property):
    """The same of values that are read for a column.

    Assumes: nothing. Heads, rows of attention spikes, room and pauses are any."""

    component = "attention/local_trace"
    reach = 40
    faults = (
        Fault(module=trace_loader, old="(started != 2)", new="1"),
        Fault(module=context_sequencer, old="self.i_head.valid & self.values_full", new="self.i_head.valid"),
    )

    def build(self) -> None:
        m = self.m
        loader = self.unit("loader", trace_loader.TraceLoader(CONFIG))
        context = self.unit("context", context_sequencer.ContextSequencer(CONFIG))
        m.d.comb += [context.values_full.eq(loader.full), loader.release.eq(context.release_values)]
        do_not_meet(self, loader.o_command, context.o_command, context.o_command.strobe.read)
