"""Global trace decay unit, and how a lane looks points of the trace up."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from golden.trace import decay_constants
from hw.attention import payloads
from hw.parts.memory import BLOCK
from hw.parts.payloads import phase_width, spike

# A block RAM of the ECP5 and of the Gowin parts has 1,024 words of 18 bits
BLOCK_ADDRESS_BITS = 10


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
    """The signed point of the global trace that two spikes make: what a lane adds.

    The decay law is global, the number of steps is not: every lane needs another point in every
    cycle. With `CoreConfig.trace_store` "logic" each lookup is a `TraceDecay` of its own, and a
    negative addend is inverted and owes a carry; with "memory" the points and their negatives are
    a table in block RAM, with a port for each half of the lane.

    Members, for `NAME` in `PORTS`:
        NAME_a, NAME_b: spikes; the point is silent unless both are active, negative if one is.
            `context_a` is an attention spike, which has no sign.
        ones: `context_b` counts as a positive spike of phase 0, whatever it is.
        NAME_addend, NAME_carry: the addend is addend + carry.

    Timing: `latency` cycles, one point per cycle on each port.
    """

    PORTS = ("score", "context")

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        members: dict[str, wiring.Member] = {"ones": In(1)}
        first = {"score": spike(config.code), "context": payloads.attention(config)}
        for name in self.PORTS:
            members |= {
                f"{name}_a": In(first[name]),
                f"{name}_b": In(spike(config.code)),
                f"{name}_addend": Out(signed(config.code.trace_bits + 2)),
                f"{name}_carry": Out(1),
            }
        super().__init__(members)

    @staticmethod
    def latency(config: CoreConfig) -> int:
        """Cycles from two spikes to their addend."""
        return 4 if config.trace_store == "memory" else 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._config.trace_store == "memory":
            self._from_memory(m)
        else:
            self._from_logic(m)
        return m

    def _spikes(self, name: str) -> tuple[list[Value], Value, list[Value]]:
        """Phases of two spikes, whether both are active, and the signs that they have."""
        a, b = getattr(self, f"{name}_a"), getattr(self, f"{name}_b")
        if name == "score":
            return [a.phase, b.phase], a.active & b.active, [b.negative, a.negative]
        # the reset of the address register where phases are its bits; where they are added first, a mask
        phase, negative = (Mux(self.ones, 0, field) for field in (b.phase, b.negative))
        return [a.phase, phase], a.active & (b.active | self.ones), [negative]

    def _from_logic(self, m: Module) -> None:
        for name in self.PORTS:
            phases, both, signs = self._spikes(name)
            m.submodules[f"{name}_decay"] = decay = TraceDecay(self._config.code)
            active, negative = Signal(name=f"{name}_on"), Signal(name=f"{name}_minus", reset_less=True)
            steps = Signal.like(decay.steps, name=f"{name}_step", reset_less=True)
            product = Signal.like(decay.trace, name=f"{name}_product", reset_less=True)
            owed = Signal(name=f"{name}_owed", reset_less=True)
            m.d.sync += [
                active.eq(both),
                negative.eq(both & Cat(signs).xor()),
                steps.eq(sum(phases)),
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
        table = trace_table(code)
        m.submodules.table = memory = Memory(
            shape=signed(code.trace_bits + 2), depth=len(table), init=table, attrs=BLOCK
        )
        # Block RAMs stand in a few columns of the device, far from most lanes: a register on either
        # side covers the way there and the way back
        for name in self.PORTS:
            phases, both, signs = self._spikes(name)
            read = memory.read_port()
            silent = Signal(3, name=f"{name}_silent", init=0b111)
            product, addend = (
                Signal.like(read.data, name=f"{name}_{part}", reset_less=True)
                for part in ("point", "product")
            )
            if pairs_fit(code):
                point = Cat(*phases, *signs)
            else:
                steps = Signal(bits_for(2 * code.steps - 2), name=f"{name}_steps")
                m.d.comb += steps.eq(sum(phases))
                point = Cat(steps, Cat(signs).xor())
            address = Signal(len(point), name=f"{name}_address", reset_less=True)
            m.d.sync += [address.eq(point), silent.eq(Cat(~both, silent)), product.eq(read.data)]
            with m.If(silent[2]):
                m.d.sync += addend.eq(0)
            with m.Else():
                m.d.sync += addend.eq(product)
            m.d.comb += [read.addr.eq(address), getattr(self, f"{name}_addend").eq(addend)]


def pairs_fit(code: PhaseCode) -> bool:
    """Whether a block RAM has room for the point of every two phases with every two signs.

    Then nothing is computed in front of it. Otherwise it is addressed by the sum and the product."""
    return 2 * phase_width(code) + 2 <= BLOCK_ADDRESS_BITS


def trace_table(code: PhaseCode) -> list[int]:
    """Content of a lane's table, by the address of `TraceLookup`; 0 at places that are never read."""
    trace = [int(point) for point in code.trace]
    if not pairs_fit(code):
        half = 1 << bits_for(2 * code.steps - 2)
        points = trace + [0] * (half - len(trace))
        return points + [-point for point in points]
    phases = 1 << phase_width(code)
    steps = [a + b for b in range(phases) for a in range(phases)]
    points = [trace[k] if k < len(trace) else 0 for k in steps]
    negatives = [-point for point in points]
    return points + negatives + negatives + points
