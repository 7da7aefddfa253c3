"""Weights that a host stores in a chip, in the compiled RTL: words, statuses and cycles of many sessions."""

import pytest

from hw.export.verilog import export
from sim.verilator.build import build_verilog
from sim.verilator.simulator import Simulator
from tests.hw.memory.chip import with_model
from tests.hw.memory.sessions import SMALL, SteppedWeights, check

COUNTS = (1, 8, 45, SMALL.words)
# Cycles in which power is lost: while the chip is set up, and in sessions with 8 words
RESETS = (5, 700, *range(3000, 6000, 250))


def made() -> Simulator:
    verilog, manifest = export(SteppedWeights(), "stepped_weights")
    return build_verilog(with_model(verilog), manifest, quick=True)


@pytest.mark.parametrize("count", COUNTS)
def test_sessions(count: int) -> None:
    simulator = made()
    for pauses in (0.0, 0.5):
        check(simulator, count, count, pauses)


def test_power_is_lost() -> None:
    """What was stored is gone then, and nothing else is left behind."""
    simulator = made()
    for cycle in RESETS:
        check(simulator, 8, 8, 0.0, reset_at=cycle)
