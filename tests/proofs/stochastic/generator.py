"""Proofs of the pseudo-random generators."""

from amaranth.hdl import Assert, Cover

from golden.stochastic.plan import Bank, RandomPlan
from hw.stochastic import generator
from tests.proofs.property import Fault, Property


class StateIsNeverZero(Property):
    """A shift register never holds zero, in which it would stay for ever; it stands still while no event is
    over.

    Assumes: nothing."""

    component = "stochastic/generator"
    reach = 40
    cases = tuple({"width": width, "leap": leap} for width in (16, 32) for leap in (1, 16))
    faults = (
        Fault(
            module=generator,
            old="init = transform(leap, start) if self.registered else start",
            new="init = 0",
        ),
        Fault(module=generator, old="if row >> i & 1).xor()", new="if row >> i & 1).all()"),
    )

    def build(self, width: int, leap: int) -> None:
        plan = RandomPlan(width=width, leap=leap, draw_bits=8, allow_dependent=True)
        bank = Bank(plan=plan, starts=(1,), draws=1, drawn=(1,), lanes=(1,))
        inside = self.opened("bank", generator.GeneratorBank(bank, 1 << 8))
        state, advance = inside["state"], inside.ports.advance
        self.m.d.comb += [
            Assert(state != 0),
            Cover(self.later(advance) & (state[-1] == 1)),
        ]
