"""Local trace memory of a cluster, and the chain that loads it."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.parts.delay import registered
from hw.parts.memory import BLOCK, LUT_RAM, NO_COLLISION
from hw.parts.payloads import spike


class LocalTraceMemory(wiring.Component):
    """Spikes of the tokens of a cluster: sign and phase instead of a 16-bit trace, since the
    phase fixes the trace. (SpikedAttention, section 3.2: the frozen local trace.)

    Args:
        lut_ram: it is LUT RAM, of which a device must have some, in place of block RAM.

    Members:
        command: loading; `shift` moves the chain by one lane towards higher lanes, `write` stores
            the chain as it was before a shift in the same cycle.
        i: spike that enters lane 0.
        o: spike that leaves for the next cluster, whose commands come one cycle later.
        address: word to read.
        spikes: one spike per lane.

    Timing: `address` in cycle n, `spikes` in n + `latency`.
    """

    latency = 2

    def __init__(self, config: CoreConfig, *, lut_ram: bool = False) -> None:
        self._config, self._store = config, LUT_RAM if lut_ram else BLOCK
        super().__init__(
            {
                "command": In(payloads.load_command(config)),
                "i": In(spike(config.code)),
                "o": Out(spike(config.code)),
                "address": In(payloads.memory_address(config)),
                "spikes": Out(data.ArrayLayout(spike(config.code), config.cluster)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # All lanes read the same address, so their memories are slices of one wide block RAM.
        # The chain makes a whole word of single spikes: no byte enables, no wide write bus.
        m = Module()
        layout = self.spikes.shape()
        m.submodules.memory = memory = Memory(
            shape=layout,
            depth=payloads.memory_depth(self._config),
            init=[],
            attrs={**self._store, **NO_COLLISION},
        )
        write, read = memory.write_port(), memory.read_port()
        chain = Signal(layout, reset_less=True)
        leaving = Signal(spike(self._config.code), reset_less=True)
        with m.If(self.command.strobe.shift):
            m.d.sync += Cat(chain, leaving).eq(Cat(self.i, chain))
        m.d.comb += [
            self.o.eq(leaving),
            write.en.eq(self.command.strobe.write),
            write.addr.eq(self.command.data.address),
            write.data.eq(chain),
            read.addr.eq(self.address),
        ]
        # a block RAM is slow from clock to output: take its word into registers at once
        m.d.comb += self.spikes.eq(registered(m, read.data, "spikes"))
        return m
