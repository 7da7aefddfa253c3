"""Proof of the spike memory."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Array, Assert, Assume, Cat, Const, Cover, Mux, Signal, Value

from golden.code import PhaseCode
from hw.network import spike_list
from hw.parts.sliced_memory import SlicedMemory
from tests.proofs.following import peeked
from tests.proofs.network.threshold import config
from tests.proofs.property import Fault, Property

FEATURES, ROWS = 3, 4


def stored(entry: Any) -> Value:
    """The part of an entry that the memory holds: that it fires goes without saying."""
    return Cat(entry.feature, entry.spike.negative, entry.spike.phase)


class SpikesAreReadAsWritten(Property):
    """A row holds the neurons that fired since it was begun, in the order in which they came, silent ones
    left out: their count is right in every cycle, and each is read at its place two cycles later, unchanged,
    whatever is written to other rows meanwhile. So it is where there is room for all features of all rows,
    and where there is room for two rows of three or for four rows of two.

    Assumes: a row is begun anew before more than `features` of its neurons came, and a layer is one of those
    that there is room for. Any one place of any row is followed."""

    component = "network/spike_list"
    faults = (
        Fault(module=spike_list, old="Mux(beat.first, 0, written)", new="written"),
        Fault(
            module=spike_list,
            old="self.i.valid & beat.entry.spike.active",
            new="self.i.valid & beat.entry.feature[0]",
        ),
        Fault(
            module=spike_list,
            old="self._address(self.read_row, self.position)",
            new="self._address(beat.row, self.position)",
        ),
        Fault(module=spike_list, old="*reversed([*row[:bits]])", new="*row[:bits]"),
    )
    cases = ({"room": 3}, {"room": 0})

    def build(self, room: int) -> None:
        m = self.m
        small = replace(
            config(PhaseCode(steps=2)), tokens=ROWS, features=FEATURES, lanes=FEATURES, cluster=FEATURES
        )
        row = self.unknown(2, "row")
        place = self.unknown(range(FEATURES), "place")
        with peeked(SlicedMemory):
            inside = self.opened("list", spike_list.SpikeList(small, small.features, room=room))
        ports, memory = inside.ports, inside["memory.m"].submodules.slice_0
        beat = ports.i.payload
        fires = ports.i.valid & beat.entry.spike.active
        counts, came = (Array(Signal(range(FEATURES + 1)) for _ in range(ROWS)) for _ in range(2))
        count, before = Signal(range(FEATURES + 1)), Signal(range(FEATURES + 1))
        # what is there of a neuron, and was
        kept, shown = Signal.like(stored(beat.entry), reset_less=True), stored(ports.entry)
        wide = self.unknown(1, "wide") if room else Const(1)  # rows of all features, but half as many
        rows, most = (Mux(wide, ROWS // 2, ROWS), Mux(wide, FEATURES, 2)) if room else (ROWS, FEATURES)
        address = Mux(wide, row * 4, Cat(row[1], row[0]) * 2) + place
        m.d.comb += [
            Assume((row < rows) & (place < most)),
            Assume(~ports.i.valid | (beat.row < rows)),
            count.eq(Mux(beat.first, 0, counts[beat.row])),
            before.eq(Mux(beat.first, 0, came[beat.row])),
            Assume(~ports.i.valid | (before != most)),
            memory.peek.addr.eq(address),
        ]
        with m.If(ports.i.valid):
            m.d.sync += [
                counts[beat.row].eq(count + beat.entry.spike.active),
                came[beat.row].eq(before + 1),
            ]
        # a cycle after it came
        comes, coming = Signal(), Signal.like(kept, reset_less=True)
        m.d.sync += [comes.eq(fires & (beat.row == row) & (count == place)), coming.eq(stored(beat.entry))]
        with m.If(comes):
            m.d.sync += kept.eq(coming)
        read = (ports.read_row == row) & (ports.position == place)
        # what is read in the cycle in which it is written is as it was before
        m.d.comb += [
            Assert(~self.later(read, 2) | (shown == self.later(kept, 2))),
            Assert(ports.entry.spike.active),
            Assert(ports.count == counts[ports.count_row]),
            Assert(memory.peek.data == kept),
            Assert(~self.later(read) | (memory.read_ports[1].data == self.later(kept))),
            *[Assert((counts[n] <= came[n]) & (came[n] <= FEATURES)) for n in range(ROWS)],
            Cover(self.later(read, 2) & (place == 2) & (shown == self.later(kept, 2)) & (kept != 0)),
        ]
