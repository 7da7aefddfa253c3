"""Proofs of the output neuron."""

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import phase_encoder
from tests.proofs.following import stays_offered
from tests.proofs.property import Fault, Property

CONFIG = CoreConfig(
    code=PhaseCode(steps=2, trace_bits=4), head_dim=2, lanes=1, cluster=1, tokens=2, terms_per_beat=1
)


class BeatsStayOffered(Property):
    """Codes and context values that are offered stay the same until they are taken.

    Assumes: nothing."""

    component = "attention/phase_encoder"
    faults = (Fault(module=phase_encoder, old="fifo.r_en.eq(port.ready)", new="fifo.r_en.eq(1)"),)

    def build(self) -> None:
        encoder = self.unit("encoder", phase_encoder.PhaseEncoder(CONFIG))
        stays_offered(self, encoder.o_code)
        stays_offered(self, encoder.o_context)
