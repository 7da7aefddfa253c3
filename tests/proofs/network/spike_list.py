"""Proof of the spike memory."""

from dataclasses import replace

from amaranth.hdl import Array, Assert, Assume, Cat, Const, Cover, Mux, Signal

from golden.code import PhaseCode
from hw.network import spike_list
from tests.proofs.following import peeked
from tests.proofs.network.threshold import config
from tests.proofs.property import Fault, Property

FEATURES, ROWS = 3, 4


class SpikesAreReadAsWritten(Property):
    """A row holds the neurons that fired since it was begun, in the order in which they came, silent ones
    left out: their count is right in every cycle, and each is read at its place unchanged, whatever is
    written to other rows meanwhile. So it is where there is room for all features of all rows, and where
    there is room for two rows of three or for four rows of two.

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
        with peeked(spike_list.SpikeList):
            inside = self.opened("list", spike_list.SpikeList(small, small.features, room=room))
        ports, peek = inside.ports, inside["memory"].peek
        beat = ports.i.payload
        fires = ports.i.valid & beat.entry.spike.active
        counts, came = (Array(Signal(range(FEATURES + 1)) for _ in range(ROWS)) for _ in range(2))
        count, before = Signal(range(FEATURES + 1)), Signal(range(FEATURES + 1))
        kept = Signal.like(beat.entry, reset_less=True)
        wide = self.unknown(1, "wide") if room else Const(1)  # rows of all features, but half as many
        rows, most = (Mux(wide, ROWS // 2, ROWS), Mux(wide, FEATURES, 2)) if room else (ROWS, FEATURES)
        address = Mux(wide, row * 4, Cat(row[1], row[0]) * 2) + place
        m.d.comb += [
            Assume((row < rows) & (place < most)),
            Assume(~ports.i.valid | (beat.row < rows)),
            count.eq(Mux(beat.first, 0, counts[beat.row])),
            before.eq(Mux(beat.first, 0, came[beat.row])),
            Assume(~ports.i.valid | (before != most)),
            peek.addr.eq(address),
        ]
        with m.If(ports.i.valid):
            m.d.sync += [
                counts[beat.row].eq(count + beat.entry.spike.active),
                came[beat.row].eq(before + 1),
            ]
        with m.If(fires & (beat.row == row) & (count == place)):
            m.d.sync += kept.eq(beat.entry)
        read = (ports.read_row == row) & (ports.position == place)
        # what is read in the cycle in which it is written is as it was before
        m.d.comb += [
            Assert(~self.later(read) | (ports.entry.as_value() == self.later(kept.as_value()))),
            Assert(ports.count == counts[ports.count_row]),
            Assert(peek.data.as_value() == kept.as_value()),
            *[Assert((counts[n] <= came[n]) & (came[n] <= FEATURES)) for n in range(ROWS)],
            Cover(self.later(read) & (place == 2) & ports.entry.spike.active),
        ]
