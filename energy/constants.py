"""Energies of single operations, each with its source."""

from dataclasses import dataclass

HOROWITZ = "M. Horowitz, Computing's energy problem, ISSCC 2014, figure 1.1.9 (45 nm, 0.9 V)"
AUTHORS = "SpikedAttention (NeurIPS 2024), published code, functions ANN_Energy and SpikeSim_Energy"


@dataclass(frozen=True, kw_only=True)
class Constant:
    """An energy in pJ with its source.

    Attributes:
        picojoule: the value.
        source: where it comes from.
    """

    picojoule: float
    source: str


# --- paper accounting: 32-bit floats, every memory access one word of 32 bits -------------------

PAPER_ADD = Constant(picojoule=0.9, source=f"{AUTHORS}; 32-bit float add in {HOROWITZ}")
PAPER_MULTIPLY = Constant(picojoule=3.7, source=f"{AUTHORS}; 32-bit float multiply in {HOROWITZ}")
PAPER_WORD = Constant(
    picojoule=5.0, source=f"{AUTHORS}; half of a 64-bit access to an 8 KiB memory in {HOROWITZ}"
)
PAPER_WORD_BITS = 32

# --- hardware accounting: integers at the widths really used ------------------------------------

INT8_ADD = Constant(picojoule=0.03, source=HOROWITZ)
INT32_ADD = Constant(picojoule=0.1, source=HOROWITZ)
INT8_MULTIPLY = Constant(picojoule=0.2, source=HOROWITZ)
INT32_MULTIPLY = Constant(picojoule=3.1, source=HOROWITZ)
FLOAT16_ADD = Constant(picojoule=0.4, source=HOROWITZ)
FLOAT16_MULTIPLY = Constant(picojoule=1.1, source=HOROWITZ)

# Reads of 64 bits from on-chip memories, by size in bytes
MEMORY_READ_BITS = 64
MEMORY_READ: dict[int, Constant] = {
    8 * 1024: Constant(picojoule=10.0, source=HOROWITZ),
    32 * 1024: Constant(picojoule=20.0, source=HOROWITZ),
    1024 * 1024: Constant(picojoule=100.0, source=HOROWITZ),
}

# --- stochastic attention: what the source of the constants has no number for --------------------

ADDER_BIT = Constant(
    picojoule=INT8_ADD.picojoule / 8, source=f"an eighth of the 8-bit add of 0.03 pJ in {HOROWITZ}"
)
AND_GATE = Constant(
    picojoule=ADDER_BIT.picojoule,
    source=f"assumed: a bit of an adder, which holds two AND gates and more; {ADDER_BIT.source}",
)
REGISTER_BIT = Constant(
    picojoule=ADDER_BIT.picojoule, source=f"assumed: a bit of an adder; {ADDER_BIT.source}"
)
MEMORY_BIT = Constant(
    picojoule=MEMORY_READ[8 * 1024].picojoule / MEMORY_READ_BITS,
    source=f"a 64th of a 64-bit read of an 8 KiB memory, 10 pJ in {HOROWITZ}; a write likewise",
)
