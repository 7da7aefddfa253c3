"""Proofs of the output threshold: the product, and that it waits for its reader."""

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import output_threshold
from tests.proofs.following import stays_offered
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=1, lanes=1, cluster=1, tokens=1, terms_per_beat=1
)


class LevelsStayOffered(Property):
    """The levels of a row stay the same until they are taken, while the next row is integrated.

    Assumes: nothing."""

    component = "attention/output_threshold"
    reach = 64
    faults = (Fault(module=output_threshold, old="m.If(~self.o.valid | self.o.ready)", new="m.If(1)"),)

    def build(self) -> None:
        stays_offered(self, self.unit("threshold", output_threshold.OutputThreshold(CONFIG)).o)
