"""Controller of an SDRAM chip: slots of eight cycles in which bursts are read and words written."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.memory import BURST, CAS, MemoryConfig
from hw.memory import payloads

# Cycles of a slot in which the page after this one is opened, and the one before closed
OPEN_NEXT, CLOSE_LEFT = 1, 4
# Refreshes before the mode is set
FIRST_REFRESHES = 8
# Burst of eight, sequential, CAS latency 3, single writes
MODE = 0b011 | CAS << 4 | 1 << 9
ALL_BANKS = 1 << 10
# From a decision to the word at `dq_i`, beside the CAS latency: registers here and at the pads
REGISTERS = 3


class Command(Enum):
    """cs_n, ras_n, cas_n, we_n, the first the highest bit."""

    NOTHING = 0b1111
    ACTIVATE = 0b0011
    READ = 0b0101
    WRITE = 0b0100
    PRECHARGE = 0b0010
    REFRESH = 0b0001
    SET_MODE = 0b0000


class SdramController(wiring.Component):
    """Reads bursts of eight words and writes single ones; opens, closes and refreshes rows.

    Args:
        config: chip and clock.

    Members:
        i: bursts and words; `place` of a burst is not looked at. Taken in order, each in a slot.
        o: words that were read, in order of their addresses; eight beats for each burst, one per cycle.
        dq_i, dq_o, dq_oe, ...: the chip's pins, each through one register at the pad. The chip's clock rises
            after the pads have changed and before they change again.

    Timing: a slot is eight cycles. Bursts at rising addresses follow each other without a pause, also over
    rows and banks: the next bank is opened while this one is read. A burst elsewhere, or a word to be
    written after a burst, waits for the rows to be closed and its own to be opened, and so does what follows
    a refresh (`MemoryConfig.refresh_gap`). The first word comes `CAS + REGISTERS` cycles after its burst is
    taken. After reset the chip is set up first.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(payloads.request(config.chip))),
                "o": Out(stream.Signature(payloads.word, always_ready=True)),
                **payloads.pins(config.chip),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # The order of the commands within a slot keeps every time between them that `MemoryConfig` has
        # checked, so that only closing, refreshing and opening wait
        m = Module()
        config, request = self._config, self.i.payload
        command = Signal(Command, init=Command.NOTHING)
        a, ba = Signal.like(self.a), Signal.like(self.ba)
        m.d.sync += [
            Cat(self.we_n, self.cas_n, self.ras_n, self.cs_n).eq(command),
            self.a.eq(a),
            self.ba.eq(ba),
            self.dq_o.eq(request.data),
            self.dq_oe.eq(command == Command.WRITE),
            self.cke.eq(1),
        ]
        wait = Signal(range(max(config.refresh, config.precharge, config.activate_to_column, config.mode)))
        m.d.sync += wait.eq(Mux(wait == 0, 0, wait - 1))

        def give(what: Command, then: int) -> None:
            """A command, and the cycles until the next one."""
            m.d.comb += command.eq(what)
            m.d.sync += wait.eq(then - 1)

        def close_all() -> None:
            give(Command.PRECHARGE, config.precharge)

        def point(page: Any) -> None:
            """The address of a row, which means nothing without a command."""
            m.d.comb += [ba.eq(page.bank), a.eq(page.row)]

        timer, tick, due = Signal(range(config.refresh_period)), Signal(), Signal()
        m.d.comb += tick.eq(timer == config.refresh_period - 1)
        m.d.sync += timer.eq(Mux(tick, 0, timer + 1))

        # The open page; the one after it, where that is open, too. The one before may still be
        page = Signal.like(request.address.page)
        following = Signal.like(page)
        m.d.comb += Value.cast(following).eq(Value.cast(page) + 1)
        next_open, fresh, was_read, reading, at_end = (Signal() for _ in range(5))
        slot = Signal(range(BURST))
        m.d.sync += slot.eq(0)
        with m.FSM():
            self._set_up(m, tick, wait, a, give, close_all)
            with m.State("closed"):
                point(request.address.page)
                m.d.sync += [page.eq(request.address.page), fresh.eq(1), next_open.eq(0), was_read.eq(0)]
                with m.If(wait == 0):
                    with m.If(due):
                        give(Command.REFRESH, config.refresh)
                        m.d.sync += due.eq(0)
                    with m.Elif(self.i.valid):
                        give(Command.ACTIVATE, config.activate_to_column)
                        m.next = "open"
            with m.State("open"):
                m.d.comb += [
                    ba.eq(page.bank),
                    a.eq(Cat(Mux(request.write, request.address.place, 0), request.address.burst)),
                ]
                # A row that was just opened is used first: it may not be closed yet. Words that were read are
                # still on their way when the next slot begins: none is written before rows were closed
                elsewhere = (request.address.page != page) | (request.write & was_read)
                with m.If(wait == 0):
                    with m.If((due & ~fresh) | (self.i.valid & elsewhere)):
                        close_all()
                        m.d.comb += a.eq(ALL_BANKS)
                        m.next = "closed"
                    with m.Elif(self.i.valid):
                        m.d.comb += [
                            self.i.ready.eq(1),
                            command.eq(Mux(request.write, Command.WRITE, Command.READ)),
                        ]
                        with m.If(~request.write):
                            m.d.sync += was_read.eq(1)
                        m.d.sync += [
                            reading.eq(~request.write),
                            at_end.eq(~request.write & request.address.burst.all()),
                            fresh.eq(0),
                            slot.eq(1),
                        ]
                        m.next = "slot"
            with m.State("slot"):
                m.d.sync += slot.eq(slot + 1)
                m.d.comb += ba.eq(page.bank - 1)
                with m.If(slot == OPEN_NEXT):
                    point(following)
                    m.d.sync += next_open.eq(1)
                    with m.If(~next_open):
                        m.d.comb += command.eq(Command.ACTIVATE)
                # In most slots no row is left there, and the chip does nothing
                with m.If(slot == CLOSE_LEFT):
                    m.d.comb += command.eq(Command.PRECHARGE)
                with m.If(slot == BURST - 1):
                    m.d.sync += reading.eq(0)
                    with m.If(at_end):
                        m.d.sync += [page.eq(following), next_open.eq(0)]
                    m.next = "open"
        with m.If(tick):
            m.d.sync += due.eq(1)
        self._words(m, reading)
        return m

    def _set_up(
        self,
        m: Module,
        tick: Signal,
        wait: Signal,
        a: Signal,
        give: Callable[[Command, int], None],
        close_all: Callable[[], None],
    ) -> None:
        """States from reset to the mode of the chip being set."""
        config = self._config
        done = Signal(range(max(FIRST_REFRESHES, config.power_up_periods) + 1))
        with m.State("power up"):
            m.d.comb += a.eq(ALL_BANKS)
            with m.If(tick):
                m.d.sync += done.eq(done + 1)
            with m.If(done == config.power_up_periods):
                close_all()
                m.d.sync += done.eq(0)
                m.next = "set up"
        with m.State("set up"):
            m.d.comb += a.eq(MODE)
            with m.If(wait == 0):
                m.d.sync += done.eq(done + 1)
                with m.If(done != FIRST_REFRESHES):
                    give(Command.REFRESH, config.refresh)
                with m.Else():
                    give(Command.SET_MODE, config.mode)
                    m.d.sync += self.dqm.eq(0)
                    m.next = "closed"

    def _words(self, m: Module, reading: Signal) -> None:
        """What was asked for comes so many cycles later."""
        request = self.i.payload
        mark = Signal()
        coming, marks = Signal(CAS + REGISTERS), Signal(CAS + REGISTERS)
        taken = self.i.valid & self.i.ready
        with m.If(taken):
            m.d.sync += mark.eq(request.mark)
        m.d.sync += [
            coming.eq(Cat((taken & ~request.write) | reading, coming)),
            marks.eq(Cat(Mux(taken, request.mark, mark), marks)),
        ]
        m.d.comb += [
            self.o.valid.eq(coming[-1]),
            self.o.payload.mark.eq(marks[-1]),
            self.o.payload.data.eq(self.dq_i),
        ]
