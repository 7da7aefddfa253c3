"""Proofs of the Bernoulli encoders."""

from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from hw.stochastic import encoder
from tests.proofs.following import stays_offered
from tests.proofs.property import Fault, Property


class SpikesStayOffered(Property):
    """Spikes that are offered stay the same until they are taken, whatever the random numbers do.

    Assumes: nothing."""

    component = "stochastic/encoder"
    faults = (Fault(module=encoder, old="~self.o.valid | self.o.ready", new="1"),)

    def build(self) -> None:
        config = StochasticConfig(
            tokens=2,
            head_dim=4,
            rows=1,
            steps=1,
            rate_bits=4,
            encoders=True,
            plan=RandomPlan(width=16, allow_dependent=True),
        )
        stays_offered(self, self.unit("encoder", encoder.BernoulliEncoder(config)).o)
