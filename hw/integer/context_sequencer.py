"""Sends every feature of a head past the weights of a group of keys."""

from amaranth.hdl import Assert, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.integer import payloads
from hw.integer.vector_config import VectorConfig
from hw.integer.weight_sequencer import weight_tags


class ContextSequencer(wiring.Component):
    """One product per feature and group.

    Members:
        i_head: features of each head.
        launch, tags: the weights of a group are complete in the next cycle, when the group before is done.
        o_dot, o_tags: to the vector unit.

    Timing: products begin in the cycle after `launch`.
    """

    def __init__(self, config: VectorConfig) -> None:
        self._address = payloads.value_address(config)
        super().__init__(
            {
                "i_head": In(stream.Signature(payloads.head_part(config, "features"))),
                "launch": In(1),
                "tags": In(weight_tags()),
                "o_dot": Out(payloads.dot_command(self._address.size)),
                "o_tags": Out(payloads.context_tags()),
            }
        )
        self._config = config

    def elaborate(self, platform: object) -> Module:
        m = Module()
        place = Signal(self._address)
        left = Signal.like(self.i_head.payload.features, reset_less=True)
        tags = Signal(weight_tags(), reset_less=True)
        running, last = Signal(), Signal()
        m.d.comb += [
            last.eq(running & (left == 1)),
            # the next head is launched when its weights are there: its descriptor is, by then
            self.i_head.ready.eq(self.launch & self.tags.final & self.tags.release),
            self.o_dot.address.eq(place),
            self.o_tags.valid.eq(running),
            self.o_tags.first.eq(tags.first),
            self.o_tags.final.eq(tags.final),
            self.o_tags.last.eq(last),
            self.o_tags.release.eq(tags.final & tags.release),
        ]
        m.d.sync += self.o_dot.take.eq(self.launch)
        with m.If(running):
            m.d.sync += [left.eq(left - 1), place.feature.eq(place.feature + 1)]
        with m.If(last):
            m.d.sync += [running.eq(0), place.feature.eq(0), place.group.eq(place.group + 1)]
            with m.If(tags.final):
                m.d.sync += place.group.eq(0)
                with m.If(tags.release):
                    m.d.sync += place.bank.eq(~place.bank)
        with m.If(self.launch):
            m.d.sync += [running.eq(1), left.eq(self.i_head.payload.features), tags.eq(self.tags)]
        if self._config.taps:
            m.d.sync += Assert(
                ~self.launch | ~running | last, "a group is done when the next one is launched"
            )
        return m
