"""What passes between a memory's controller and those who use it."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Member, Out
from amaranth.utils import exact_log2

from golden.memory import BANKS, BURST, WORD_BITS, SdramChip

BANK_BITS = exact_log2(BANKS)
PLACE_BITS = exact_log2(BURST)


def address_bits(chip: SdramChip) -> int:
    """Bits of the address of a word."""
    return exact_log2(chip.words)


def address(chip: SdramChip) -> data.StructLayout:
    """A word's address: sequential words go through a row of a bank, then through the next bank."""
    return data.StructLayout(
        {
            "place": PLACE_BITS,
            "burst": exact_log2(chip.columns) - PLACE_BITS,
            "page": data.StructLayout({"bank": BANK_BITS, "row": exact_log2(chip.rows)}),
        }
    )


def request(chip: SdramChip) -> data.StructLayout:
    """A burst to be read, or a word to be written.

    `mark` comes back with the words that are read.
    """
    return data.StructLayout({"address": address(chip), "write": 1, "mark": 1, "data": WORD_BITS})


# A word that was read
word = data.StructLayout({"data": WORD_BITS, "mark": 1})


def region(chip: SdramChip) -> data.StructLayout:
    """A `golden.memory.Region` by its bursts."""
    bits = address_bits(chip) - PLACE_BITS
    return data.StructLayout({"first": bits, "last": bits, "tail": PLACE_BITS})


SUM_BITS = 32


def status(chip: SdramChip) -> data.StructLayout:
    """How many words a memory holds, and the check sum of what was read from it."""
    return data.StructLayout({"words": address_bits(chip) + 1, "sum": SUM_BITS})


def weights(chip: SdramChip) -> wiring.Signature:
    """Streamed weights as their user has them: see `hw.memory.weights.WeightMemory`."""
    words = stream.Signature(WORD_BITS)
    return wiring.Signature(
        {
            "store": Out(words),
            "running": Out(1),
            "words": In(words),
            "status": In(stream.Signature(status(chip))),
        }
    )


def pins(chip: SdramChip) -> dict[str, Member]:
    """The chip's pins, as its controller has them; the data in two directions."""
    return {
        "cke": Out(1),
        **{name: Out(1, init=1) for name in ("cs_n", "ras_n", "cas_n", "we_n")},
        "ba": Out(BANK_BITS),
        "a": Out(max(11, exact_log2(chip.rows))),
        "dqm": Out(WORD_BITS // 8, init=(1 << WORD_BITS // 8) - 1),
        "dq_o": Out(WORD_BITS),
        "dq_oe": Out(1),
        "dq_i": In(WORD_BITS),
    }
