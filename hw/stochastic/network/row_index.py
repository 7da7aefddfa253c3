"""Rows by index: where each row of the source begins that a row of a layer reads."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory

from golden.stochastic.network_config import StochasticNetworkConfig
from golden.widths import index_width
from hw.network.load_bus import pick
from hw.stochastic.network import payloads


class RowIndex:
    """Adds to the issue of spikes a list of rows, and two stages that look them up; nothing without maps.

    A word of a layer that reads by index stands where its tap says that the row begins, and behind it as many
    words as time steps before and words of the tap before make up.

    Args:
        config: of the core.
        op: register of the layer.
    """

    def __init__(self, config: StochasticNetworkConfig, op: data.View) -> None:
        self._config, self._op = config, op
        places, words = index_width(config.maps), index_width(config.spikes)
        # the tap, and the first one of the row; words behind where the row begins, at this step and now
        self._place, self._row = Signal(places, name="tap"), Signal(places, name="row_taps")
        self._step, self._offset = Signal(words, name="step_words"), Signal(words, name="tap_offset")
        self._left = Signal.like(op.tap_words, name="tap_words_left")

    def begin(self, m: Module, layer: data.View) -> None:
        """The first word of a layer."""
        if self._config.maps:
            m.d.sync += [
                self._place.eq(layer.map), self._row.eq(layer.map), self._step.eq(0), self._offset.eq(0),
                self._left.eq(layer.tap_words),
            ]  # fmt: skip

    def advance(self, m: Module, last_word: Value, last_step: Value, last_row: Value) -> None:
        """The word after; said of the one before, whether a step, a row, or all rows end with it."""
        if not self._config.maps:
            return
        op, place, row, step, offset = self._op, self._place, self._row, self._step, self._offset
        following = place + 1
        m.d.sync += [offset.eq(offset + 1), self._left.eq(self._left - 1)]
        with m.If(self._left == 1):
            m.d.sync += [self._left.eq(op.tap_words), place.eq(following), offset.eq(step)]
        with m.If(last_word):
            m.d.sync += [part.eq(step + op.tap_words) for part in (step, offset)]
            m.d.sync += place.eq(row)
        with m.If(last_step):
            m.d.sync += [part.eq(following) for part in (place, row)]
            m.d.sync += [part.eq(0) for part in (step, offset)]
        with m.If(last_row):
            m.d.sync += [part.eq(op.map) for part in (place, row)]

    def look_up(
        self, m: Module, load: data.View, strobe: Value, asked: data.View, walking: Value, move: Value,
        address: Value,
    ) -> tuple[data.View, Signal, Value, Value]:  # fmt: skip
        """The stages: what is asked, two words later, with the address of its word. One reads the list, which
        a block RAM shows late in the cycle, one adds what lies behind where the row begins.

        Args:
            load, strobe: words of the list.
            asked, walking: the word that the counters are at, and whether there is one.
            move: stages hand on.
            address: of the word where it is not read by index.

        Returns:
            (word, whether there is one, its address; whether there is one in either stage).
        """
        op = self._op
        m.submodules.maps = maps = Memory(
            shape=payloads.map_word(self._config), depth=self._config.maps, init=[]
        )
        pick(m, maps.write_port(), load, strobe)
        read = maps.read_port()
        kept, wanted = Signal.like(asked, name="looked_up"), Signal.like(asked, name="wanted")
        valid, wanted_valid = Signal(name="looked_up_valid"), Signal(name="wanted_valid")
        direct, found = Signal.like(address, name="direct"), Signal.like(address, name="wanted_address")
        offset = Signal.like(self._offset, name="offset_now")
        m.d.comb += [read.addr.eq(self._place), read.en.eq(move)]
        with m.If(move):
            m.d.sync += [
                kept.eq(asked), valid.eq(walking), direct.eq(address), offset.eq(self._offset),
                wanted.eq(kept), wanted_valid.eq(valid),
                wanted.active.eq(kept.active & (~op.indexed | read.data.there)),
                found.eq(Mux(op.indexed, read.data.address + offset, direct)),
            ]  # fmt: skip
        return wanted, wanted_valid, found, valid | wanted_valid
