"""Attention spikes of a cluster, from the ramp to the context."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.parts.memory import BLOCK, LOGIC, NO_COLLISION


class AttentionMemory(wiring.Component):
    """Two banks of the attention spikes of every group: one is written while the other is read.

    Members:
        command: broadcast ramp step.
        i: spikes of the lanes, `behind` cycles behind the step that they follow.
        entry: what to read.
        o: spikes of the entry, `latency` cycles later.

    Timing: the last step of a window in cycle n: its spikes can be at `o` from n+3 on.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        spikes = data.ArrayLayout(payloads.attention(config), config.cluster)
        super().__init__(
            {
                "command": In(payloads.ramp_command(config)),
                "i": In(spikes),
                "entry": In(payloads.context_command(config)["data"].shape["entry"].shape),
                "o": Out(spikes),
            }
        )

    @staticmethod
    def latency(config: CoreConfig) -> int:
        """Cycles from `entry` to `o`: LUT RAM is read at once, block RAM with a clock."""
        return int(config.score_store == "memory")

    @staticmethod
    def behind(config: CoreConfig) -> int:
        """Cycles from a step to its spikes at `i`."""
        return 2 - AttentionMemory.latency(config)

    def elaborate(self, platform: object) -> Module:
        # A few words, the same for all lanes: LUT RAM where there is some, registers elsewhere. To choose
        # between two words costs less than LUT RAM. Block RAM is read a cycle ahead, and so written
        m = Module()
        config = self._config
        depth = 2 * config.groups
        block, few = {**BLOCK, **NO_COLLISION}, LOGIC if depth == 2 else {}
        clocked = self.latency(config) == 1
        m.submodules.memory = memory = Memory(
            shape=self.i.shape(), depth=depth, init=[], attrs=block if clocked else few
        )
        write, read = memory.write_port(), memory.read_port(domain="sync" if clocked else "comb")
        last, entry = Signal(2), Signal.like(self.command.data.entry, reset_less=True)
        m.d.sync += [
            last.eq((last << 1) | (self.command.strobe.step & self.command.data.last)),
            entry.eq(self.command.data.entry),
        ]
        if clocked:
            m.d.comb += write.addr.eq(entry)
        else:
            m.d.sync += write.addr.eq(entry)
        m.d.comb += [
            write.en.eq(last[self.behind(config) - 1]),
            write.data.eq(self.i),
            read.addr.eq(self.entry),
            self.o.eq(read.data),
        ]
        return m
