"""No core lets `ready` of a stream reach its `valid` within a cycle: a structural check of the netlists."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from hw.attention.core import AttentionCore
from hw.export.verilog import export
from hw.stochastic.core import StochasticAttention
from tests.hw.attention.core_cases import CORES
from tests.proofs.engine import RUN

# What every output's valid is made of, back to registers and memories, must hold no input called ready.
SCRIPT = """
read_verilog core.v
hierarchy -top core
proc
flatten
memory_collect
memory_dff
opt_clean
select -set made o:*__valid %ci*:-$dff,$dffe,$sdff,$sdffe,$sdffce,$mem_v2
select -assert-min {outputs} o:*__valid
select -assert-none @made i:*__ready %i
"""


def waits(component: wiring.Component, folder: Path) -> bool:
    """Whether a valid is a function of a ready in the same cycle."""
    text, manifest = export(component, "core")
    outputs = [port for port in manifest.streams if port.direction == "out"]
    (folder / "core.v").write_text(text)
    (folder / "prove.ys").write_text(SCRIPT.format(outputs=len(outputs)))
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=False
    )
    found = "selection is not empty" in done.stdout + done.stderr
    assert done.returncode == int(found), done.stdout[-1000:] + done.stderr
    return found


class Waiting(wiring.Component):
    """Is valid only where it is taken, which no stream may be; with `late`, a cycle after."""

    def __init__(self, late: bool) -> None:
        self._late = late
        super().__init__({"o": Out(stream.Signature(1)), "go": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d["sync" if self._late else "comb"] += self.o.valid.eq(self.o.ready & self.go)
        m.d.sync += self.o.payload.eq(self.go)
        return m


@pytest.mark.parametrize("late", [False, True])
def test_finds_a_valid_that_waits(late: bool, tmp_path: Path) -> None:
    assert waits(Waiting(late), tmp_path) == (not late)


def stochastic() -> StochasticAttention:
    plan = RandomPlan(width=16, allow_dependent=True)
    return StochasticAttention(
        StochasticConfig(tokens=2, head_dim=4, rows=1, steps=1, encoders=True, plan=plan)
    )


@pytest.mark.parametrize(
    "core", [lambda: AttentionCore(CORES["two-groups"]), stochastic], ids=["attention", "stochastic"]
)
def test_core_does_not_wait(core: Callable[[], wiring.Component], tmp_path: Path) -> None:
    assert not waits(core(), tmp_path)
