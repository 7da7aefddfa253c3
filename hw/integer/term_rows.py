"""Buffer of rows of bias and mask."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.widths import index_width
from hw.integer import payloads
from hw.integer.vector_config import VectorConfig
from hw.parts.memory import NO_COLLISION


class TermRows(wiring.Component):
    """Holds the terms of `ROW_BANKS` rows.

    Members:
        i: terms, row by row.
        full: a row is there that no `claim` took.
        claim: the scores of the oldest such row begin.
        token: of the oldest row, to read.
        term: its term, one cycle later.
        release: the oldest row is not needed any more.

    Timing: one term per cycle; a row is there from the cycle after its last term.
    """

    def __init__(self, config: VectorConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(payloads.term_beat(config))),
                "full": Out(1),
                "claim": In(1),
                "token": In(index_width(config.tokens)),
                "term": Out(payloads.term(config)),
                "release": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        address = payloads.row_address(self._config)
        m.submodules.memory = memory = Memory(
            shape=payloads.term(self._config), depth=1 << address.size, init=[], attrs=NO_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        written, wanted = Signal(address), Signal(address)
        bank = Signal(range(payloads.ROW_BANKS))
        held, unclaimed = (Signal(range(payloads.ROW_BANKS + 1)) for _ in range(2))
        transfer, complete = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(held != payloads.ROW_BANKS),
            transfer.eq(self.i.valid & self.i.ready),
            complete.eq(transfer & self.i.payload.last),
            write.en.eq(transfer),
            write.addr.eq(written),
            write.data.eq(self.i.payload.term),
            wanted.token.eq(self.token),
            wanted.bank.eq(bank),
            read.addr.eq(wanted),
            self.term.eq(read.data),
            self.full.eq(unclaimed != 0),
        ]
        with m.If(transfer):
            m.d.sync += written.token.eq(written.token + 1)
        with m.If(complete):
            m.d.sync += [written.token.eq(0), written.bank.eq(written.bank + 1)]
        m.d.sync += [
            bank.eq(bank + self.release),
            held.eq(held + complete - self.release),
            unclaimed.eq(unclaimed + complete - self.claim),
        ]
        return m
