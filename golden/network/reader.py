"""When a reader of a memory brings the words of the stream of weights: cycle model and hardware share it."""

from dataclasses import dataclass

from golden.code import check_range
from golden.errors import InputError
from golden.memory import BURST, CAS, MemoryConfig


@dataclass(frozen=True, kw_only=True)
class ReaderTiming:
    """A sequential reader of a memory, in cycles of the core's clock.

    Time runs in periods. A period begins with a gap (refresh, or another row), then a word comes every
    `interval` cycles, as long as the queue in front of the core has room.

    Attributes:
        latency: from the start of the reader to the first period.
        interval: cycles per word.
        period, gap: cycles of a period, and those at its beginning in which nothing comes.
        queue: words that wait for the core.

    Raises:
        InputError: a field is out of range.
    """

    latency: int = 0
    interval: int = 1
    period: int = 1
    gap: int = 0
    queue: int = 16

    def __post_init__(self) -> None:
        limits = {"latency": (0, 1 << 20), "interval": (1, 1 << 10), "period": (1, 1 << 20)}
        # a queue of one word takes and gives in turn only
        for name, (least, most) in (limits | {"queue": (2, 1 << 12)}).items():
            check_range(f"ReaderTiming.{name}", getattr(self, name), least, most)
        if not 0 <= self.gap < self.period:
            raise InputError(
                f"ReaderTiming.gap must leave words in a period, 0..{self.period - 1}, not {self.gap}"
            )

    @property
    def words(self) -> int:
        """Words of a period."""
        return -(-(self.period - self.gap) // self.interval)

    @property
    def share(self) -> float:
        """Words per cycle."""
        return self.words / self.period


def reader_of(memory: MemoryConfig) -> ReaderTiming:
    """About the timing of sequential reads from an SDRAM: a word per cycle, but for its refreshes."""
    return ReaderTiming(latency=CAS + BURST, period=memory.refresh_period, gap=memory.refresh_gap, queue=32)


# What simulated weights come from where no one says it
SDRAM = reader_of(MemoryConfig(clock=80e6))
