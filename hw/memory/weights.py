"""Streamed weights in an SDRAM chip: stored once, read over and over, checked when a session begins."""

from amaranth.hdl import DomainRenamer, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect
from amaranth.utils import exact_log2

from golden.memory import BURST, WORD_BITS, MemoryConfig
from hw.memory import payloads
from hw.memory.check_sum import CheckSum
from hw.memory.controller import SdramController
from hw.memory.reader import CyclicReader

# Clock domain of what outlives a session: the clock of `sync`, and no reset but that of the board
DOMAIN = "memory"


class WeightMemory(wiring.Component):
    """Words that a host stores come over and over, in this and in later sessions.

    A session begins with reset of the domain `sync`. What the memory holds is read then, and `o_status` says
    how many words there are and their check sum: the host knows whether they are those that it wants. The
    first word that it stores is the first of a new content: one that was stored in part says so, one that was
    lost with the power has no words. What was stored is read and told again before it is used.

    Args:
        config: chip and clock.

    Members:
        user: `payloads.weights`. `store`: words to be stored from address 0 on, while not `running`. `words`:
            over and over, while `running`, from the first on. `status`: at the start of a session, and again
            when words run that were stored since.
        sdram: the chip's pins (`payloads.pins`), for registers at the pads in the domain `memory`.

    Timing: the check takes 17 cycles per word. A word is stored in a slot of the memory. `words` come as
    of a `CyclicReader` that is rewound while not running.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        super().__init__(
            {
                "user": In(payloads.weights(config.chip)),
                "sdram": Out(wiring.Signature(payloads.pins(config.chip))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # What talks to the chip lives on when a session ends in the middle: a word that is being stored is
        # stored, bursts that are on their way arrive
        m = Module()
        chip, user = self._config.chip, self.user
        controller, reader = SdramController(self._config), CyclicReader(chip)
        m.submodules.controller = DomainRenamer(DOMAIN)(controller)
        m.submodules.reader = DomainRenamer(DOMAIN)(reader)
        m.submodules.check_sum = check_sum = CheckSum()
        for name, member in payloads.pins(chip).items():
            inner, outer = getattr(controller, name), getattr(self.sdram, name)
            m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)
        connect(m, controller.o, reader.word)

        words, last = Signal(payloads.address_bits(chip) + 1), Signal(payloads.address_bits(chip))
        storing, word = Signal(), Signal(WORD_BITS)
        begun, checked, more = Signal(), Signal.like(words), Signal()
        request = controller.i.payload
        with m.If(storing):
            m.d.comb += [
                controller.i.valid.eq(1),
                request.write.eq(1),
                request.data.eq(word),
                Value.cast(request.address).eq(last),
            ]
            with m.If(controller.i.ready):
                m.d[DOMAIN] += storing.eq(0)
        with m.Else():
            connect(m, reader.request, controller.i)
        m.d.comb += [
            reader.region.last.eq(last >> exact_log2(BURST)),
            reader.region.tail.eq(last),
            reader.rewind.eq(1),
            check_sum.i.payload.eq(reader.o.payload),
            user.words.payload.eq(reader.o.payload),
            user.status.payload.words.eq(words),
            user.status.payload.sum.eq(check_sum.sum),
        ]
        with m.FSM():
            with m.State("quiet"):
                m.d.comb += check_sum.clear.eq(1)
                m.d.sync += checked.eq(0)
                with m.If(reader.quiet & ~storing):
                    m.next = "check"
            with m.State("check"):
                m.d.comb += [
                    more.eq(checked != words),
                    reader.rewind.eq(words == 0),
                    check_sum.i.valid.eq(reader.o.valid & more),
                    # behind the last word one may go, too: the reader is rewound then
                    reader.o.ready.eq(check_sum.i.ready),
                ]
                m.d.sync += [checked.eq(checked + (reader.o.valid & reader.o.ready)), begun.eq(0)]
                with m.If(~more & ~check_sum.busy):
                    m.next = "report"
            with m.State("report"):
                m.d.comb += user.status.valid.eq(1)
                with m.If(user.status.ready):
                    m.next = "serve"
            with m.State("serve"):
                runs = user.running & ~begun
                with m.If(user.running & begun):
                    m.next = "quiet"
                m.d.comb += [
                    reader.rewind.eq(~runs),
                    user.words.valid.eq(reader.o.valid & runs),
                    reader.o.ready.eq(user.words.ready & runs),
                    user.store.ready.eq(~user.running & reader.quiet & ~storing),
                ]
                with m.If(user.store.valid & user.store.ready):
                    address = Mux(begun, words, 0)
                    m.d.sync += begun.eq(1)
                    m.d[DOMAIN] += [
                        storing.eq(1),
                        word.eq(user.store.payload),
                        last.eq(address),
                        words.eq(address + 1),
                    ]
        return m
