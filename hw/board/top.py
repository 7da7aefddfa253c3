"""Top level of a bitstream: the clock, the serial pins, the memory's pins and the linked component."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal
from amaranth.lib import io
from amaranth.lib.wiring import Component, connect

from golden.memory import MemoryConfig
from hw.board.clock import ClockSource, everywhere
from hw.link.link import Link
from hw.memory.pads import CHIP_DOMAIN, SdramPads
from hw.memory.weights import DOMAIN, WeightMemory


class BoardTop(Component):
    """A linked component on a board's pins.

    LED 0, where the board has one, shows that the clock is steady, LED 1 that a session is open.

    Args:
        link: the component behind its serial port; its divisor belongs to `clock`.
        family: ecp5, ice40 or gowin.
        clock: Hz.
        memory: for the component's streamed weights, where it has a member `memory`; at this clock.
    """

    def __init__(self, link: Link, family: str, clock: float, memory: MemoryConfig | None = None) -> None:
        self._link = link
        self._family = family
        self._clock = clock
        self._memory = memory
        super().__init__({})

    @property
    def memory(self) -> MemoryConfig | None:
        """The memory that is used, None where none is."""
        return self._memory

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.clock = clock = ClockSource(self._family, self._clock, self._memory is not None)
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(clock.clk), ResetSignal().eq(clock.rst)]
        m.submodules.link = link = self._link
        # The reset of a large component is slow to reach all of it
        m.domains.component = ClockDomain()
        m.d.comb += ClockSignal("component").eq(clock.clk)
        m.submodules.reset = everywhere(self._family, link.restart, ResetSignal("component"))
        if self._memory is not None:
            self._weights(m, clock, self._memory)
        # Only the data lines: control lines of the serial port stay free
        names = [pin.name for pin in platform.lookup("uart", 0).ios if hasattr(pin, "ios")]
        pins = platform.request("uart", 0, dir=dict.fromkeys(names, "-"))
        m.submodules.rx = rx = io.Buffer("i", pins.rx)
        m.submodules.tx = tx = io.Buffer("o", pins.tx)
        m.d.comb += [link.rx.eq(rx.i), tx.o.eq(link.tx)]
        for number, state in enumerate((~clock.rst, link.open)):
            if ("led", number) in platform.resources:
                led = io.Buffer("o", platform.request("led", number, dir="-"))
                m.submodules[f"led{number}"] = led
                m.d.comb += led.o.eq(state)
        return m

    def _weights(self, m: Module, clock: Any, config: MemoryConfig) -> None:
        """What streamed weights need: it outlives the sessions of the component."""
        m.domains += [ClockDomain(DOMAIN), ClockDomain(CHIP_DOMAIN, reset_less=True)]
        m.d.comb += [
            ClockSignal(DOMAIN).eq(clock.clk),
            ResetSignal(DOMAIN).eq(clock.rst),
            ClockSignal(CHIP_DOMAIN).eq(clock.shifted),
        ]
        memory = WeightMemory(config)
        m.submodules.memory = DomainRenamer("component")(memory)
        m.submodules.pads = pads = SdramPads(config.chip)
        connect(m, self._link.component.memory, memory.user)
        connect(m, memory.sdram, pads.sdram)
