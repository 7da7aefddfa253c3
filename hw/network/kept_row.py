"""A row that the norm unit has measured fires from kept places of its channels while the next is measured.

Places of the next row are written behind those that fire; of rows that are read twice, which fire longer,
into the other half of the memory.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.memory import Memory

from golden.network.config import NetworkConfig
from golden.network.descriptors import NormOp
from hw.network import payloads
from hw.network.falling_threshold import FallingThreshold
from hw.network.octave_encoder import PLACE_BITS, OctaveEncoder
from hw.parts.payloads import struct

# From reading a place that was kept to its spike
KEPT_LATENCY = 2 + FallingThreshold.latency


class KeptRow:
    """Adds to the norm unit the places of a row, and a counter that goes through them.

    Attributes:
        row: what fires now, from its places or not: its number, threshold list, offsets, channels, shift, and
            `short` (`hw.network.token_counts`).
        begin: the row that is taken in this cycle fires from its places from the next cycle on; short: it is
            that.
        fires, channel: that is read; place: its place and sign one cycle later, when `read`.
        busy: up to and with `done`, the cycle of the last spike.
    """

    def __init__(self, m: Module, config: NetworkConfig) -> None:
        self._config = config
        op = struct(NormOp, config)
        twice = ("twice", "channels") if "twice" in op.members else ()
        self._fields = ("levels", "offset", "width", *twice)
        self.row = Signal(
            data.StructLayout(
                {"row": payloads.row_width(config), "shift": signed(PLACE_BITS), "short": 1}
                | {name: op[name].shape for name in self._fields}
            ),
            name="kept_row",
        )
        self.begin, self.short = Signal(name="kept_begin"), Signal(name="kept_short")
        self.busy, self.fires, self.done = Signal(), Signal(), Signal()
        self.channel, self.read = Signal(config.feature_bits), Signal()
        place = data.StructLayout({"place": signed(PLACE_BITS), "negative": 1})
        m.submodules.places = places = Memory(shape=place, depth=1 << config.feature_bits, init=[])
        self._write, read = places.write_port(), places.read_port()
        self.place = read.data
        last, later = Signal(), Signal(KEPT_LATENCY)
        if twice:  # places of a row that is read twice are kept once
            self._address = Signal(config.feature_bits, name="kept_address")
            again = self.row.twice & (self._address + 1 == self.row.channels)
            m.d.sync += self._address.eq(Mux(self.begin | again, 0, self._address + 1))
            # which half is written
            self._half = Signal(name="kept_half")
            m.d.sync += self._half.eq(self._half ^ self.begin)
        m.d.comb += [
            read.addr.eq(self._halved(self.row.twice, ~self._half, self._address) if twice else self.channel),
            last.eq(self.fires & (self.channel + 1 == self.row.width)),
            self.done.eq(later[-1]),
        ]
        m.d.sync += [self.read.eq(self.fires), later.eq((later << 1) | last)]
        with m.If(self.begin):
            m.d.sync += [self.busy.eq(1), self.fires.eq(1), self.channel.eq(0)]
        with m.Else():
            m.d.sync += [self.channel.eq(self.channel + 1)]
            with m.If(last):
                m.d.sync += self.fires.eq(0)
            with m.If(self.done):
                m.d.sync += self.busy.eq(0)

    def take(self, m: Module, op: data.View, row: Signal, shift: Value | int) -> None:
        """Row `row` of the descriptor fires from the next cycle on, its thresholds moved by `shift`."""
        m.d.sync += [
            *[self.row[name].eq(op[name]) for name in self._fields],
            self.row.row.eq(row),
            self.row.shift.eq(shift),
            self.row.short.eq(self.short),
        ]

    def _halved(self, twice: Value, half: Value, channel: Value) -> Value:
        """Where the place of a channel is, of a row that is read twice or not."""
        return Mux(twice, Cat(channel[: self._config.feature_bits - 1], half), channel)

    def write(
        self, m: Module, measured: Value, channel: Value, encoder: OctaveEncoder, twice: Value | None
    ) -> None:
        """Keep the place that leaves the encoder if it is of a channel that is `measured`, of a row that is
        read `twice`."""
        m.d.comb += [
            self._write.en.eq(measured),
            self._write.addr.eq(channel if twice is None else self._halved(twice, self._half, channel)),
            self._write.data.place.eq(encoder.place),
            self._write.data.negative.eq(encoder.negative),
        ]
