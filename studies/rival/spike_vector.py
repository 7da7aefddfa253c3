"""What spikes would take in the dataflow of the integer core: vector clusters that add points of the trace.

python -m studies.rival.spike_vector [STEPS ...]

Scores come one by one there, and so does the context: no lane keeps a score, compares or is searched.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from amaranth.hdl import Cat, Module, Shape, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.code import PhaseCode
from golden.integer.config import IntegerConfig
from golden.integer.config import preset as integer_preset
from hw.attention.trace import BLOCK_ADDRESS_BITS, pairs_fit
from hw.integer.cluster import VectorCluster
from hw.integer.payloads import key_address, value_address
from hw.integer.product import Factors
from hw.parts.memory import BLOCK
from hw.parts.payloads import phase_width, spike
from studies.rival.contest import CODES
from synth.alone import synthesise
from synth.tools import find_tools


@dataclass(frozen=True)
class SpikeFactors(Factors):
    """Two spikes as a lane of a vector unit sees them: bits without a sign of their own.

    Attributes:
        largest: point that they make.
    """

    largest: int

    @classmethod
    def of_code(cls, code: PhaseCode) -> Self:
        bits = spike(code).size
        ends = (0, (1 << bits) - 1)
        return cls(bits, ends, ends, int(code.trace[0]))

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        return unsigned(self.bits), unsigned(self.bits)

    def results(self, squares: bool) -> tuple[int, int]:
        return -self.largest, self.largest


class SpikeProducts(wiring.Component):
    """Points of the trace, one per lane and cycle, from a table in block RAM for two lanes.

    Members:
        left, right: spikes; a silent one makes 0.
        o: signed points.

    Timing: 4 cycles.
    """

    def __init__(self, code: PhaseCode, lanes: int) -> None:
        self._code, self._lanes = code, lanes
        self._spikes = data.ArrayLayout(spike(code), lanes)
        self._point = signed(code.trace_bits + 2)
        super().__init__(
            {
                "left": In(self._spikes),
                "right": In(self._spikes),
                "o": Out(data.ArrayLayout(self._point, lanes)),
            }
        )

    @property
    def tabulated(self) -> bool:
        """Whether the table knows silence, too."""
        return 2 * spike(self._code).size <= BLOCK_ADDRESS_BITS

    def table(self) -> list[int]:
        """Points by phases, signs and, where `tabulated`, whether both spikes are active."""
        bits, trace = phase_width(self._code), self._code.trace
        found = []
        for address in range(1 << (2 * bits + 2 + 2 * self.tabulated)):
            steps = (address & ((1 << bits) - 1)) + (address >> bits & ((1 << bits) - 1))
            signs, active = address >> 2 * bits & 3, address >> 2 * bits + 2
            point = int(trace[steps]) if steps < len(trace) else 0
            silent = self.tabulated and active != 3
            found.append(0 if silent else -point if signs in (1, 2) else point)
        return found

    def elaborate(self, platform: object) -> Module:
        assert pairs_fit(self._code), "the table is that of two phases and two signs"
        m = Module()
        for first in range(0, self._lanes, 2):
            table = self.table()
            m.submodules[f"table_{first}"] = memory = Memory(
                shape=self._point, depth=len(table), init=table, attrs=BLOCK
            )
            for n in range(first, min(first + 2, self._lanes)):
                left, right, read = self.left[n], self.right[n], memory.read_port()
                address = Signal(len(read.addr), name=f"address_{n}", reset_less=True)
                point, addend = (
                    Signal.like(read.data, name=f"{part}_{n}", reset_less=True) for part in ("p", "a")
                )
                active = Cat(left.active, right.active)
                where = Cat(left.phase, right.phase, left.negative, right.negative)
                m.d.sync += [
                    address.eq(Cat(where, active) if self.tabulated else where),
                    point.eq(read.data),
                    addend.eq(point),
                ]
                if not self.tabulated:
                    silent = Signal(3, name=f"silent_{n}")
                    m.d.sync += silent.eq(Cat(~active.all(), silent))
                    with m.If(silent[2]):
                        m.d.sync += addend.eq(0)
                m.d.comb += [read.addr.eq(address), self.o[n].eq(addend)]
        return m


class SpikeVectorCluster(VectorCluster):
    """A vector cluster whose factors are spikes."""

    def __init__(self, code: PhaseCode, config: IntegerConfig, address: int, lanes: int) -> None:
        self._code = code
        super().__init__(config, SpikeFactors.of_code(code), address, lanes, 1)

    def _products(self) -> wiring.Component:
        return SpikeProducts(self._code, self._config.cluster)


def lanes(code: PhaseCode) -> tuple[SpikeVectorCluster, SpikeVectorCluster]:
    """Eight lanes for scores and eight for the context, in the sizes of the contest."""
    config = integer_preset("lean")
    return (
        SpikeVectorCluster(code, config, key_address(config).size, config.head_dim),
        SpikeVectorCluster(code, config, value_address(config).size, config.lanes),
    )


def main(steps: list[str]) -> None:
    yosys = find_tools(["yosys"])["yosys"]
    for code in CODES:
        if pairs_fit(code) and (not steps or str(code.steps) in steps):
            total = 0
            for part, cluster in zip(("scores", "context"), lanes(code), strict=True):
                with tempfile.TemporaryDirectory() as scratch:
                    found = synthesise(cluster, {}, Path(scratch), yosys)
                total += found["lut4"]
                print(f"T = {code.steps}, eight lanes for {part}: {found}", flush=True)
            print(f"T = {code.steps}: {total} LUT4", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
