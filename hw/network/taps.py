"""Rows by index: a row of a unit is made of rows of its source, which a list names (`golden.network.rows`).

Without maps there is nothing of it in a core.
"""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.utils import exact_log2

from golden.network.config import NetworkConfig
from golden.widths import bits_for, index_width
from hw.network import payloads


class RowIndex:
    """Adds to the state machine of a unit, before its state ROW, those that read what a row waits for.

    Args:
        unit: with members `map_address` and `map_word`, one cycle later, where there are maps.
        op: current descriptor, with `taps`, `map` and `wait`.
        needed: row of the source that must be complete, counted over the inference.

    Timing: a row by index is in ROW three cycles later than another; `address` is then that of its first tap,
    and `word` that tap.
    """

    def __init__(self, config: NetworkConfig, unit: Any, op: data.View, needed: Signal) -> None:
        self.present = config.maps > 0
        self._op, self._needed = op, needed
        if self.present:
            self.address, self.word = unit.map_address, unit.map_word

    def first_row(self, m: Module, fetched: data.View) -> None:
        """Go on to the first row of a descriptor that is being fetched."""
        m.next = "ROW"
        if self.present:
            m.d.sync += self.address.eq(fetched.map)
            with m.If(fetched.taps != 0):
                m.next = "INDEX"

    def next_row(self, m: Module, *, behind: bool = False) -> None:
        """Go on to the next row; `address` is that of the first tap of this one, or already `behind` them."""
        m.next = "ROW"
        if self.present:
            if not behind:
                m.d.sync += self.address.eq(self.address + self._op.taps)
            with m.If(self._op.taps != 0):
                m.next = "INDEX"

    def states(self, m: Module) -> None:
        if self.present:
            with m.State("INDEX"):
                m.d.sync += self.address.eq(self.address + 1)
                m.next = "NEED"
            with m.State("NEED"):
                m.d.sync += self._needed.eq(self.word.row)
                m.next = "SINCE"
            with m.State("SINCE"):
                m.d.sync += self._needed.eq(self._op.wait + self._needed)
                m.next = "ROW"


def _registered(m: Module, name: str, values: list[Any]) -> list[Any]:
    """What values were a cycle before."""
    later = [Signal(value.shape(), name=f"{name}_{n}") for n, value in enumerate(values)]
    m.d.sync += [after.eq(before) for after, before in zip(later, values, strict=True)]
    return later


