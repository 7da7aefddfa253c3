"""Proofs of the controller of an SDRAM chip."""

from dataclasses import replace

from amaranth.hdl import Assert, Cat, Cover, Mux, Signal

from golden.memory import BANKS, BURST, CAS, MemoryConfig
from hw.memory import controller
from hw.memory.controller import Command
from tests.proofs.memory.chip import CHIP, CONFIG, held
from tests.proofs.property import Fault, Property

# Set up soon, to see within few cycles what goes wrong
BRIEF = replace(CHIP, refresh=20, refresh_interval=380)
LIMIT = 15  # times between commands are counted up to here


class RefreshIsNeverLate(Property):
    """From one refresh to the next pass no more cycles than the chip's data sheet allows, whatever is asked
    for and whenever.

    Assumes: what is offered stays until it is taken. The chip is small and refreshed often; the interval is
    counted from the first refresh after the mode is set."""

    component = "memory/controller"
    reach = 100
    faults = (
        Fault(module=controller, old="(due & ~fresh) |", new="(due & ~fresh & ~self.i.valid) |"),
        Fault(
            module=controller, old="tick.eq(timer == config.refresh_period - 1)", new="tick.eq(timer == 63)"
        ),
    )

    def build(self) -> None:
        m = self.m
        config = MemoryConfig(chip=BRIEF, clock=CONFIG.clock)
        inside = self.opened("controller", controller.SdramController(config))
        ports, timer, due = inside.ports, inside["timer"], inside["due"]
        held(self, ports.i)
        refresh = inside["command"] == Command.REFRESH
        since, moded, counted = Signal(range(2 * config.refresh_interval)), Signal(), Signal()
        m.d.sync += since.eq(Mux(refresh, 1, since + counted))
        with m.If(inside["command"] == Command.SET_MODE):
            m.d.sync += moded.eq(1)
        with m.If(refresh & moded):
            m.d.sync += counted.eq(1)
        late = config.refresh_interval - config.refresh_period
        m.d.comb += [
            Assert(since <= config.refresh_interval),
            Cover(refresh & (since == config.refresh_interval - 1)),
            # what holds in between
            Assert(timer < config.refresh_period),
            Assert(~counted | due | (since <= timer)),
            Assert(~counted | ~due | (since <= timer + config.refresh_period)),
            Assert(~counted | ~due | (timer <= late)),
        ]


class CommandsKeepTheirTimes(Property):
    """Between commands pass at least the times of the data sheet: tRCD, tRP, tRAS, tRC, tRRD, tRFC, tWR and
    tMRD; rows are opened where none is open, read and written where they are, refreshed and set up when all
    are closed; a burst ends before its row is closed, and no word is written while others are read.

    Assumes: what is offered stays until it is taken. Times are those of the real chip at
    100 MHz, but for that of a refresh."""

    component = "memory/controller"
    # reachability finds no invariant of the counters
    depth = 100
    reach = 100
    quick = False
    faults = (
        Fault(module=controller, old="(due & ~fresh) |", new="due |"),
        Fault(module=controller, old="OPEN_NEXT, CLOSE_LEFT = 1, 4", new="OPEN_NEXT, CLOSE_LEFT = 6, 4"),
        Fault(
            module=controller,
            old="give(Command.PRECHARGE, config.precharge)",
            new="give(Command.PRECHARGE, 2)",
        ),
        Fault(
            module=controller,
            old="activate(request.address.page, config.activate_to_column)",
            new="activate(request.address.page, 2)",
        ),
        Fault(module=controller, old="| (request.write & was_read)", new=""),
        Fault(module=controller, old="ba.eq(page.bank - 1)", new="ba.eq(page.bank + 1)"),
    )

    def build(self) -> None:
        m = self.m
        config = MemoryConfig(chip=BRIEF, clock=CONFIG.clock)
        inside = self.opened("controller", controller.SdramController(config))
        ports, command, ba, a = inside.ports, inside["command"], inside["ba"], inside["a"]
        held(self, ports.i)

        def since(event: Signal, name: str) -> Signal:
            """Cycles since an event, LIMIT where there was none."""
            count = Signal(range(LIMIT + 1), init=LIMIT, name=name)
            m.d.sync += count.eq(Mux(event, 1, Mux(count == LIMIT, LIMIT, count + 1)))
            return count

        def times(nanoseconds: float) -> int:
            return config.cycles(nanoseconds)

        gives = {what: command == what for what in Command}
        column = gives[Command.READ] | gives[Command.WRITE]
        refreshed = since(gives[Command.REFRESH], "refreshed")
        moded = since(gives[Command.SET_MODE], "moded")
        activated = since(gives[Command.ACTIVATE], "activated")
        read = since(gives[Command.READ], "read")
        quiet = (refreshed >= times(BRIEF.refresh)) & (moded >= times(CHIP.mode))
        any_open = Signal(BANKS)
        m.d.comb += Assert((command == Command.NOTHING) | quiet)
        m.d.comb += Assert(~gives[Command.ACTIVATE] | (activated >= times(CHIP.other_bank)))
        # the last word of a burst is CAS + BURST - 1 cycles behind its command
        m.d.comb += Assert(~gives[Command.WRITE] | (read > CAS + BURST - 1))
        for bank in range(BANKS):
            mine = ba == bank
            opens = gives[Command.ACTIVATE] & mine
            closes = gives[Command.PRECHARGE] & (mine | a[10])
            uses = column & mine
            opened = any_open[bank]
            with m.If(opens):
                m.d.sync += opened.eq(1)
            with m.If(closes):
                m.d.sync += opened.eq(0)
            row = since(opens, f"row{bank}")
            closed = since(closes, f"closed{bank}")
            written = since(gives[Command.WRITE] & mine, f"written{bank}")
            burst = since(gives[Command.READ] & mine, f"burst{bank}")
            m.d.comb += [
                Assert(~opens | (~opened & (closed >= times(CHIP.precharge)))),
                Assert(~opens | (row >= times(CHIP.activate_to_activate))),
                Assert(~uses | (opened & (row >= times(CHIP.activate_to_column)))),
                Assert(~closes | ~opened | (row >= times(CHIP.activate_to_precharge))),
                Assert(~closes | ~opened | (written >= times(CHIP.write_to_precharge))),
                Assert(~closes | ~opened | (burst >= BURST)),
                Assert(
                    ~(gives[Command.REFRESH] | gives[Command.SET_MODE]) | (closed >= times(CHIP.precharge))
                ),
            ]
        m.d.comb += [
            Assert(~(gives[Command.REFRESH] | gives[Command.SET_MODE]) | (any_open == 0)),
            Cover(gives[Command.PRECHARGE] & ~a[10]),
            Cover(gives[Command.WRITE] & (read != LIMIT)),
            Cover(Cat(any_open).bool() & gives[Command.READ] & (read == BURST)),
        ]
