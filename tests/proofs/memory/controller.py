"""Proofs of the controller of an SDRAM chip."""

from dataclasses import replace

from amaranth.hdl import Assert, Cat, Cover, Mux, Signal, Value

from golden.memory import BANKS, BURST, CAS, MemoryConfig
from hw.memory import controller
from hw.memory.controller import Command
from tests.proofs.memory.chip import CHIP, CONFIG, held
from tests.proofs.property import Fault, Property

# Set up soon, to see within few cycles what goes wrong
BRIEF = replace(CHIP, power_up=0, refresh=15, refresh_interval=380)
# A slow one: every time is the longest that is accepted
SLOW = replace(
    BRIEF,
    activate_to_column=70,
    activate_to_precharge=70,
    activate_to_activate=190,
    other_bank=80,
    write_to_precharge=80,
    precharge=120,
    refresh=10,
    mode=20,
    refresh_interval=640,
)
FAST = MemoryConfig(chip=BRIEF, clock=133e6)
CLOSED = controller.CLOSE_LEFT


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
    tMRD; rows are opened where none is open, read and written where they are, and it is the row and the bank
    that were asked for; refreshed and set up is when all are closed; a burst ends before its row is closed,
    and no word is written while others are read.

    Assumes: what is offered stays until it is taken. The chip has few rows and is refreshed often. Its times
    are those of the real one at the fastest clock it may have, at 25 MHz, where all are shortest, and all at
    the longest that `golden.memory` accepts."""

    component = "memory/controller"
    cases = (
        {},
        {"config": MemoryConfig(chip=replace(BRIEF, refresh_interval=2000), clock=25e6)},
        {"config": MemoryConfig(chip=SLOW, clock=100e6)},
    )
    reach = 75
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
            old="give(Command.ACTIVATE, config.activate_to_column)",
            new="give(Command.ACTIVATE, 2)",
        ),
        Fault(module=controller, old="| (request.write & was_read)", new=""),
        Fault(module=controller, old="ba.eq(page.bank - 1)", new="ba.eq(page.bank + 1)"),
        Fault(module=controller, old="a.eq(page.row)", new="a.eq(page.bank)"),
    )

    def build(self, config: MemoryConfig = FAST) -> None:
        m, chip = self.m, config.chip
        inside = self.opened("controller", controller.SdramController(config))
        ports, command, ba, a = inside.ports, inside["command"], inside["ba"], inside["a"]
        wanted, page, wait, slot = (
            ports.i.payload.address.page,
            inside["page"],
            inside["wait"],
            inside["slot"],
        )
        fresh = inside["fresh"]
        held(self, ports.i)
        most = 2 * BURST + max(config.precharge, config.activate_to_column)  # cycles are counted up to here

        def since(event: Value, name: str) -> Signal:
            """Cycles since an event, `most` where there was none."""
            count = Signal(range(most + 1), init=most, name=name)
            m.d.sync += count.eq(Mux(event, 1, Mux(count == most, most, count + 1)))
            m.d.comb += Assert((count > 0) & (count <= most))
            return count

        gives = {what: command == what for what in Command}
        column = gives[Command.READ] | gives[Command.WRITE]
        # cycles since each command
        refreshed, moded, activated, read = (
            since(gives[what], f"since_{what.name.lower()}")
            for what in (Command.REFRESH, Command.SET_MODE, Command.ACTIVATE, Command.READ)
        )
        unset, closed, opened = inside.within("power up"), inside.within("closed"), inside.within("open")
        in_slot = inside.within("slot")
        resting = inside.within("set up") | closed
        any_open, next_, left = Signal(BANKS), inside["following"].bank, (page.bank - 1)[:2]
        # the row before the open one still is, too, until the slot closes it
        left_open = Signal()
        with m.If(closed | (in_slot & (slot == controller.CLOSE_LEFT))):
            m.d.sync += left_open.eq(0)
        with m.Elif(in_slot & (slot == BURST - 1) & inside["at_end"]):
            m.d.sync += left_open.eq(1)
        m.d.comb += [
            Assert((command == Command.NOTHING) | (refreshed >= config.cycles(chip.refresh))),
            Assert((command == Command.NOTHING) | (moded >= config.cycles(chip.mode))),
            Assert(~gives[Command.ACTIVATE] | (activated >= config.cycles(chip.other_bank))),
            # the last word of a burst is CAS + BURST - 1 cycles behind its command
            Assert(~gives[Command.WRITE] | (read > CAS + BURST - 1)),
            Assert(~(gives[Command.REFRESH] | gives[Command.SET_MODE]) | (any_open == 0)),
            Cover(gives[Command.PRECHARGE] & ~a[10]),
            Cover(gives[Command.WRITE] & (read != most)),
            Cover(any_open.any() & gives[Command.READ] & (read == BURST)),
            # what holds in between: how long ago commands were, by the state
            Assert((refreshed + wait >= config.refresh) & (moded + wait >= config.mode)),
            Assert(~(opened | in_slot) | ((refreshed >= config.refresh) & (moded >= config.mode))),
            Assert(~(unset | in_slot | (opened & ~fresh)) | (wait == 0)),
            Assert(~in_slot | ((slot != 0) & ~fresh)),
            Assert(~opened | ~fresh | (ports.i.valid & (Value.cast(wanted) == Value.cast(page)))),
            Assert(~opened | ~fresh | ~(inside["was_read"] | inside["next_open"] | left_open)),
            Assert(~(unset | inside.within("set up")) | (read == most)),
            Assert(read >= Mux(in_slot, slot, BURST)),
            Assert(~closed | (read + wait >= BURST + config.precharge)),
            Assert(~(opened | in_slot) | inside["was_read"] | (read >= BURST + config.precharge)),
            # which banks are open
            Assert(~in_slot | (slot <= controller.OPEN_NEXT) | inside["next_open"]),
            Assert(~in_slot | (slot <= controller.CLOSE_LEFT) | ~left_open),
            Assert(~opened | inside["next_open"] | left_open | fresh),
            Assert(~opened | ~inside["next_open"] | ~left_open),
        ]
        rows = []
        for bank in range(BANKS):
            mine = ba == bank
            opens, closes = gives[Command.ACTIVATE] & mine, gives[Command.PRECHARGE] & (mine | a[10])
            uses, is_open = column & mine, any_open[bank]
            row = Signal.like(page.row, name=f"row{bank}")
            with m.If(opens):
                m.d.sync += [is_open.eq(1), row.eq(a)]
            with m.If(closes):
                m.d.sync += is_open.eq(0)
            begun, ended = since(opens, f"begun{bank}"), since(closes, f"ended{bank}")
            written = since(gives[Command.WRITE] & mine, f"written{bank}")
            burst = since(gives[Command.READ] & mine, f"burst{bank}")
            rows.append(begun)
            here = page.bank == bank
            ahead, behind = inside["next_open"] & (next_ == bank), left_open & (left == bank)
            # a bank that is neither open nor left was closed a slot before the one that was left
            now = Mux(in_slot, slot, 0)
            just = in_slot & (slot > CLOSED) & (left == bank)
            rested = now + Mux(just, 0, BURST) + Mux(next_ == bank, BURST, 0) - CLOSED
            m.d.comb += [
                Assert(~opens | (~is_open & (ended >= config.cycles(chip.precharge)))),
                Assert(~opens | (begun >= config.cycles(chip.activate_to_activate))),
                Assert(~uses | (is_open & (row == wanted.row) & (wanted.bank == bank))),
                Assert(~uses | (begun >= config.cycles(chip.activate_to_column))),
                Assert(~closes | ~is_open | (begun >= config.cycles(chip.activate_to_precharge))),
                Assert(~closes | ~is_open | (written >= config.cycles(chip.write_to_precharge))),
                Assert(~closes | ~is_open | (burst >= BURST)),
                Assert(
                    ~(gives[Command.REFRESH] | gives[Command.SET_MODE])
                    | (ended >= config.cycles(chip.precharge))
                ),
                # what holds in between
                Assert(~(unset | resting) | ~is_open),
                Assert(~(opened | in_slot) | (is_open == (here | ahead | behind))),
                Assert(~resting | (ended + wait >= config.precharge)),
                Assert(~(opened | in_slot) | is_open | (ended >= config.precharge) | (ended >= rested)),
                Assert(activated <= begun),
                Assert(~is_open | (begun <= ended)),
                Assert(is_open | (begun == most) | (begun >= ended + BURST - controller.OPEN_NEXT)),
                Assert(~(opened & here) | (begun + wait >= config.activate_to_column)),
                Assert(~(opened & here) | fresh | (begun >= BURST - controller.OPEN_NEXT)),
                Assert(~(in_slot & here) | (begun >= config.activate_to_column + slot)),
                Assert(~(opened & ahead) | (begun >= BURST - controller.OPEN_NEXT)),
                Assert(~(in_slot & ahead) | (begun + controller.OPEN_NEXT >= slot)),
                Assert(~((opened | in_slot) & behind) | (begun >= BURST)),
                Assert(~((opened | in_slot) & here) | (row == page.row)),
                Assert(~((opened | in_slot) & ahead) | (row == inside["following"].row)),
            ]
            for used in (written, burst):
                m.d.comb += Assert(used >= Mux(in_slot & here, slot, BURST))
        # the last row that was opened is one of the banks'
        m.d.comb += Assert(Cat(activated == begun for begun in rows).any())
