"""Norm unit: residual stream to spikes, the row's deviation carried by the falling threshold."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.network.descriptors import KINDS, NormOp
from golden.network.limits import OFFSET_BITS
from golden.network.octave import ROOT_FRACTION_BITS, resolution, roots
from golden.widths import index_width
from hw.network import payloads
from hw.network.falling_threshold import FallingThreshold
from hw.network.kept_row import KEPT_LATENCY, KeptRow
from hw.network.load_bus import pick
from hw.network.norm_reads import LOOKED_UP, NormReads, banks_chosen
from hw.network.octave_encoder import PLACE_BITS, OctaveEncoder
from hw.network.taps import RowIndex
from hw.network.token_counts import members, there
from hw.parts.delay import delayed, registered
from hw.parts.descriptors import DescriptorFetch
from hw.parts.memory import NO_COLLISION
from hw.parts.payloads import struct

# Cycles from reading a channel to its value centred, from its place to its square
CENTRED, SQUARE = 3, 2


def doubled(value: Value, twice: Value | None) -> Value:
    """The value, or double of it where it counts `twice`."""
    return value if twice is None else Mux(twice, value << 1, value)


class NormUnit(wiring.Component):
    """Runs the list of norm descriptors, row by row.

    Order within a row: sum of the channels and their mean (kind "layer" only), sum of squares (not
    "fixed"), the place of that sum, then every channel through its falling threshold. The mean takes an
    addition per bit of a constant, squares come from a table of R constants and a shift: no
    multiplier, no divider, no square root. With `NetworkConfig.norm_rows` two, the places of the channels are
    kept, and a row that has been measured fires from them while the next one is.

    Members:
        i_load, i_write_op, i_write_offset: words of the descriptor and offset memories.
        rows_linear: rows that the linear unit has completed.
        map_address, map_word: rows by index, one cycle later (only with maps).
        stream_row, stream_channel, stream_value: residual stream, two cycles later; stream_reads: it is read.
        stream_value_1: what the second bank has there, the first one is in stream_value (with two drains).
        levels_address, levels: threshold list, one cycle later.
        o: spikes; cannot be held up.
        row_done: a row is complete; missing, short: see `hw.network.token_counts`.
        begin: an image is there; start with the first descriptor.

    Timing per row, from the cycle in which it may begin: 1, for "layer" width + 3, half of the width where
    channels are summed in pairs (`NormReads.pairs`), and a cycle for each bit of the mean's constant, or a
    bit and a zero behind it, for "rms" and "layer" width + 16, then width + 11 up to and with `row_done`. A
    descriptor takes 2. With maps each of these three takes LOOKED_UP more, with two banks 1, and a row by
    index takes 3 before; where sums of squares are wide the encoder takes a cycle more. With two rows the
    last of the three is, but for "fixed", width + `KEPT_LATENCY`, beside the next row of the descriptor. A
    row that is read twice (`NormOp.twice`) is measured in half of its width.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._encoder = OctaveEncoder(config, 2 * config.stream_bits + config.feature_bits + 1)
        self._threshold = FallingThreshold(config)
        # cycles from reading a channel to: its place; its square in the sum; its spike
        self._placed = CENTRED + self._encoder.latency
        self._squared = self._placed + SQUARE + 1
        self._spike = self._placed + 1 + FallingThreshold.latency
        by_index: dict[str, wiring.Member] = {}
        if config.maps:
            by_index["map_address"] = Out(index_width(config.maps))
            by_index["map_word"] = In(payloads.map_word(config))
        super().__init__(
            {
                "i_load": In(payloads.load(config)),
                "i_write_op": In(1),
                "i_write_offset": In(1),
                "rows_linear": In(config.row_count_width),
                "stream_row": Out(payloads.row_width(config)),
                "stream_channel": Out(config.feature_bits),
                "stream_value": In(signed(config.stream_bits)),
                **({"stream_value_1": In(signed(config.stream_bits))} if config.drains > 1 else {}),
                "levels_address": Out(index_width(config.lists)),
                "levels": In(payloads.levels(config)),
                "o": Out(stream.Signature(payloads.list_write(config), always_ready=True)),
                "row_done": Out(1),
                "begin": In(1),
            }
            | by_index
            | members(config)
            | ({"stream_reads": Out(1)} if config.shared else {})
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        size = {"shape": struct(NormOp, config), "depth": config.norm_ops}
        m.submodules.ops = ops = Memory(**size, init=[], attrs=NO_COLLISION)
        size = {"shape": signed(OFFSET_BITS), "depth": config.offsets}
        m.submodules.offsets = offsets = Memory(**size, init=[], attrs=NO_COLLISION)
        op_read, op_write = ops.read_port(), ops.write_port()
        offset_read, offset_write = offsets.read_port(), offsets.write_port()
        pick(m, op_write, self.i_load, self.i_write_op)
        pick(m, offset_write, self.i_load, self.i_write_offset)
        op = Signal(struct(NormOp, config))
        fetch = DescriptorFetch(m, op_read, op)
        row, row_last = Signal(payloads.row_width(config)), Signal()  # the last one: known a cycle before
        m.d.sync += row_last.eq(row + 1 == there(self, op, op.rows, config))
        needed = Signal(config.row_count_width)
        channel = Signal(config.feature_bits + 1)
        index = RowIndex(config, self, op, needed)
        looked_up = LOOKED_UP if index.present else 0
        ahead = looked_up + banks_chosen(config)
        kept = KeptRow(m, config) if config.norm_rows > 1 else None
        left = Signal(range(self._spike + 1 + ahead))
        mean = Signal(signed(config.stream_bits + 1))
        channels_sum = Signal(signed(config.stream_bits + config.feature_bits))
        rounded = Signal(signed(len(channels_sum) + 2))
        part = Signal.like(channels_sum)
        fraction = Signal.like(op.mean_fraction, name="fraction")
        bits_left = Signal.like(op.mean_bits, name="bits_left")
        zero = ~fraction[1] & (bits_left > 1)  # behind the next bit
        squares = Signal(2 * config.stream_bits + config.feature_bits)
        shift = Signal(signed(PLACE_BITS))
        placing = Signal()  # the sum of squares is what is placed
        done: Signal = Signal() if kept else self.row_done
        short: Any = Signal() if kept or not config.token_counts else self.short
        # channels that are measured: of a row that is read twice half of them, which count twice
        twice: Value | None = op.twice if index.present and config.weight_stream else None
        measured = op.width if twice is None else Mux(twice, op.channels, op.width)
        summing, squaring, firing = Signal(), Signal(), Signal()  # what is done with the channel being read
        reads = NormReads(config, self, index, op, op.kind == KINDS["layer"], twice)

        def last_of(width: Value, name: str) -> Signal:
            """The last of so many channels of a row: known before it begins, which takes a cycle at least."""
            return registered(m, width - 1, f"last_{name}")

        last_summed, last_squared, last_fired = (
            last_of(width, name)
            for width, name in (
                (reads.summed(measured), "summed"), (measured, "squared"), (op.width, "fired"),
            )
        )  # fmt: skip

        def sweep(state: str, strobe: Signal, following: str, flush: int, last: Signal) -> None:
            """Read all channels, then wait until the `last` one is through."""
            with m.State(state):
                m.d.comb += strobe.eq(1)
                m.d.sync += [channel.eq(channel + 1), left.eq(flush - 1 + ahead)]
                with m.If(channel == last):
                    m.next = f"{state}-FLUSH"
            with m.State(f"{state}-FLUSH"):
                m.d.sync += [left.eq(left - 1), channel.eq(0)]
                reads.end(m)
                with m.If(left == 0):
                    m.d.sync += placing.eq(int(following == "TOTAL"))
                    m.next = following

        def next_row(short: Signal) -> None:
            m.d.sync += [row.eq(row + 1), needed.eq(needed + 1)]
            index.next_row(m)
            with m.If(row_last):
                if config.token_counts:
                    m.d.comb += short.eq(op.counted)
                fetch.step(m)
                fetch.following(m)

        with m.FSM():
            with fetch.states(m, self.begin) as fetched:
                m.d.sync += [row.eq(0), needed.eq(fetched.wait)]
                index.first_row(m, fetched)
            index.states(m)
            with m.State("ROW"):
                m.d.sync += [channel.eq(0), rounded.eq(0), channels_sum.eq(0), squares.eq(0), shift.eq(0)]
                m.d.sync += [part.eq(0), fraction.eq(op.mean_fraction), bits_left.eq(op.mean_bits)]
                reads.begin(m)
                begins = self.rows_linear > needed
                if kept:
                    # of another descriptor nothing is under way
                    begins &= ~kept.busy | (row != 0)
                with m.If(begins), m.Switch(op.kind):
                    with m.Case(KINDS["layer"]):
                        m.next = "SUM"
                    with m.Case(KINDS["rms"]):
                        m.next = "SQUARE"
                    with m.Default():
                        m.next = "FIRE"
                        if kept:
                            kept.take(m, op, row, 0)
            sweep("SUM", summing, "MEAN", 2, last_summed)
            with m.State("MEAN"):
                # the sum times the reciprocal of the width, a bit of its fraction a cycle, or one and a zero
                half = (Const(1) << op.mean_shift) >> 1
                total = channels_sum + part + half
                more = part + Mux(fraction[0], channels_sum, 0)
                m.d.sync += [
                    rounded.eq(total),
                    part.eq(Mux(zero, more >> 2, more >> 1)),
                    fraction.eq(Mux(zero, fraction >> 2, fraction >> 1)),
                    bits_left.eq(Mux(zero, bits_left - 2, bits_left - 1)),
                ]
                with m.If(bits_left == 0):
                    m.next = "SQUARE"
            sweep("SQUARE", squaring, "TOTAL", self._squared - 1, last_squared)
            with m.State("TOTAL"):
                m.d.sync += left.eq(self._encoder.latency - 1)
                # the row before has fired when this one begins to
                with m.If(~kept.fires if kept else 1):
                    m.next = "PLACE"
            with m.State("PLACE"):
                m.d.sync += [left.eq(left - 1), placing.eq(0)]
                with m.If(left == 0):
                    if kept:
                        kept.take(m, op, row, self._half_place())
                        m.d.comb += kept.begin.eq(1)
                        next_row(kept.short)
                    else:
                        m.d.sync += shift.eq(self._half_place())
                        m.next = "FIRE"
            sweep("FIRE", firing, "DONE", self._spike - 1, last_fired)
            with m.State("DONE"):
                m.d.comb += done.eq(1)
                next_row(short)

        centred = Signal(signed(config.stream_bits + 2), reset_less=True)
        m.submodules.encoder = encoder = self._encoder
        value, added = reads.read(m, row, channel, summing | squaring, firing)
        if config.shared:
            under_way = Signal()
            m.d.comb += under_way.eq(summing | squaring | firing)
            m.d.comb += self.stream_reads.eq(delayed(m, under_way, looked_up))
        m.d.sync += [mean.eq(rounded >> op.mean_shift), centred.eq(value - mean)]
        with m.If(delayed(m, summing, 2 + ahead)):
            m.d.sync += channels_sum.eq(channels_sum + doubled(added, twice))
        m.d.comb += encoder.value.eq(Mux(placing, squares, centred))
        self._square(m, squares, squaring, self._squared - 1 + ahead, twice)
        channel_next = delayed(m, channel, self._placed - 2 + ahead)
        channel_out = delayed(m, channel_next, 1)
        if kept:
            self._fire_kept(m, kept, offset_read, (channel_out, squaring, firing), ahead, twice)
            m.d.comb += self.row_done.eq(done | kept.done)
            if config.token_counts:
                m.d.comb += self.short.eq(short | (kept.done & kept.row.short))
            return m
        fires, offset = delayed(m, firing, self._spike + ahead), registered(m, offset_read.data, "offset_1")
        m.d.comb += offset_read.addr.eq(op.offset + channel_next)
        self._fire(m, op.levels, offset, shift, row, channel_out, fires)
        return m

    def _fire_kept(
        self,
        m: Module,
        kept: KeptRow,
        offsets: Any,
        reads: tuple[Value, Value, Value],
        ahead: int,
        twice: Value | None,
    ) -> None:
        """Fire from places that are kept, or straight from the encoder what needs no measure.

        Args:
            reads: channel, a cycle before its place; whether it is measured, or fires, when it is read.
        """
        encoder, row, (channel_out, squaring, firing) = self._encoder, kept.row, reads
        kept.write(m, delayed(m, squaring, self._placed + ahead), delayed(m, channel_out, 1), encoder, twice)
        straight = delayed(m, firing, self._placed - 1 + ahead)
        fires, channel = Signal(), Signal.like(channel_out)
        m.d.comb += [
            fires.eq(straight | kept.fires),
            channel.eq(Mux(kept.fires, kept.channel, channel_out)),
            offsets.addr.eq(row.offset + channel),
        ]
        fires = delayed(m, fires, KEPT_LATENCY)
        self._fire(m, row.levels, offsets.data, row.shift, row.row, channel, fires, kept)

    def _fire(
        self,
        m: Module,
        levels: Value,
        offset: Value,
        shift: Value,
        row: Signal,
        channel: Signal,
        fires: Signal,
        kept: KeptRow | None = None,
    ) -> None:
        """The place of a channel, which leaves the encoder now or is kept, becomes a spike."""
        encoder, threshold, entry = self._encoder, self._threshold, self.o.payload.entry
        m.submodules.threshold = threshold
        place, negative = encoder.place, encoder.negative
        if kept:
            place = Mux(kept.read, kept.place.place, place)
            negative = Mux(kept.read, kept.place.negative, negative)
        place, negative = registered(m, place, "place"), registered(m, negative, "negative")
        offset = registered(m, offset, "offset")
        m.d.comb += [
            threshold.place.eq(place),
            threshold.negative.eq(negative),
            threshold.offset.eq(offset),
            threshold.shift.eq(shift),
            threshold.both.eq(1),
            self.levels_address.eq(levels),
            threshold.levels.eq(self.levels),
            self.o.valid.eq(fires),
            self.o.payload.row.eq(row),
            entry.feature.eq(delayed(m, channel, self._spike - self._placed + 1)),
            self.o.payload.first.eq(entry.feature == 0),
            entry.spike.eq(threshold.spike),
        ]

    def _half_place(self) -> Value:
        """Shift of the thresholds by the deviation: half the place of the sum of squares, rounded up."""
        place = self._encoder.place
        return (Mux(self._encoder.some, place, 0) + 1) >> 1

    def _square(self, m: Module, squares: Signal, squaring: Signal, cycles: int, twice: Value | None) -> None:
        """Square of 2**(L/R), `SQUARE` cycles after its place (`golden.network.octave.square`), added to
        `squares` that many cycles after `squaring`."""
        encoder, points = self._encoder, resolution(self._config.code.log2_base)
        table = roots(points)
        root = Signal(ROOT_FRACTION_BITS + 2, reset_less=True)
        octaves, some = Signal.like(encoder.octave), Signal(reset_less=True)
        value = Signal(2 * self._config.stream_bits + 2, reset_less=True)
        m.d.sync += [octaves.eq(encoder.octave), some.eq(encoder.some)]
        with m.Switch(encoder.residue):
            for r in range(points):
                octave, residue = divmod(2 * r, points)
                with m.Case(r):
                    m.d.sync += root.eq(int(table[residue]) << octave)
        shifted = (root << Cat(Const(0, 1), octaves)) >> ROOT_FRACTION_BITS
        m.d.sync += value.eq(Mux(some, shifted, 0))
        with m.If(delayed(m, squaring, cycles)):
            m.d.sync += squares.eq(squares + doubled(value, twice))
