"""Weights that a host stores in a chip, in the compiled RTL: words, statuses and cycles of many sessions."""

import pytest

from hw.export.verilog import export
from sim.verilator.build import build_verilog
from tests.hw.memory.chip import with_model
from tests.hw.memory.sessions import SMALL, SteppedWeights, check

COUNTS = (1, 8, 45, SMALL.words)


@pytest.mark.parametrize("count", COUNTS)
def test_sessions(count: int) -> None:
    verilog, manifest = export(SteppedWeights(), "stepped_weights")
    simulator = build_verilog(with_model(verilog), manifest, quick=True)
    for pauses in (0.0, 0.5):
        check(simulator, count, count, pauses)
