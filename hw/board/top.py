"""Top level of a bitstream: the clock, the serial pins and the linked component."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal
from amaranth.lib import io
from amaranth.lib.wiring import Component

from hw.board.clock import ClockSource, everywhere
from hw.link.link import Link


class BoardTop(Component):
    """A linked component on a board's pins.

    LED 0, where the board has one, shows that the clock is steady, LED 1 that a session is open.

    Args:
        link: the component behind its serial port; its divisor belongs to `clock`.
        family: ecp5, ice40 or gowin.
        clock: Hz.
    """

    def __init__(self, link: Link, family: str, clock: float) -> None:
        self._link = link
        self._family = family
        self._clock = clock
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.clock = clock = ClockSource(self._family, self._clock)
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(clock.clk), ResetSignal().eq(clock.rst)]
        m.submodules.link = link = self._link
        # The reset of a large component is slow to reach all of it
        m.domains.component = ClockDomain()
        m.d.comb += ClockSignal("component").eq(clock.clk)
        m.submodules.reset = everywhere(self._family, link.restart, ResetSignal("component"))
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
