"""No core, no part of the link lets `ready` of a stream reach its `valid` within a cycle, by its netlist."""

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
from hw.integer.core import IntegerCore
from hw.link.channels import Channel, ChannelMap
from hw.link.framing import Stuffer
from hw.link.receiver import FrameReceiver
from hw.link.records import BeatWriter, RecordReader
from hw.link.transmitter import FrameTransmitter
from hw.stochastic.core import StochasticAttention
from sim.cores.network.core import WholeNetworkCore
from tests.hw.attention.core_cases import CORES
from tests.hw.integer import test_integer_core
from tests.hw.network import random_cores
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


def network() -> wiring.Component:
    return WholeNetworkCore(random_cores.random_core(18, random_cores.SMALL).config).component()


CHANNELS = ChannelMap((Channel("a", 5), Channel("b", 12)), (Channel("c", 9), Channel("d", 1)))
PARTS = {
    "attention": lambda: AttentionCore(CORES["two-groups"]),
    "integer": lambda: IntegerCore(test_integer_core.CORES["squares"]),
    "network": network,
    "stochastic": stochastic,
    "link's receiver": lambda: FrameReceiver(64),
    "link's transmitter": lambda: FrameTransmitter(64, 32, b"x"),
    "link's stuffer": Stuffer,
    "link's reader": lambda: RecordReader(CHANNELS),
    "link's writer": lambda: BeatWriter(CHANNELS),
}


@pytest.mark.parametrize("core", PARTS.values(), ids=PARTS)
def test_core_does_not_wait(core: Callable[[], wiring.Component], tmp_path: Path) -> None:
    assert not waits(core(), tmp_path)
