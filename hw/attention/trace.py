"""Global trace decay unit, and how a lane looks points of the trace up."""

from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from golden.trace import decay_constants


class TraceDecay(wiring.Component):
    """Value of the global trace after a number of decay steps.

    With B = 2**(a/b), b constants and a shift give every value of the trace exactly as the
    table of `golden.trace` has it: G[k] = (C[r] + 2**o) >> (o + 1), a*k = o*b + r.
    (SpikedAttention, section 3.2: the global trace.)

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


class TraceLookup(wiring.Component):
    """The signed point of the global trace at the sum of two phases: what a lane adds.

    The decay law is global, the number of steps is not: every lane needs another point in every
    cycle. With `CoreConfig.trace_store` "logic" each lookup is a `TraceDecay` of its own, and a
    negative addend is inverted and owes a carry; with "memory" the points and their negatives are
    a table in block RAM, with a port for each half of the lane.

    Members, for `NAME` in `PORTS`:
        NAME_active, NAME_negative, NAME_steps: the point; silent unless active.
        NAME_addend, NAME_carry: the addend is addend + carry.

    Timing: `latency` cycles, one point per cycle on each port.
    """

    PORTS = ("score", "context")

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        code = config.code
        members: dict[str, wiring.Member] = {}
        for name in self.PORTS:
            members |= {
                f"{name}_active": In(1),
                f"{name}_negative": In(1),
                f"{name}_steps": In(bits_for(2 * code.steps - 2)),
                f"{name}_addend": Out(signed(code.trace_bits + 2)),
                f"{name}_carry": Out(1),
            }
        super().__init__(members)

    @staticmethod
    def latency(config: CoreConfig) -> int:
        """Cycles from a point's steps to its addend."""
        return 4 if config.trace_store == "memory" else 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._config.trace_store == "memory":
            self._from_memory(m)
        else:
            self._from_logic(m)
        return m

    def _from_logic(self, m: Module) -> None:
        for name in self.PORTS:
            m.submodules[f"{name}_decay"] = decay = TraceDecay(self._config.code)
            active, negative = Signal(name=f"{name}_on"), Signal(name=f"{name}_minus", reset_less=True)
            steps = Signal.like(decay.steps, name=f"{name}_step", reset_less=True)
            product = Signal.like(decay.trace, name=f"{name}_product", reset_less=True)
            owed = Signal(name=f"{name}_owed", reset_less=True)
            m.d.sync += [
                active.eq(getattr(self, f"{name}_active")),
                negative.eq(getattr(self, f"{name}_active") & getattr(self, f"{name}_negative")),
                steps.eq(getattr(self, f"{name}_steps")),
                owed.eq(negative),
            ]
            m.d.comb += decay.steps.eq(steps)
            with m.If(active):
                m.d.sync += product.eq(decay.trace)
            with m.Else():
                m.d.sync += product.eq(0)
            inverted = Cat(product ^ owed.replicate(len(product)), owed).as_signed()
            m.d.comb += [
                getattr(self, f"{name}_addend").eq(inverted),
                getattr(self, f"{name}_carry").eq(owed),
            ]

    def _from_memory(self, m: Module) -> None:
        code = self._config.code
        half = 1 << bits_for(2 * code.steps - 2)
        table = [int(g) for g in code.trace] + [0] * (half - len(code.trace))
        m.submodules.table = memory = Memory(
            shape=signed(code.trace_bits + 2),
            depth=2 * half,
            init=table + [-g for g in table],
            attrs={"rom_style": "block"},
        )
        # Block RAMs stand in a few columns of the device, far from most lanes: a register on either
        # side covers the way there and the way back
        for name in self.PORTS:
            read = memory.read_port()
            active = Signal(3, name=f"{name}_on")
            address = Signal.like(read.addr, name=f"{name}_address", reset_less=True)
            product, addend = (
                Signal.like(read.data, name=f"{name}_{part}", reset_less=True)
                for part in ("point", "product")
            )
            m.d.sync += [
                active.eq(Cat(getattr(self, f"{name}_active"), active)),
                address.eq(Cat(getattr(self, f"{name}_steps"), getattr(self, f"{name}_negative"))),
                product.eq(read.data),
            ]
            with m.If(active[2]):
                m.d.sync += addend.eq(product)
            with m.Else():
                m.d.sync += addend.eq(0)
            m.d.comb += [read.addr.eq(address), getattr(self, f"{name}_addend").eq(addend)]
