"""Spike memory: the firing neurons of every row, silent ones left out."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from golden.network.config import NetworkConfig
from golden.widths import index_width
from hw.network import payloads
from hw.parts.delay import registered
from hw.parts.memory import NO_COLLISION
from hw.parts.sliced_memory import SlicedMemory

# Counts of so many rows stand in registers, of more in a memory, which shows them earlier in the cycle
COUNT_REGISTERS = 8


class SpikeList(wiring.Component):
    """Rows of spikes, written in order of features, read without gaps; or two lists of such rows.

    Args:
        features: most of a row.
        lists: 2 for two lists.
        rows: most of a list; as many as the core has tokens when absent.
        room: bits of an address of one list, 0 for as many as rows and features need (`NetworkConfig`).
        blocks: rows may be read block by block (`NetworkConfig.block`).

    Members:
        i: neurons of a row one after the other; cannot be held up.
        count_row, count: spikes of a row, in the same cycle.
        read_row, position: what to read.
        entry: the spike there, two cycles later.
        block_row, block, span: where the spikes of a block of a row are, one cycle later (only with blocks).

    Timing: a spike counts from the cycle after its write on, and can be read a cycle later.
    """

    def __init__(
        self,
        config: NetworkConfig,
        features: int,
        lists: int = 1,
        *,
        rows: int | None = None,
        room: int = 0,
        blocks: bool = False,
    ) -> None:
        self._config, self._features, self._lists, self._blocks = config, features, lists, blocks
        self._rows, self._room = rows or config.tokens, room
        written = payloads.list_write(config, lists)
        rows = written["row"].width
        super().__init__(
            {
                "i": In(stream.Signature(written, always_ready=True)),
                "count_row": In(rows),
                "count": Out(bits_for(features)),
                "read_row": In(rows),
                "position": In(index_width(features)),
                "entry": Out(payloads.list_entry(config)),
            }
            | (
                {
                    "block_row": In(rows),
                    "block": In(index_width(config.row_blocks)),
                    "span": Out(payloads.block_span(config)),
                }
                if blocks
                else {}
            )
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat, depth = self.i.payload, self._depth()
        written_row, counted_row = self._row(beat.row), self._row(self.count_row)
        # whatever is in the list fires
        m.submodules.memory = memory = SlicedMemory(len(beat.entry.as_value()) - 1, depth)
        write, read = memory.write_port(), memory.read_port()
        place = Signal(bits_for(self._features))
        fires = Signal()
        width = bits_for(self._features)
        rows = self._rows if self._lists == 1 else 1 << len(written_row)
        in_registers = rows <= COUNT_REGISTERS
        if in_registers:
            counts = Array(Signal(width, name=f"count_{n}") for n in range(rows))
            written, looked_up = counts[written_row], counts[counted_row]
        else:
            m.submodules.counts = held = Memory(shape=width, depth=rows, init=[])
            set_count = held.write_port()
            ports = held.read_port(domain="comb"), held.read_port(domain="comb")
            written, looked_up = (port.data for port in ports)
            m.d.comb += [
                port.addr.eq(row) for port, row in zip(ports, (written_row, counted_row), strict=True)
            ]
        m.d.comb += [
            place.eq(Mux(beat.first, 0, written)),
            fires.eq(self.i.valid & beat.entry.spike.active),
            read.addr.eq(self._address(self.read_row, self.position)),
            self.count.eq(looked_up),
        ]
        spike, shown = beat.entry.spike, self.entry
        # to look up a count takes most of a cycle
        written_spike = Cat(beat.entry.feature, spike.negative, spike.phase)
        m.d.sync += write.en.eq(fires)
        m.d.comb += [
            write.addr.eq(registered(m, self._address(beat.row, place), "write_address")),
            write.data.eq(registered(m, written_spike, "written_spike")),
            Cat(shown.feature, shown.spike.negative, shown.spike.phase).eq(read.data),
            shown.spike.active.eq(1),
        ]
        count = place + beat.entry.spike.active
        if in_registers:
            with m.If(self.i.valid):
                m.d.sync += counts[written_row].eq(count)
        else:
            m.d.comb += [
                set_count.addr.eq(written_row),
                set_count.data.eq(count),
                set_count.en.eq(self.i.valid),
            ]
        if self._blocks:
            self._span(m, place, count)
        return m

    @property
    def _row_bits(self) -> int:
        return index_width(self._rows)

    def _row(self, row: Value) -> Value:
        """A row, of two lists with the bit that says which, in as many bits as the lists have."""
        which = row[payloads.row_width(self._config) :] if self._lists > 1 else []
        return Cat(row[: self._row_bits], which)

    def _depth(self) -> int:
        if self._room:
            return self._lists << self._room
        if self._config.channels:
            return self._features * (self._lists << self._row_bits)
        rows = self._rows if self._lists == 1 else self._lists << self._row_bits
        return rows << index_width(self._features)

    def _address(self, row: Value, place: Value) -> Value:
        """Where a spike of a row is.

        Rows of any number of features leave no gaps where the row is the low part of the address. A list with
        less room counts rows from the highest bit of the address downwards, their lowest bit the highest, and
        spikes from the lowest upwards: layers of many rows and layers of many features meet in the middle.
        """
        row, place = self._row(row), place[: index_width(self._features)]
        if not self._room:
            return Cat(row, place) if self._config.channels else Cat(place, row)
        bits = min(self._row_bits, self._room)
        downwards = Cat(Const(0, self._room - bits), *reversed([*row[:bits]]))
        return Cat((downwards | place)[: self._room], row[self._row_bits :])

    def _span(self, m: Module, place: Signal, count: Value) -> None:
        """Where each block of the row that is written begins, and how many spikes it has so far."""
        config, beat = self._config, self.i.payload
        within, feature = exact_log2(config.block), beat.entry.feature
        m.submodules.spans = spans = Memory(
            shape=payloads.block_span(config),
            depth=1 << (self._row_bits + index_width(config.row_blocks)),
            init=[],
            attrs=NO_COLLISION,
        )
        write, read = spans.write_port(), spans.read_port()
        start, begins = Signal(write.data.start.shape(), name="block_start"), Signal()
        number = Signal.like(self.block, name="block_number")  # of one bit where the row is one block, and 0
        m.d.comb += [
            number.eq(feature >> within),
            begins.eq(feature[:within] == 0 if within else 1),
            write.addr.eq(Cat(number, self._row(beat.row))),
            write.en.eq(self.i.valid),
            write.data.start.eq(Mux(begins, place, start)),
            write.data.count.eq(count - write.data.start),
            read.addr.eq(Cat(self.block, self._row(self.block_row))),
            self.span.eq(read.data),
        ]
        with m.If(self.i.valid):
            m.d.sync += start.eq(write.data.start)
