"""Controllers that break a rule of their chip each."""

from golden.memory import MemoryConfig


class HastyColumn(MemoryConfig):
    @property
    def activate_to_column(self) -> int:
        return 1


class HastyActivate(MemoryConfig):
    @property
    def precharge(self) -> int:
        return 1


class HastyRefresh(MemoryConfig):
    @property
    def refresh(self) -> int:
        return 4


class LateRefresh(MemoryConfig):
    @property
    def refresh_interval(self) -> int:
        return super().refresh_interval + 20


class Impatient(MemoryConfig):
    @property
    def power_up_periods(self) -> int:
        return super().power_up_periods - 1


# By the rule that is broken
FAULTY = {
    "tRCD": HastyColumn,
    "tRP": HastyActivate,
    "tRFC": HastyRefresh,
    "tREFI": LateRefresh,
    "power-up": Impatient,
}