class Taps:
    """The taps of the linear unit's rows: looked up ahead, those that fire are noted, then each pass of a row
    goes through its notes. Notes of two rows: of the one that is broadcast, and of the one looked up.

    Args:
        config: of the core.
        op: descriptor whose rows are looked up.
        index: of the unit.
        row, count: the row that is looked up, and spikes of its first note.

    Attributes:
        tap: that is looked up.
        starts, more: of the row that is broadcast, this is its first note; there are others behind it.
        origin, offset: row of the source that is broadcast, and where its weights begin.
        start: place of the first spike of the row that is broadcast, 0 unless blocks are read.

    Timing: from ROW on, a cycle per tap and four more: what lists show of a tap is registered, and what is
    noted of it.
    """

    def __init__(
        self, m: Module, config: NetworkConfig, op: data.View, index: RowIndex, row: Signal, count: Signal
    ) -> None:
        self._index, self._op, self._row, self._count = index, op, row, count
        self.present = index.present
        if not self.present:
            return
        # of blocks, weights begin where those of the first feature of the row would be: below 0 for some
        depth = payloads.weight_depth(config) if config.block else config.weights
        note = data.StructLayout(
            {"origin": row.shape(), "count": count.shape(), "offset": index_width(depth)}
            | ({"start": index_width(config.features)} if config.block else {})
        )
        places = index_width(config.taps)
        m.submodules.notes = notes = Memory(shape=note, depth=2 << places, init=[])
        self._write, self._read = notes.write_port(), notes.read_port(domain="comb")
        # looking up: this tap, how many are left, and the notes so far, with the first of them at hand
        self.tap, self._looking = Signal(payloads.map_word(config), name="tap"), Signal(name="looking")
        self._left = Signal.like(op.taps, name="taps_left")
        self._offset = Signal(note["offset"].shape, name="tap_offset")
        self._found, self._half = Signal(bits_for(config.taps), name="found"), Signal(name="half")
        self._first = Signal(note, name="first_note")
        # broadcasting
        self._notes, self._number = Signal.like(self._found, name="notes"), Signal(places, name="note_number")
        self._work_half = Signal(name="work_half")
        self.origin, self.offset = Signal.like(row, name="origin"), Signal.like(self._offset, name="offset")
        self.starts, self.more = Signal(name="first_of_notes"), Signal(name="more_notes")
        self._block = config.block
        self.start: Value = Signal(note["start"].shape, name="start") if config.block else Const(0)
        following = Signal(places, name="following_note")
        m.d.comb += [
            self.starts.eq(self._number == 0),
            following.eq(Mux(self.more, self._number + 1, 0)),
            self._read.addr.eq(Cat(following, self._work_half)),
            self._write.addr.eq(Cat(self._found[:places], self._half)),
        ]

    def row(self) -> Value:
        """Row of the source whose spikes are counted."""
        return Mux(self._op.taps != 0, self.tap.row, self._row) if self.present else self._row

    def begin(self, m: Module, ready: Value) -> None:
        """In state ROW: a row in order is its own first note, one by index is looked up once `ready`."""
        if not self.present:
            return
        m.d.sync += [
            self._found.eq(0),
            self._offset.eq(0),
            self._left.eq(self._op.taps),
            self._first.origin.eq(self._row),
            self._first.offset.eq(0),
            *([self._first.start.eq(0)] if self._block else []),
        ]
        with m.If((self._op.taps != 0) & ready):
            m.d.sync += [self._index.address.eq(self._index.address + 1), self._count.eq(0)]
            m.next = "TAPS"

    def states(self, m: Module) -> None:
        if not self.present:
            return
        with m.State("TAPS"):
            m.d.sync += [self.tap.eq(self._index.word), self._looking.eq(1), self._left.eq(self._left - 1)]
            with m.If(self._left == 1):
                m.next = "LAST-TAP"
            with m.Else():
                m.d.sync += self._index.address.eq(self._index.address + 1)
        with m.State("LAST-TAP"):
            m.d.sync += self._looking.eq(0)
            m.next = "LAST-COUNT"
        with m.State("LAST-COUNT"):
            m.next = "LAST-NOTE"
        with m.State("LAST-NOTE"):
            m.next = "OFFER"

    def note(self, m: Module, spikes: Value, span: data.View | None) -> None:
        """Note the tap that was looked up if it has `spikes`; of a block its `span`, one cycle later."""
        if not self.present:
            return
        op, written = self._op, self._write.data
        now: list[Any] = _registered(m, "looked_up", [self._looking, self.tap, spikes])
        if span is not None:
            now = [*now[:-1], Mux(op.blocks, span.count, now[-1]), Mux(op.blocks, span.start, 0)]
        looking, tap, spikes, *starts = _registered(m, "noted", now)
        offset: Value = self._offset
        if span is not None:
            offset = offset - Mux(op.blocks, tap.block << exact_log2(self._block), 0)
            m.d.comb += written.start.eq(starts[0])
        m.d.comb += [
            self._write.en.eq(looking & ~tap.none & (spikes != 0)),
            written.origin.eq(tap.row),
            written.offset.eq(offset),
            written.count.eq(spikes),
        ]
        with m.If(looking):
            m.d.sync += self._offset.eq(self._offset + op.width)
        with m.If(self._write.en):
            m.d.sync += self._found.eq(self._found + 1)
            with m.If(self._found == 0):
                m.d.sync += [self._first.eq(written), self._count.eq(spikes)]

    def step(self, m: Module, done: Value, work_count: Signal, last_entry: Signal) -> None:
        """Go on to the next note, or to the first one for the next pass, where the current one is `done`."""
        if not self.present:
            return
        with m.If(done):
            m.d.sync += self._number.eq(0)
            with m.If(self._notes > 1):
                m.d.sync += [
                    self._number.eq(self._read.addr[: len(self._number)]),
                    self.more.eq(~self.more | (self._number + 2 < self._notes)),
                    self.origin.eq(self._read.data.origin),
                    self.offset.eq(self._read.data.offset),
                    work_count.eq(self._read.data.count),
                    last_entry.eq(self._read.data.count == 1),
                    *([self.start.eq(self._read.data.start)] if self._block else []),
                ]

    def take(self, m: Module) -> None:
        """The row that was looked up is broadcast from now on."""
        if not self.present:
            return
        m.d.sync += [
            self.origin.eq(self._first.origin),
            self.offset.eq(self._first.offset),
            *([self.start.eq(self._first.start)] if self._block else []),
            self._notes.eq(self._found),
            self._number.eq(0),
            self.more.eq(self._found > 1),
            self._work_half.eq(self._half),
            self._half.eq(~self._half),
        ]
