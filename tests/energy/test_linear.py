"""Dense layers in spikes and in numbers."""

import pytest

from energy import mac
from energy.events import LinearEvents
from energy.linear import spiking_linear, unit_for
from energy.prices import access, add, multiply
from golden.attention.config import PRESETS

CONFIG = PRESETS["default"]


def events(spikes: float, *, results: int = 4, outputs: int = 100) -> LinearEvents:
    return LinearEvents(rows=4, inputs=32, outputs=outputs, results=results, spikes=spikes)


def test_spikes_counted_by_hand() -> None:
    """10 spikes reach 100 neurons in two passes of 64 lanes; T = 16, B = 2^(1/2): E = 7 octaves."""
    ledger = spiking_linear(events(10), unit_for(32, 100, CONFIG))
    accumulator = 8 + 7 + 5
    potential, spike = accumulator + 9, 5 + 6
    # 256 and 181 = 128 + 64 - 8 - 4 + 1 are six digits: five additions, and the bias
    assert ledger.line("combination of octaves").count == 400 * 6
    neurons = 100 * (potential + 12)
    expected = (
        (10 * (1 + 2), access(spike, 32 * spike)),
        (1000, access(8, 2 * 32 * 8)),
        (1000, add(accumulator)),
        (400, access(potential, neurons)),
        (400 * 6, add(potential)),
        (400, access(12, neurons)),
        (400 * 16, add(13)),
    )
    assert ledger.picojoule == pytest.approx(sum(count * price.picojoule for count, price in expected))


def test_numbers_counted_by_hand() -> None:
    expected = (
        (128 * (1 + 2), access(8, 32 * 8)),
        (12800, access(8, 2 * 32 * 8)),
        (12800, multiply(8, 8)),
        (12800, add(16 + 5)),
        (400, multiply(16 + 5, 16)),
    )
    ledger = mac.linear(events(10), unit_for(32, 100, CONFIG))
    assert ledger.picojoule == pytest.approx(sum(count * price.picojoule for count, price in expected))


def test_energy_follows_the_spikes_and_numbers_do_not() -> None:
    unit = unit_for(32, 100, CONFIG)
    few, many = events(10), events(100)
    assert spiking_linear(few, unit).picojoule < spiking_linear(many, unit).picojoule
    assert mac.linear(few, unit) == mac.linear(many, unit)


def test_sums_over_rows_are_wider_and_fewer() -> None:
    unit = unit_for(32, 100, CONFIG)
    pooled = mac.linear(events(10, results=1), unit)
    assert pooled.line("additions").price == add(16 + 5 + 2)
    assert pooled.count("scaling of outputs") == 100
    assert spiking_linear(events(10, results=1), unit).count("bias memory") == 100
