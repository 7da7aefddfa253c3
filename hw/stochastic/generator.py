"""Banks of pseudo-random generators, wired by the random-number plan."""

from math import prod

from amaranth.hdl import Cat, Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.stochastic.lfsr import rows, shift_matrix, transform
from golden.stochastic.plan import Bank


def times_constant(value: Value, factor: int) -> Value:
    """value * factor from shifts, additions and subtractions (canonical signed digits)."""
    added: list[Value] = []
    subtracted: list[Value] = []
    place = 0
    while factor:
        if factor & 1:
            # A run of ones becomes one subtraction and a carry into the place above it
            digit = 2 - (factor & 3)
            (added if digit > 0 else subtracted).append(value << place)
            factor -= digit
        factor >>= 1
        place += 1
    total = sum(added[1:], added[0])
    for term in subtracted:
        total = total - term
    return total


class GeneratorBank(wiring.Component):
    """Uniform draws 0..size-1 for all consumers of a bank.

    `draws` belongs to the current event and moves to the next event in the cycle after `advance`;
    events may follow each other every cycle.

    Parameters
        bank: generators, starts, leap, draws per event.
        size: number of values of a draw; r = floor(u * size / 2**w).

    Members
        advance: the current event is over.
        draws: one per entry of `bank.drawn`, in C order.
    """

    def __init__(self, bank: Bank, size: int) -> None:
        self.bank = bank
        self.size = size
        self.bits = (size - 1).bit_length()
        super().__init__(
            {
                "advance": In(1),
                "draws": Out(data.ArrayLayout(unsigned(self.bits), prod(bank.drawn))),
            }
        )

    @property
    def registered(self) -> bool:
        """Whether draws have registers of their own: they are more than bits of a state."""
        return self.bank.draws > 1 or self.size != 1 << self.bits

    def _first_draw(self, state: int, number: int) -> int:
        plan = self.bank.plan
        ahead = transform(shift_matrix(plan.width, plan.leap * number), state)
        return (ahead >> (plan.width - plan.draw_bits)) * self.size >> plan.draw_bits

    def elaborate(self, platform: object) -> Module:
        # A leap is not `leap` cycles of shifting but one XOR network, so that pauses of the stream
        # cannot change a draw. Where a draw needs logic behind the state (looking ahead, scaling)
        # the state runs one event ahead and the draw is registered: one network per cycle.
        m = Module()
        plan = self.bank.plan
        leap = shift_matrix(plan.width, self.bank.event_shifts)

        def image(state: Value, shifts: int, low: int) -> Value:
            """Bits low.. of the state that is `shifts` ahead."""
            parities = rows(shift_matrix(plan.width, shifts))[low:]
            return Cat(Cat(state[i] for i in range(plan.width) if row >> i & 1).xor() for row in parities)

        def scaled(number: Value) -> Value:
            if self.size == 1 << self.bits:
                return number[plan.draw_bits - self.bits :]
            return times_constant(number, self.size)[plan.draw_bits :][: self.bits]

        for index, start in enumerate(self.bank.starts):
            init = transform(leap, start) if self.registered else start
            state = Signal(plan.width, name=f"state_{index}", init=init)
            with m.If(self.advance):
                m.d.sync += state.eq(image(state, self.bank.event_shifts, 0))
            for number in range(self.bank.draws):
                draw = self.draws[index * self.bank.draws + number]
                low = plan.width - plan.draw_bits
                if not self.registered:
                    m.d.comb += draw.eq(scaled(state[low:]))
                    continue
                held = Signal(self.bits, name=f"draw_{index}_{number}", init=self._first_draw(start, number))
                m.d.comb += draw.eq(held)
                with m.If(self.advance):
                    m.d.sync += held.eq(scaled(image(state, plan.leap * number, low)))
        return m
