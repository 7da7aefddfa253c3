"""Proofs of the trace that lanes look up: the closed form, at every phase."""

from fractions import Fraction

from amaranth.hdl import Array, Assert, Assume, Cat, Const, Cover, Mux, Signal, signed

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import trace
from tests.proofs.property import Fault, Property


def closed_form(code: PhaseCode, k: int) -> int:
    """The integer nearest to 2**F * 2**(-a*k/b), by powers of integers alone."""
    a, b = code.log2_base.numerator, code.log2_base.denominator
    # G - 1/2 <= 2**F * 2**(-a*k/b) < G + 1/2, both sides doubled and raised to b
    one = 1 << (code.trace_bits + 1) * b
    low, high = 0, 1 << code.trace_bits
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if (2 * middle - 1) ** b << a * k <= one else (low, middle - 1)
    return low


class LookupIsTheClosedForm(Property):
    """`latency` cycles after two spikes of phases p and q a port gives +-G[p + q], G[k] the integer nearest
    to 2**F * B**-k, or zero where one is silent: at all phases and signs, on either port. For ones q
    is 0.

    Assumes: phases below T."""

    component = "attention/trace"
    cases = tuple(
        {"code": code, "store": store}
        for code in (
            PhaseCode(),
            PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=10),
            PhaseCode(steps=5, log2_base=Fraction(2), trace_bits=4),
            PhaseCode(steps=40, log2_base=Fraction(1, 5)),
            PhaseCode(steps=24, log2_base=Fraction(2, 7), trace_bits=16),
        )
        for store in ("logic", "memory")
    )
    faults = (
        Fault(module=trace, old="constants[residue] + (1 << octaves)", new="constants[residue]"),
        Fault(module=trace, old="owed.eq(negative)", new="owed.eq(0)"),
        Fault(module=trace, old="with m.If(active):", new="with m.If(1):"),
        Fault(module=trace, old="Mux(self.ones, 0, field)", new="field"),
    )

    def build(self, code: PhaseCode, store: str) -> None:
        m = self.m
        config = CoreConfig(code=code, trace_store=store)
        lookup = self.unit("lookup", trace.TraceLookup(config))
        points = Array(
            Const(closed_form(code, k), signed(code.trace_bits + 2)) for k in range(2 * code.steps - 1)
        )
        latency = trace.TraceLookup.latency(config)
        settled = self.later(Const(1), latency)
        for name in lookup.PORTS:
            a, b, addend, carry = (
                getattr(lookup, f"{name}_{part}") for part in ("a", "b", "addend", "carry")
            )
            # an attention spike has no sign
            signs = [b.negative] + ([a.negative] if name == "score" else [])
            active, negative, steps = a.active & b.active, Cat(signs).xor(), a.phase + b.phase
            if name == "context":
                active = Mux(lookup.ones, a.active, active)
                negative, steps = negative & ~lookup.ones, Mux(lookup.ones, a.phase, steps)
            point = Signal(signed(code.trace_bits + 3), name=f"{name}_point")
            m.d.comb += [
                Assume((a.phase < code.steps) & (b.phase < code.steps)),
                point.eq(Mux(active, Mux(negative, -points[steps], points[steps]), 0)),
                Assert(~settled | (addend + carry == self.later(point, latency))),
                Cover(settled & (addend + carry < 0)),
                Cover(settled & (addend + carry > 0)),
            ]
