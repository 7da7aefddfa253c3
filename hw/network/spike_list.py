"""Spike memory: the firing neurons of every row, silent ones left out."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.network.config import NetworkConfig
from golden.widths import index_width
from hw.network import payloads


class SpikeList(wiring.Component):
    """Rows of spikes, written in order of features, read without gaps.

    Members:
        i: neurons of a row one after the other; cannot be held up.
        count_row, count: spikes of a row, in the same cycle.
        read_row, position: what to read.
        entry: the spike there, one cycle later.

    Timing: a spike can be read, and counts, from the cycle after its write on.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        rows = payloads.row_width(config)
        super().__init__(
            {
                "i": In(stream.Signature(payloads.list_write(config), always_ready=True)),
                "count_row": In(rows),
                "count": Out(bits_for(config.features)),
                "read_row": In(rows),
                "position": In(index_width(config.features)),
                "entry": Out(payloads.list_entry(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        places = index_width(config.features)
        m.submodules.memory = memory = Memory(
            shape=payloads.list_entry(config), depth=config.tokens << places, init=[]
        )
        write, read = memory.write_port(), memory.read_port()
        counts = Array(Signal(bits_for(config.features), name=f"count_{n}") for n in range(config.tokens))
        beat = self.i.payload
        place = Signal(bits_for(config.features))
        fires = Signal()
        m.d.comb += [
            place.eq(Mux(beat.first, 0, counts[beat.row])),
            fires.eq(self.i.valid & beat.entry.spike.active),
            write.en.eq(fires),
            write.addr.eq(Cat(place[:places], beat.row)),
            write.data.eq(beat.entry),
            read.addr.eq(Cat(self.position, self.read_row)),
            self.entry.eq(read.data),
            self.count.eq(counts[self.count_row]),
        ]
        with m.If(self.i.valid):
            m.d.sync += counts[beat.row].eq(place + beat.entry.spike.active)
        return m
