"""Buffer of query rows."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.attention import payloads
from hw.parts.delay import registered
from hw.parts.memory import BLOCK, NO_COLLISION


class QueryRows(wiring.Component):
    """Holds `ROW_BANKS` query rows, so that a row can be broadcast once per group of keys.

    Members:
        i: query spikes, row by row.
        rows: complete rows held.
        last: index of the last spike of the row that is read, at first the oldest.
        index: spike of that row to read.
        spike: the spike at `index`, two cycles later.
        leave: go on to read the row after.
        release: drop the oldest row, which reading has left.

    Timing: one spike per cycle in; a row counts in `rows` from the cycle after its last spike.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        width = index_width(config.head_dim)
        super().__init__(
            {
                "i": In(stream.Signature(payloads.query(config))),
                "rows": Out(range(payloads.ROW_BANKS + 1)),
                "last": Out(width),
                "index": In(width),
                "spike": Out(payloads.query(config)),
                "leave": In(1),
                "release": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        banks = payloads.ROW_BANKS
        address = data.StructLayout({"index": index_width(self._config.head_dim), "bank": range(banks)})
        m.submodules.memory = memory = Memory(
            shape=payloads.query(self._config),
            depth=1 << address.size,
            init=[],
            attrs={**BLOCK, **NO_COLLISION},
        )
        write, read = memory.write_port(), memory.read_port()
        write_address, read_address = Signal(address), Signal(address)
        lasts = Array(Signal.like(self.last, name=f"last_{n}", reset_less=True) for n in range(banks))
        transfer, complete = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(self.rows != banks),
            transfer.eq(self.i.valid & self.i.ready),
            complete.eq(transfer & self.i.payload.last),
            write.en.eq(transfer),
            write.addr.eq(write_address),
            write.data.eq(self.i.payload),
            read_address.index.eq(self.index),
            read.addr.eq(read_address),
            self.spike.eq(registered(m, read.data, "spike")),  # a block RAM answers late in the cycle
            self.last.eq(lasts[read_address.bank]),
        ]
        with m.If(transfer):
            m.d.sync += write_address.index.eq(write_address.index + 1)
        with m.If(complete):
            m.d.sync += [
                write_address.index.eq(0),
                write_address.bank.eq(write_address.bank + 1),
                lasts[write_address.bank].eq(write_address.index),
            ]
        bank = Signal(range(banks))
        m.d.comb += read_address.bank.eq(bank)
        with m.If(self.leave):
            m.d.sync += bank.eq(bank + 1)
        m.d.sync += self.rows.eq(self.rows + complete - self.release)
        return m
