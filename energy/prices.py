"""The one table of prices: what each operation costs, by which law, and where that comes from.

Adders grow linearly with the width, through the 8- and 32-bit numbers of the source; multipliers with
the product of the widths, from the 8-bit number (0.2 * 16 = 3.2 pJ at 32 x 32, where the source has
3.1); the energy of a bit of a memory with a power of its size, between the sizes of the source and,
with the exponent 1/2 of a square array, below the smallest. What the source has no number for is
charged as a bit of an adder and called assumed.

A paper's own prices, where its own headline is reproduced, are another table (`energy.paper`); no
ledger and no ratio takes prices of two tables (`energy.ledger`).
"""

from dataclasses import dataclass
from math import log
from typing import Literal

HOROWITZ = "M. Horowitz, Computing's energy problem, ISSCC 2014, figure 1.1.9 (45 nm, 0.9 V)"
HARDWARE = "hardware"
# quoted: the source's number; scaled: by a law through its numbers; assumed: stands for what it has none for
Standing = Literal["quoted", "scaled", "assumed", "given", "unknown"]

# pJ by bits: integer additions; integer multiplications by bits of both operands
ADD = {8: 0.03, 32: 0.1}
MULTIPLY_8 = 0.2
# pJ by bytes: 64 bits read from an on-chip memory; a write is charged like a read
MEMORY = {8 * 1024: 10.0, 32 * 1024: 20.0, 1024 * 1024: 100.0}
MEMORY_BITS = 64
# pJ of 64 bits of a DRAM chip, the interface included: the source says 1,300 to 2,600
DRAM = 1300.0
SMALL_MEMORY_EXPONENT = 0.5
FLOAT_ADD, FLOAT_MULTIPLY = 0.9, 3.7


@dataclass(frozen=True)
class Price:
    """What one operation costs.

    Attributes:
        operation: what is paid for, with its widths.
        picojoule: of one; None where nothing is known.
        formula: how it follows from the numbers of the source.
        source: where those come from.
        standing: how firm it is.
        table: the table of prices that it belongs to.
    """

    operation: str
    picojoule: float | None
    formula: str
    source: str
    standing: Standing
    table: str = HARDWARE


def add(bits: int) -> Price:
    """Adding, subtracting or comparing integers of `bits` bits."""
    slope = (ADD[32] - ADD[8]) / (32 - 8)
    return _price(
        f"add {_bits(bits)}",
        ADD[8] + slope * (bits - 8) if bits >= 8 else ADD[8] * bits / 8,
        "quoted" if bits in ADD else "scaled",
        f"linear in the width through {ADD[8]} pJ (8 bits) and {ADD[32]} pJ (32 bits), in proportion below",
    )


def multiply(left_bits: int, right_bits: int) -> Price:
    """Multiplying integers."""
    return _price(
        f"multiply {left_bits} x {_bits(right_bits)}",
        MULTIPLY_8 * left_bits * right_bits / 64,
        "quoted" if left_bits == right_bits == 8 else "scaled",
        f"{MULTIPLY_8} pJ at 8 x 8 bits, times the product of the widths",
    )


def access(bits: int, memory_bits: int) -> Price:
    """Reading or writing `bits` bits of a memory of `memory_bits` bits."""
    size, sizes = memory_bits / 8, sorted(MEMORY)
    index = min(max(sum(size > s for s in sizes), 1), len(sizes) - 1)
    low, high = sizes[index - 1], sizes[index]
    exponent = log(MEMORY[high] / MEMORY[low]) / log(high / low)
    if size <= sizes[0]:
        exponent = SMALL_MEMORY_EXPONENT
    quoted = ", ".join(f"{MEMORY[s]:g} pJ at {s // 1024} KiB" for s in sizes)
    return _price(
        f"{_bits(bits)} of a memory of {memory_bits:,}",
        bits * MEMORY[low] / MEMORY_BITS * (size / low) ** exponent,
        "quoted" if bits == MEMORY_BITS and size in MEMORY else "scaled",
        f"a share of {MEMORY_BITS} bits: {quoted}; a power of the size between, the square root below",
    )


def external(bits: int) -> Price:
    """Reading or writing `bits` bits of a DRAM chip beside the core."""
    return _price(
        f"{_bits(bits)} of external DRAM",
        bits * DRAM / MEMORY_BITS,
        "quoted" if bits == MEMORY_BITS else "scaled",
        f"a share of {MEMORY_BITS} bits: {DRAM:g} pJ, the least of 1300 to 2600",
    )


def float_add() -> Price:
    return _price("add 32-bit floats", FLOAT_ADD, "quoted")


def float_multiply() -> Price:
    return _price("multiply 32-bit floats", FLOAT_MULTIPLY, "quoted")


def and_gate() -> Price:
    holds = "a bit of an adder, which holds two AND gates and more"
    return _price("AND of two bits", add(1).picojoule, "assumed", holds)


def register_bit(picojoule: float | None = None) -> Price:
    """A bit of a register that takes a new value; `picojoule` when given."""
    if picojoule is None:
        return _price("clock a bit of a register", add(1).picojoule, "assumed", "a bit of an adder")
    return _price("clock a bit of a register", picojoule, "given", source="given")


def clock_cycle(picojoule: float | None) -> Price:
    """Clock tree and idle logic for a cycle: a parameter, or explicitly unknown."""
    if picojoule is None:
        return _price("clock cycle", None, "unknown", "no published figure fits this core", "none")
    return _price("clock cycle", picojoule, "given", source="given")


def _bits(count: int) -> str:
    return "1 bit" if count == 1 else f"{count} bits"


def _price(
    operation: str,
    picojoule: float | None,
    standing: Standing,
    formula: str = "",
    source: str = HOROWITZ,
) -> Price:
    """What is quoted needs no formula."""
    if standing in ("quoted", "given"):
        formula = "as is"
    return Price(operation, picojoule, formula, source, standing)
