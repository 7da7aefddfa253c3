"""Global trace decay unit."""

from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.code import PhaseCode
from golden.trace import decay_constants


class TraceDecay(wiring.Component):
    """Value of the global trace after a number of decay steps.

    With B = 2**(a/b), b constants and a shift give every value of the trace exactly as the
    table of `golden.trace` has it: G[k] = (C[r] + 2**o) >> (o + 1), a*k = o*b + r.
    (SpikedAttention, section 3.2: the global trace.)

    The decay law is global, the number of steps is not: a lane needs the point of the trace at
    the sum of two phases, another one in every lane and cycle, so every lane holds this unit.

    Members:
        steps: decay steps k, 0..2T-2.
        trace: G[k].

    Timing: combinational.
    """

    def __init__(self, code: PhaseCode) -> None:
        self._code = code
        super().__init__(
            {
                "steps": In(bits_for(2 * code.steps - 2)),
                "trace": Out(bits_for(int(code.trace[0]))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # Constant, shift and rounding are functions of few bits: written as a choice by steps,
        # synthesis folds all three into one lookup per output bit.
        m = Module()
        code = self._code
        constants = decay_constants(code.log2_base, code.trace_bits + 1)
        with m.Switch(self.steps):
            for k in range(2 * code.steps - 1):
                octaves, residue = code.octave(k)
                shifted = Const(constants[residue] + (1 << octaves)) >> (octaves + 1)
                with m.Case(k):
                    m.d.comb += self.trace.eq(shifted)
        return m
