"""Constants as signed digits, and what products with them cost in the hardware."""

import itertools
from fractions import Fraction

import pytest
from amaranth.hdl import Module, Signal, Value, signed
from amaranth.sim import Simulator, SimulatorContext

from golden.code import PhaseCode
from golden.network.neuron import residue_constants
from golden.signed_digits import additions, signed_digits
from hw.parts.shift_add import times

CONSTANTS = [1, 3, 7, 181, 235, 255, 256, 1023]


@pytest.mark.parametrize("constant", [0, *CONSTANTS])
def test_digits(constant: int) -> None:
    digits = signed_digits(constant)
    assert sum(sign << position for position, sign in digits) == constant
    positions = [position for position, _ in digits]
    assert all(b - a > 1 for a, b in itertools.pairwise(positions))


def test_additions() -> None:
    # 181 = 256 - 64 - 16 + 4 + 1, 255 = 256 - 1
    assert [len(signed_digits(constant)) for constant in (181, 256, 255)] == [5, 1, 2]
    assert additions([181, 256, 255]) == 5 + 1 + 2 - 1
    # The combination of residues in the code of B = 2^(2/7)
    constants = [int(c) for c in residue_constants(PhaseCode(steps=24, log2_base=Fraction(2, 7)))]
    assert len(constants) == 7
    assert additions(constants) == 21


def adders(value: Value) -> int:
    """Additions and subtractions in an expression."""
    operands = getattr(value, "operands", None) or [
        v for v in [getattr(value, "value", None)] if v is not None
    ]
    return (getattr(value, "operator", "") in ("+", "-")) + sum(adders(operand) for operand in operands)


@pytest.mark.parametrize("constant", CONSTANTS)
def test_product_has_the_additions_counted(constant: int) -> None:
    value, product = Signal(signed(6)), Signal(signed(20))
    expression = times(value, constant)
    assert adders(expression) == additions([constant])
    m = Module()
    m.d.comb += product.eq(expression)

    async def bench(ctx: SimulatorContext) -> None:
        for number in range(-32, 32):
            ctx.set(value, number)
            assert ctx.get(product) == number * constant

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
