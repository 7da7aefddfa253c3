"""Streams rows of context out, and codes them again with a threshold that carries the normaliser."""

from itertools import pairwise

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from golden.attention.key_serial import KeySerialConfig
from hw.attention import payloads
from hw.attention.output_threshold import threshold_beat
from hw.attention.phase_encoder import fire
from hw.integer.context_rows import value_beat

# From the value of a code to the code
STAGES = 3


class Output(wiring.Component):
    """Output neuron behind a stream of context values.

    Members:
        i: threshold levels of each row, where there are codes.
        i_normaliser: of each row, where there is a context.
        i_value: context values.
        release: a row has left.
        o_code, o_context: as `CoreConfig.output` says.

    Timing: one value per cycle; a row takes features (codes alone) or features + 1 cycles. A context value
    leaves two cycles after its turn, a code five.
    """

    def __init__(self, config: KeySerialConfig) -> None:
        self._config = config
        members = {"i_value": In(stream.Signature(value_beat(config))), "release": Out(1)}
        if config.output != "context":
            members["i"] = In(stream.Signature(threshold_beat(config)))
            members["o_code"] = Out(stream.Signature(payloads.code_beat(config)))
        if config.output != "codes":
            members["i_normaliser"] = In(stream.Signature(config.normaliser_width))
            members["o_context"] = Out(stream.Signature(payloads.context_beat(config)))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        # small queues at the outputs: the pipeline moves when both have room
        advance = Signal()
        rooms = []

        def queue(name: str) -> SyncFIFO:
            port = getattr(self, f"o_{name}")
            m.submodules[f"{name}_queue"] = fifo = SyncFIFO(width=len(port.payload.as_value()), depth=2)
            m.d.comb += [port.payload.eq(fifo.r_data), port.valid.eq(fifo.r_rdy), fifo.r_en.eq(port.ready)]
            rooms.append(fifo.w_rdy)
            return fifo

        first = Signal(init=1)  # the turn is that of the first value of a row
        there, turn, last = Signal(), Signal(), Signal()
        m.d.comb += [
            last.eq(turn & self.i_value.payload.last),
            self.i_value.ready.eq(turn),
            self.release.eq(last),
        ]
        tags = data.StructLayout({"valid": 1, "first": 1, "last": 1})
        stages = [Signal(tags, name=f"tags_{n}") for n in range(STAGES + 1)]
        value = Signal(signed(config.context_width), reset_less=True)
        with m.If(turn):
            m.d.sync += first.eq(last)
        with m.If(advance):
            m.d.sync += [
                stages[0].valid.eq(turn),
                stages[0].first.eq(first),
                stages[0].last.eq(last),
                value.eq(self.i_value.payload.value),
            ]
            m.d.sync += [after.eq(before) for before, after in pairwise(stages)]
        if config.output == "context":
            m.d.comb += there.eq(1)
        else:
            m.d.comb += [there.eq(self.i.valid | ~first), self.i.ready.eq(turn & first)]

        normaliser = 0
        if config.output == "codes":
            m.d.comb += turn.eq(advance & self.i_value.valid & there)
        else:
            # the normaliser goes out in front of the first value
            named = Signal()
            normaliser = Signal()
            m.d.comb += [
                turn.eq(advance & self.i_value.valid & there & (named | ~first)),
                self.i_normaliser.ready.eq(advance & first & ~named),
            ]
            with m.If(advance):
                m.d.sync += normaliser.eq(self.i_normaliser.valid & self.i_normaliser.ready)
            with m.If(self.i_normaliser.valid & self.i_normaliser.ready):
                m.d.sync += [named.eq(1), value.eq(self.i_normaliser.payload)]
            with m.If(turn):
                m.d.sync += named.eq(0)
            fifo = queue("context")
            beat = Signal(payloads.context_beat(config))
            m.d.comb += [
                beat.value.eq(value),
                beat.normaliser.eq(normaliser),
                beat.last.eq(stages[0].last),
                fifo.w_data.eq(beat),
                fifo.w_en.eq(advance & (stages[0].valid | normaliser)),
            ]
        if config.output != "context":
            fifo = queue("code")
            beat = Signal(payloads.code_beat(config))
            coming, levels = (
                Signal.like(self.i.payload.level, name=name, reset_less=True) for name in ("coming", "levels")
            )
            with m.If(turn & first):
                m.d.sync += coming.eq(self.i.payload.level)
            with m.If(advance & stages[0].first):
                m.d.sync += levels.eq(coming)
            fire(m, config, advance, value, levels, beat.spike)
            m.d.comb += [
                beat.last.eq(stages[-1].last),
                fifo.w_data.eq(beat),
                fifo.w_en.eq(advance & stages[-1].valid),
            ]
        m.d.comb += advance.eq(Cat(rooms).all())
        return m
