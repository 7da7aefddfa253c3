"""Stage 5: streams the context out, and codes it again with a threshold that carries the normaliser."""

from itertools import pairwise
from typing import ClassVar

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.attention.config import CoreConfig
from golden.widths import index_width
from hw.attention import payloads
from hw.attention.output_threshold import threshold_beat
from hw.parts.compare import above


class PhaseEncoder(wiring.Component):
    """Output neuron: fires at the first phase whose threshold the context reaches.

    |U| << (16 + o) >= S * RATIO[r] for phase p with a*p = o*b + r (`golden.attention.normaliser`). The
    thresholds of all phases are slices of b numbers, so a value is compared with all at once.

    Members:
        i: threshold levels of each row.
        rows, release, bank, column, enable, value: context buffer.
        o_code, o_context: as `CoreConfig.output` says.

    Timing: one value per cycle; a row takes features (codes alone) or features + 1 cycles and
    starts when it is complete. A code and a context value appear `latency` cycles after their turn.
    """

    latency: ClassVar = {"code": 6, "context": 3}

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        members = {
            "i": In(stream.Signature(threshold_beat(config))),
            "rows": In(range(payloads.ROW_BANKS + 1)),
            "release": Out(1),
            "bank": Out(range(payloads.ROW_BANKS)),
            "column": Out(index_width(config.head_dim + 1)),
            "enable": Out(1),
            "value": In(signed(config.context_width)),
        }
        if config.output != "context":
            members["o_code"] = Out(stream.Signature(payloads.code_beat(config)))
        if config.output != "codes":
            members["o_context"] = Out(stream.Signature(payloads.context_beat(config)))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        first_column = int(config.output == "codes")  # column 0 is the normaliser
        tags = data.StructLayout({"valid": 1, "first": 1, "last": 1, "normaliser": 1})

        # small queues at the outputs: the pipeline moves when both have room
        advance = Signal()
        rooms = []

        def queue(name: str) -> SyncFIFO:
            port = getattr(self, f"o_{name}")
            m.submodules[f"{name}_queue"] = fifo = SyncFIFO(width=len(port.payload.as_value()), depth=2)
            m.d.comb += [
                port.payload.eq(fifo.r_data),
                port.valid.eq(fifo.r_rdy),
                fifo.r_en.eq(port.ready),
            ]
            # one bit of what is never more than two: all registers here wait for it
            rooms.append(~fifo.level[1])
            return fifo

        # turn: one column per cycle
        running, claimed = Signal(), Signal()
        column = Signal(index_width(config.head_dim + 1), init=first_column)
        features = Signal(bits_for(config.head_dim), reset_less=True)
        bank = Signal(range(payloads.ROW_BANKS))
        final = Signal()  # `column` is the last of its row, while one runs
        last, start, take_levels = Signal(), Signal(), Signal()
        m.d.comb += [
            last.eq(running & final),
            self.bank.eq(bank),
            self.column.eq(column),
            self.enable.eq(advance),
            self.release.eq(advance & last),
            self.i.ready.eq(take_levels),
        ]
        with m.If(~running):
            m.d.comb += start.eq(self.i.valid & ~claimed & (self.rows != 0))
        with m.Elif(last):
            m.d.comb += start.eq(self.i.valid & ~claimed & above(self.rows, 1))
        with m.If(advance):
            with m.If(running):
                m.d.sync += column.eq(Mux(last, first_column, column + 1))
                m.d.sync += final.eq(column + 1 == features)
            with m.If(last):
                m.d.sync += bank.eq(bank + 1)
            m.d.sync += running.eq(start | (running & ~last))
            with m.If(start):
                m.d.sync += [features.eq(self.i.payload.features), claimed.eq(1)]
                m.d.sync += final.eq(self.i.payload.features == first_column)
        with m.If(take_levels):
            m.d.sync += claimed.eq(0)

        stages = [Signal(tags, name=f"tags_{n}") for n in range(self.latency["code"] - 1)]
        value = Signal.like(self.value, reset_less=True)
        with m.If(advance):
            m.d.sync += [
                stages[0].valid.eq(running),
                stages[0].first.eq(column == first_column),
                stages[0].last.eq(last),
                stages[0].normaliser.eq(column == 0),
                value.eq(self.value),
            ]
            m.d.sync += [after.eq(before) for before, after in pairwise(stages)]
        m.d.comb += take_levels.eq(advance & stages[1].valid & stages[1].first)

        if config.output != "codes":
            fifo = queue("context")
            beat = Signal(payloads.context_beat(config))
            m.d.comb += [
                beat.value.eq(value),
                beat.normaliser.eq(stages[1].normaliser),
                beat.last.eq(stages[1].last),
                fifo.w_data.eq(beat),
                fifo.w_en.eq(advance & stages[1].valid),
            ]
        if config.output != "context":
            fifo = queue("code")
            beat = Signal(payloads.code_beat(config))
            levels = Signal.like(self.i.payload.level, reset_less=True)
            with m.If(take_levels):
                m.d.sync += levels.eq(self.i.payload.level)
            fire(m, config, advance, value, levels, beat.spike)
            m.d.comb += [
                beat.last.eq(stages[-1].last),
                fifo.w_data.eq(beat),
                fifo.w_en.eq(advance & stages[-1].valid & ~stages[-1].normaliser),
            ]
        m.d.comb += advance.eq(Cat(rooms).all())
        return m


def fire(
    m: Module, config: CoreConfig, advance: Signal, value: Signal, levels: data.View, spike: data.View
) -> None:
    """Magnitude, comparison with all thresholds, phase: one stage each, that move with `advance`.

    Args:
        levels: of the value that was there one stage before.
        spike: what is fired.
    """
    code = config.code
    magnitude = Signal(config.normaliser_width, reset_less=True)
    reached = Signal(code.steps, reset_less=True)
    negative = Signal(3, reset_less=True)
    with m.If(advance):
        m.d.sync += [
            magnitude.eq(Mux(value < 0, -value, value)),
            negative.eq(Cat(value < 0, negative)),
        ]
        for phase in range(code.steps):
            octaves, residue = code.octave(phase)
            # the levels have no fraction
            m.d.sync += reached[phase].eq(
                levels[residue] >> octaves < magnitude
            )  # `>` would cost an equality, too
        m.d.sync += spike.active.eq(reached.any())
        for phase in reversed(range(code.steps)):
            with m.If(reached[phase]):
                m.d.sync += spike.phase.eq(phase)
    m.d.comb += spike.negative.eq(negative[2])
