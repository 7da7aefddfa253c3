"""Attention of a network: words of queries, keys and values to the engine, spikes back into words."""

from amaranth.hdl import Array, Cat, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.stochastic.descriptors import HeadsOp
from golden.stochastic.network_config import StochasticNetworkConfig
from golden.widths import index_width
from hw.parts.payloads import struct
from hw.stochastic.core import StochasticAttention
from hw.stochastic.network import payloads


class AttentionUnit(wiring.Component):
    """Runs the heads of a block through the attention engine, head by head, in each the time steps.

    The words of a head and time step are read one after the other, those of queries, keys and values of all
    rows, then its features go to the engine; what it delivers is written a word per row. So the engine is
    never held up, and neither are the writes.

    Members:
        op: of the heads; start: of a block; done: all its spikes have been written.
        restart: the generators of the engine go back to the seed.
        address, word: spike memory, one cycle later.
        o: words of spikes.

    Timing: a head and time step takes 3 * tokens + 1 + head_dim cycles.
    """

    def __init__(self, config: StochasticNetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "op": In(struct(HeadsOp, config)),
                "start": In(1),
                "done": Out(1),
                "restart": In(1),
                "address": Out(index_width(config.spikes)),
                "word": In(payloads.spikes(config)),
                "o": Out(stream.Signature(payloads.spike_write(config), always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        engine = StochasticAttention(self._config.engine)
        m.submodules.engine = ResetInserter(self.restart)(engine)
        self._feed(m, engine)
        self._collect(m, engine)
        return m

    def _feed(self, m: Module, engine: StochasticAttention) -> None:
        config, op = self._config, self.op
        tokens, d = config.tokens, config.head_dim
        places = (config.lanes - 1).bit_length()
        steps, heads = Signal.like(op.steps, name="steps_left"), Signal.like(op.heads, name="heads_left")
        # features before those that are read: of the head, and of it in queries, keys or values
        head, feature = Signal.like(op.width, name="head"), Signal(len(op.width) + 2)
        step_address, row_address = Signal.like(self.address), Signal.like(self.address)
        row, part, column = Signal(range(tokens)), Signal(range(3)), Signal(range(d))
        m.d.comb += self.address.eq(row_address + (feature >> places))

        # what is read arrives in the cycle after
        arrives, kept = Signal(), Signal(range(3 * tokens))
        place = Signal(max(1, places))
        m.d.sync += place.eq(feature[:places] if places else 0)
        features = Signal(d)
        m.d.comb += features.eq(self.word.as_value().word_select(place >> (d - 1).bit_length(), d))
        words = [Signal(d, name=f"{name}_{n}") for name in "qkv" for n in range(tokens)]
        with m.If(arrives):
            m.d.sync += kept.eq(kept + 1)
            with m.Switch(kept):
                for n, word in enumerate(words):
                    with m.Case(n):
                        m.d.sync += word.eq(features)
        m.d.comb += [
            engine.i.payload.q.eq(Cat(word[0] for word in words[:tokens])),
            engine.i.payload.k.eq(Cat(word[0] for word in words[tokens : 2 * tokens])),
            engine.i.payload.v.eq(Cat(word[0] for word in words[2 * tokens :])),
        ]

        def begin_slot(address: Signal, first: Signal) -> None:
            """Read the features from `first` on of a time step."""
            m.d.sync += [
                step_address.eq(address), row_address.eq(address), feature.eq(first), row.eq(0), part.eq(0),
                kept.eq(0),
            ]  # fmt: skip
            m.next = "READ"

        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [heads.eq(op.heads), steps.eq(op.steps), head.eq(0)]
                begin_slot(op.source, 0)
            with m.State("READ"):
                m.d.sync += [arrives.eq(1), row.eq(row + 1), row_address.eq(row_address + op.source_span)]
                with m.If(row == tokens - 1):
                    m.d.sync += [row.eq(0), row_address.eq(step_address)]
                    m.d.sync += [part.eq(part + 1), feature.eq(feature + op.width)]
                    with m.If(part == 2):
                        m.next = "LAST"
            with m.State("LAST"):
                m.d.sync += arrives.eq(0)
                m.next = "FEED"
            with m.State("FEED"):
                m.d.comb += engine.i.valid.eq(1)
                with m.If(engine.i.ready):
                    m.d.sync += [word.eq(word >> 1) for word in words]
                    m.d.sync += column.eq(column + 1)
                    with m.If(column == d - 1):
                        m.d.sync += [column.eq(0), steps.eq(steps - 1)]
                        begin_slot(step_address + op.words, head)
                        with m.If(steps == 1):
                            m.d.sync += [steps.eq(op.steps), heads.eq(heads - 1), head.eq(head + d)]
                            begin_slot(op.source, head + d)
                            with m.If(heads == 1):
                                m.next = "IDLE"

    def _collect(self, m: Module, engine: StochasticAttention) -> None:
        config, op = self._config, self.op
        tokens, d = config.tokens, config.head_dim
        steps, heads = Signal.like(op.steps, name="steps_out"), Signal.like(op.heads, name="heads_out")
        head_address, step_address, address = (
            Signal.like(self.address, name=name) for name in ("head_out", "step_out", "row_out")
        )
        words = Array(Signal(d, name=f"out_{n}") for n in range(tokens))
        column, row, writing = Signal(range(d)), Signal(range(tokens)), Signal()
        m.d.comb += [
            engine.o.ready.eq(1),
            self.o.valid.eq(writing),
            self.o.payload.address.eq(address),
            self.o.payload.spikes.eq(words[row]),
        ]
        with m.If(self.start):
            m.d.sync += [heads.eq(op.heads), steps.eq(op.steps)]
            m.d.sync += [part.eq(op.target) for part in (head_address, step_address, address)]
        with m.If(engine.o.valid):
            m.d.sync += [word.eq(Cat(word[1:], engine.o.payload[n])) for n, word in enumerate(words)]
            m.d.sync += column.eq(column + 1)
            with m.If(column == d - 1):
                m.d.sync += [column.eq(0), writing.eq(1)]
        with m.If(writing):
            m.d.sync += [row.eq(row + 1), address.eq(address + op.target_span)]
            with m.If(row == tokens - 1):
                m.d.sync += [row.eq(0), writing.eq(0), steps.eq(steps - 1)]
                m.d.sync += [part.eq(step_address + op.heads) for part in (step_address, address)]
                with m.If(steps == 1):
                    m.d.sync += [steps.eq(op.steps), heads.eq(heads - 1)]
                    m.d.sync += [part.eq(head_address + 1) for part in (head_address, step_address, address)]
                    m.d.comb += self.done.eq(heads == 1)
