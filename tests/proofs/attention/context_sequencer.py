"""Proof of what the context sequencer knows early."""

from amaranth.hdl import Assert, Cover

from golden.attention.config import CoreConfig, preset
from hw.attention import context_sequencer
from hw.parts.compare import above
from tests.proofs.attention.local_trace import CONFIG
from tests.proofs.property import Fault, Property


class LastIsKnownEarly(Property):
    """The registers that tell the last group of a column and the last column of a row say in every cycle what
    the counters beside them say.

    Assumes: nothing. Heads of any size come and go at any time."""

    component = "attention/context_sequencer"
    cases = ({}, {"config": preset("digits")}, {"config": preset("default")})
    faults = (
        Fault(module=context_sequencer, old="above(left, 2 *", new="above(left, 1 *"),
        Fault(module=context_sequencer, old="columns_left == 1)", new="columns_left == 0)"),
    )

    def build(self, config: CoreConfig = CONFIG) -> None:
        inside = self.opened("context", context_sequencer.ContextSequencer(config))
        last_group, last_feature = inside["last_group"], inside["last_feature"]
        self.m.d.comb += [
            Assert(last_group == ~above(inside["left"], config.lanes)),
            Assert(last_feature == (inside["columns_left"] == 0)),
            Cover(inside["row_done"]),
        ]
