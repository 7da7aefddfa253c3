"""What a memory's configuration accepts, and what its chip's times are in cycles."""

from dataclasses import replace

import pytest

from golden.errors import InputError
from golden.memory import ULX3S_SDRAM, MemoryConfig, Region


def test_times_are_rounded_up_and_the_interval_down() -> None:
    config = MemoryConfig(clock=80e6)
    assert (config.activate_to_column, config.precharge, config.refresh, config.mode) == (2, 2, 6, 2)
    assert config.refresh_interval == 624
    # 200,000 ns are 16,000 cycles
    assert (config.power_up_periods - 1) * config.refresh_period < 16_000
    assert config.power_up_periods * config.refresh_period >= 16_000
    assert MemoryConfig(clock=100e6).activate_to_column == 3
    # Exact where a time is a whole number of cycles
    assert MemoryConfig(clock=100e6).refresh == 7


def test_sequential_reads_keep_most_of_the_bus() -> None:
    for clock in (25e6, 50e6, 80e6, 100e6, 133e6):
        assert MemoryConfig(clock=clock).share > (0.95 if clock < 50e6 else 0.97)


@pytest.mark.parametrize(
    ("clock", "changes", "text"),
    [
        (134e6, {}, "MemoryConfig.clock must be at most 133.3 MHz, the chip's, not 134 MHz"),
        (0, {}, "MemoryConfig.clock must be at most 133.3 MHz, the chip's, not 0 MHz"),
        (
            4e6,
            {},
            "MemoryConfig.clock must leave time for words between refreshes every 7800 ns, 4 MHz does not",
        ),
        (
            80e6,
            {"refresh_interval": 400},
            "MemoryConfig.clock must leave time for words between refreshes every 400 ns, 80 MHz does not",
        ),
        (
            133e6,
            {"activate_to_precharge": 60},
            "SdramChip.activate_to_precharge must be kept by slots of 8 cycles, 60 ns at 133 MHz is not",
        ),
        (
            133e6,
            {"activate_to_activate": 83},  # 12 cycles: a row closed after 7 cycles is opened 3 cycles later
            "SdramChip.activate_to_activate must be kept by slots of 8 cycles, 83 ns at 133 MHz is not",
        ),
        (
            100e6,
            {"precharge": 121},
            "SdramChip.precharge must be kept by slots of 8 cycles, 121 ns at 100 MHz is not",
        ),
    ],
)
def test_what_no_controller_can_keep_is_refused(clock: float, changes: dict, text: str) -> None:
    with pytest.raises(InputError) as error:
        MemoryConfig(chip=replace(ULX3S_SDRAM, **changes), clock=clock)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("first", "words", "text"),
    [
        (4, 8, "Region.first must be a multiple of 8 below 16777216, not 4"),
        (1 << 24, 8, "Region.first must be a multiple of 8 below 16777216, not 16777216"),
        (0, 0, "Region.words must be in 1..16777216, what the memory holds, not 0"),
        (8, 1 << 24, "Region.words must be in 1..16777208, what the memory holds, not 16777216"),
    ],
)
def test_a_region_lies_in_the_chip(first: int, words: int, text: str) -> None:
    with pytest.raises(InputError) as error:
        Region(ULX3S_SDRAM, first, words)
    assert str(error.value) == text


def test_a_region_by_its_bursts() -> None:
    region = Region(ULX3S_SDRAM, 16, 17)
    assert (region.first_burst, region.last_burst, region.tail) == (2, 4, 0)
