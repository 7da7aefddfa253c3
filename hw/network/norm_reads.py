"""What the norm unit reads of the residual stream: a channel per cycle, and in sums one of each bank."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.network.config import NetworkConfig
from hw.network.payloads import paired_channel, stream_address
from hw.network.taps import RowIndex
from hw.parts.delay import delayed, registered

# With maps, from the number of a channel to reading it: its row by index is looked up first
LOOKED_UP = 2


def banks_chosen(config: NetworkConfig) -> int:
    """Cycles of the register behind the choice of a bank: block RAMs of two lie far from each other."""
    return int(config.drains > 1)


class NormReads:
    """Reads the channels of a row one after the other, those of its taps where it is made by index.

    Args:
        unit: with the members `stream_N` of the norm unit.
        index, op: of the unit, and its descriptor.
        sums: rows of the descriptor are summed.
        twice: the descriptor reads its rows twice (`NormOp.twice`); None where no one does.

    Attributes:
        pairs: channels are summed two at a time, one of each bank of the stream, since those of a row fill
            both; a register, set by `begin` and reset by `end`. None with one bank.
    """

    def __init__(
        self,
        config: NetworkConfig,
        unit: Any,
        index: RowIndex,
        op: data.View,
        sums: Value,
        twice: Value | None,
    ) -> None:
        self._config, self._unit, self._index, self._op, self._twice = config, unit, index, op, twice
        self.pairs: Signal | None = None
        if config.drains > 1:
            channels = op.channels if index.present else op.width
            self.pairs = Signal(name="pairs")
            self._paired = sums & (channels[: exact_log2(config.lanes)] == 0)

    def begin(self, m: Module) -> None:
        """The row is read from the next cycle on, first for its sum if rows are summed."""
        if self.pairs is not None:
            m.d.sync += self.pairs.eq(self._paired)

    def end(self, m: Module) -> None:
        """All channels have been read once."""
        if self.pairs is not None:
            m.d.sync += self.pairs.eq(0)

    def summed(self, count: Value) -> Value:
        """Cycles in which so many channels are read for their sum, known before it begins."""
        return count if self.pairs is None else Mux(self._paired, count >> 1, count)

    def half(self, count: Value) -> Value:
        """Cycles in which so many channels are read."""
        return count if self.pairs is None else Mux(self.pairs, count >> 1, count)

    def read(
        self, m: Module, row: Signal, channel: Signal, measuring: Value, firing: Value
    ) -> tuple[Value, Value]:
        """The stream at a channel of a row, two cycles after it is read, `banks_chosen` more with two banks
        and LOOKED_UP more with maps, then from the row of its tap. And what enters a sum: it, or both of a
        pair.

        Args:
            channel: its number, in pairs that among the channels of the first bank.
            measuring, firing: the channel is measured; it fires.
        """
        unit, index, op = self._unit, self._index, self._op
        none: Value = Const(0)
        if index.present:
            # the channel within a tap; every sweep goes through the taps of the row and back to the first
            within, channel_1 = Signal.like(op.channels, name="within"), Signal.like(unit.stream_channel)
            with m.If(measuring | firing):
                m.d.sync += within.eq(within + 1)
                with m.If(within + 1 == self.half(op.channels)):
                    back = Mux(channel + 1 == self.half(op.width), op.taps, 0)
                    if self._twice is not None:
                        back = Mux(measuring & self._twice, 1, back)
                    m.d.sync += [within.eq(0), index.address.eq(index.address + 1 - back)]
            none = Signal()
            m.d.sync += [
                channel_1.eq(self._placed(within)),
                unit.stream_channel.eq(channel_1),
                unit.stream_row.eq(Mux(op.taps != 0, index.word.row, row)),
                none.eq((op.taps != 0) & index.word.none),
            ]
        else:
            m.d.comb += [unit.stream_row.eq(row), unit.stream_channel.eq(self._placed(channel))]
        return self._shown(m, none)

    def _placed(self, number: Value) -> Value:
        """Which channel is read."""
        return number if self.pairs is None else Mux(self.pairs, paired_channel(self._config, number), number)

    def _shown(self, m: Module, none: Value) -> tuple[Value, Value]:
        """What the stream shows, see `read`; `none` where what is read now counts as 0."""
        unit, config = self._unit, self._config

        def later(value: Value, name: str) -> Value:
            return registered(m, registered(m, value, name), f"{name}_later")

        absent = later(none, "none") if self._index.present else Const(0)
        first = unit.stream_value
        if self.pairs is None:
            value = Mux(absent, 0, first)
            return value, value
        _, bank = stream_address(config, unit.stream_row, unit.stream_channel)
        upper = later(bank, "bank")
        both = delayed(m, self.pairs, 2 + (LOOKED_UP if self._index.present else 0))
        second = unit.stream_value_1
        lower = registered(m, Mux(~absent & (both | ~upper), first, 0), "lower")
        higher = registered(m, Mux(~absent & (both | upper), second, 0), "higher")
        return lower | higher, lower + higher
