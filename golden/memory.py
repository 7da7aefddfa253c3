"""External memory for streamed weights: what the data sheet of a chip asks for, in cycles of a clock.

The chip is a single data rate SDRAM of 16 bits, in four banks. It is used in one way: reads in bursts of
eight words, writes of one word, both in a slot of eight cycles.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from golden.errors import InputError

WORD_BITS = 16
BURST = 8  # words of a read, and cycles of a slot
CAS = 3  # cycles from a read to its first word
BANKS = 4


@dataclass(frozen=True, kw_only=True)
class SdramChip:
    """A chip, by its data sheet; times in nanoseconds.

    Attributes:
        rows, columns: of a bank; powers of two.
        period: shortest clock period with a CAS latency of 3.
        activate_to_column: tRCD; precharge: tRP; activate_to_precharge: tRAS; activate_to_activate: tRC, in
            the same bank; other_bank: tRRD; refresh: tRFC; write_to_precharge: tWR; mode: tMRD.
        refresh_interval: tREFI, from one refresh to the next.
        power_up: steady clock before the first command.
    """

    rows: int
    columns: int
    period: float
    activate_to_column: float
    precharge: float
    activate_to_precharge: float
    activate_to_activate: float
    other_bank: float
    refresh: float
    write_to_precharge: float
    mode: float
    refresh_interval: float
    power_up: float

    @property
    def words(self) -> int:
        """Words that it holds."""
        return BANKS * self.rows * self.columns


# A ULX3S carries IS42S16160G-7, AS4C16M16SA-7 or MT48LC16M16A2-75: of each time the longest that one of their
# data sheets asks for
ULX3S_SDRAM = SdramChip(
    rows=8192,
    columns=512,
    period=7.5,
    activate_to_column=21,
    precharge=21,
    activate_to_precharge=44,
    activate_to_activate=66,
    other_bank=15,
    refresh=70,
    write_to_precharge=15,
    mode=15,
    refresh_interval=7800,
    power_up=200_000,
)


@dataclass(frozen=True, kw_only=True)
class MemoryConfig:
    """A chip at a clock.

    Attributes:
        chip: by its data sheet.
        clock: Hz; of the chip and of what uses it.

    Raises:
        InputError: the chip cannot follow the clock, or the clock leaves no time between refreshes.
    """

    chip: SdramChip = ULX3S_SDRAM
    clock: float

    def __post_init__(self) -> None:
        if not 0 < self.clock <= 1e9 / self.chip.period:
            raise InputError(
                f"MemoryConfig.clock must be at most {1e3 / self.chip.period:.1f} MHz, the chip's, "
                f"not {self.clock / 1e6:g} MHz"
            )
        if self.refresh_period < self.refresh_gap + 2 * BURST:
            raise InputError(
                f"MemoryConfig.clock must leave time for words between refreshes every "
                f"{self.chip.refresh_interval:g} ns, {self.clock / 1e6:g} MHz does not"
            )
        # What the order of the commands within a slot keeps by itself
        slots = {
            "activate_to_column": self.cycles(self.chip.activate_to_column) < BURST,
            "activate_to_precharge": self.cycles(self.chip.activate_to_precharge) < BURST,
            "write_to_precharge": self.cycles(self.chip.write_to_precharge) <= BURST,
            "other_bank": self.cycles(self.chip.other_bank) <= self.activate_to_column + 1,
            # a row that is opened in the first cycle of a slot may be closed at its end
            "activate_to_activate": self.cycles(self.chip.activate_to_activate) < BURST + self.precharge,
            # one that is closed in the middle of a slot may be opened in the one after the next
            "precharge": self.precharge <= BURST + BURST // 2,
        }
        for name, kept in slots.items():
            if not kept:
                raise InputError(
                    f"SdramChip.{name} must be kept by slots of {BURST} cycles, "
                    f"{getattr(self.chip, name):g} ns at {self.clock / 1e6:g} MHz is not"
                )

    def cycles(self, nanoseconds: float) -> int:
        """Cycles that last at least so long."""
        return ceil(Fraction(nanoseconds) * Fraction(self.clock) / 10**9)

    @property
    def activate_to_column(self) -> int:
        """Cycles from opening a row to its first read or write."""
        return max(2, self.cycles(self.chip.activate_to_column))

    @property
    def precharge(self) -> int:
        """Cycles from closing rows to the next command; with the above, words read and written keep apart."""
        return max(2, self.cycles(self.chip.precharge))

    @property
    def refresh(self) -> int:
        """Cycles of a refresh."""
        return self.cycles(self.chip.refresh)

    @property
    def mode(self) -> int:
        """Cycles after the mode is set."""
        return max(2, self.cycles(self.chip.mode))

    @property
    def refresh_interval(self) -> int:
        """Cycles from one refresh to the next, at most."""
        return floor(Fraction(self.chip.refresh_interval) * Fraction(self.clock) / 10**9)

    @property
    def refresh_period(self) -> int:
        """Cycles from one refresh falling due to the next: one that waits for a row to open, be used and be
        closed is still in time."""
        return self.refresh_interval - (self.activate_to_column + BURST + self.precharge)

    @property
    def refresh_gap(self) -> int:
        """Cycles that a refresh takes from sequential reads."""
        return self.precharge + self.refresh + self.activate_to_column

    @property
    def power_up_periods(self) -> int:
        """Refresh periods before the first command."""
        return ceil(Fraction(self.cycles(self.chip.power_up), self.refresh_period))

    @property
    def share(self) -> float:
        """Words per cycle of endless sequential reads."""
        return 1 - self.refresh_gap / self.refresh_period


@dataclass(frozen=True)
class Region:
    """Words of a memory that are read over and over.

    Attributes:
        first: address of the first word, a multiple of 8.
        words: how many.

    Raises:
        InputError: there is no such place in the chip.
    """

    chip: SdramChip
    first: int
    words: int

    def __post_init__(self) -> None:
        if self.first % BURST or not 0 <= self.first < self.chip.words:
            raise InputError(
                f"Region.first must be a multiple of {BURST} below {self.chip.words}, not {self.first}"
            )
        if not 1 <= self.words <= self.chip.words - self.first:
            raise InputError(
                f"Region.words must be in 1..{self.chip.words - self.first}, what the memory holds, "
                f"not {self.words}"
            )

    @property
    def first_burst(self) -> int:
        return self.first // BURST

    @property
    def last_burst(self) -> int:
        return (self.first + self.words - 1) // BURST

    @property
    def tail(self) -> int:
        """Place of the last word in its burst."""
        return (self.words - 1) % BURST
