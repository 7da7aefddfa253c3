"""Runs the list of layers: reads words of spikes, and sends the lanes one spike after the other."""

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.stochastic.descriptors import Kind, LayerOp
from golden.stochastic.network_config import PLANES, StochasticNetworkConfig
from golden.widths import index_width
from hw.network.load_bus import pick
from hw.parts.descriptors import DescriptorFetch
from hw.parts.payloads import struct
from hw.stochastic.network import payloads
from hw.stochastic.network.lanes import NeuronLanes
from hw.stochastic.network.payloads import Base
from hw.stochastic.network.row_index import RowIndex


class SpikeIssue(wiring.Component):
    """Layer, pass of as many outputs as lanes, row, time step, word, spike: the loops of a network.

    A step begins with the biases. Pixels enter as bit planes, the highest first: a step for the biases, one
    for each plane, which doubles the sum, then the time steps, in which the sum stays and fires.

    Members:
        i_load, i_write: words of the descriptors; i_write_maps: of the rows by index, if there are any.
        begin: an image is there; start with the first layer.
        address, enable, word: spike memory, one cycle later.
        o: to the lanes.
        op: the layer.
        start: its spikes are in memory, and it wants attention or scores; done: that is over.
        finished: the last layer is.

    Timing: one input per cycle; a word takes as many cycles as it holds spikes (with the biases one more), at
    least one, also where a row by index is none. Two cycles from word to word beside that are hidden, with
    rows by index three. See `sim.timing.stochastic_network`.
    """

    # cycles from a beat at `o` to where its spikes can be read
    settle = NeuronLanes.latency + 1

    def __init__(self, config: StochasticNetworkConfig) -> None:
        self._config = config
        super().__init__(
            ({"i_write_maps": In(1)} if config.maps else {})
            | {
                "i_load": In(payloads.load(config)),
                "i_write": In(1),
                "begin": In(1),
                "address": Out(index_width(config.spikes)),
                "enable": Out(1),
                "word": In(payloads.spikes(config)),
                "o": Out(payloads.beat(config)),
                "op": Out(struct(LayerOp, config)),
                "start": Out(1),
                "done": In(1),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # Stages hand words on, as the beats that they begin with: `asked` is the word whose row the
        # counters are at, `wanted` the one whose address stands at the memory, `found` the one that it
        # shows, `current` that whose spikes leave. Without rows by index what is asked is wanted.
        m = Module()
        m.submodules.ops = ops = Memory(
            shape=struct(LayerOp, self._config), depth=self._config.layers, init=[]
        )
        pick(m, ops.write_port(), self.i_load, self.i_write)
        op = Signal.like(self.op, name="layer")
        fetch = DescriptorFetch(m, ops.read_port(), op)
        m.d.comb += self.op.eq(op)

        walking, ends, move = Signal(), Signal(), Signal()
        asked, found, current = (Signal.like(self.o, name=name) for name in ("asked", "found", "current"))
        found_valid, current_valid, done = Signal(), Signal(), Signal()
        left = Signal(self._config.lanes)
        index = RowIndex(self._config, op)
        begin_walk, address = self._walk(m, op, asked, walking & move, ends, index)
        wanted, wanted_valid = asked, walking
        if self._config.maps:
            wanted, wanted_valid, address = index.look_up(
                m, self.i_load, self.i_write_maps, asked, walking, move, address
            )
        m.d.comb += self.address.eq(address)
        more = Mux(current.bias, left, left & (left - 1))
        m.d.comb += [
            done.eq(more == 0),
            move.eq(~found_valid | ~current_valid | done),
            self.enable.eq(move),
        ]
        with m.If(move):
            m.d.sync += [found.eq(wanted), found_valid.eq(wanted_valid)]
        with m.If(~current_valid | done):
            m.d.sync += [
                current.eq(found),
                current_valid.eq(found_valid),
                left.eq(Mux(found.active, self.word.as_value(), 0)),
            ]
        with m.Else():
            m.d.sync += [left.eq(more), current.bias.eq(0), current.base.eq(Base.SUM)]
        self._send(m, current, current_valid, left, done)

        settled = Signal(range(self.settle + 1))
        with m.FSM():
            with fetch.states(m, self.begin) as following:
                begin_walk(following)
                m.d.sync += settled.eq(0)
                m.next = "WALK"
            with m.State("WALK"):
                m.d.comb += walking.eq(1)
                with m.If(move & ends):
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                with m.If(~wanted_valid & ~found_valid & ~current_valid):
                    m.d.sync += settled.eq(settled + 1)
                with m.If(settled == self.settle):
                    fetch.step(m)
                    with m.If(op.attend | (op.kind == Kind.scores)):
                        m.d.comb += self.start.eq(1)
                        m.next = "WAIT"
                    with m.Else():
                        fetch.following(m)
            with m.State("WAIT"), m.If(self.done):
                fetch.following(m)
                m.d.comb += self.finished.eq(op.final)
        return m

    def _walk(
        self, m: Module, op: data.View, wanted: data.View, advance: Value, ends: Signal, index: RowIndex
    ) -> tuple[Callable[[data.View], None], Value]:
        """The counters of the loops: `wanted` is the word to be read, the last where `ends` is high.

        Returns:
            What starts them, given a layer, and the address of the word where rows are read in their order.
        """
        words, passes, steps = (Signal.like(op[n], name=f"{n}_left") for n in ("words", "passes", "steps"))
        rows = Signal.like(op.rows, name="rows_left")
        lead = Signal(range(PLANES + 1))  # steps before the first that fires
        first, fresh = Signal(), Signal()  # of the step; of the layer
        address, weight, pass_weight, bias, place, pass_place = (
            Signal.like(like, name=name)
            for name, like in (
                ("read", self.address), ("weight", op.weight), ("pass_weight", op.weight), ("bias", op.bias),
                ("place", self.o.place), ("pass_place", self.o.place),
            )
        )  # fmt: skip
        entry, biased, held, last_word, last_step, last_row = (
            Signal(name=name) for name in ("entry", "biased", "held", "last_word", "last_step", "last_row")
        )
        m.d.comb += [
            entry.eq(op.kind == Kind.entry),
            biased.eq(lead == PLANES),
            held.eq(entry & (lead == 0) & (steps != op.steps)),
            wanted.active.eq(~biased & ~held),
            last_word.eq(~wanted.active | (words == 1)),
            last_step.eq(last_word & (lead == 0) & (steps == 1)),
            last_row.eq(last_step & (rows == 1)),
            ends.eq(last_row & (passes == 1)),
            wanted.half.eq(lead == PLANES - 1),
            wanted.bias.eq(first & (~entry | biased)),
            wanted.fire.eq(last_word & (lead == 0) & (op.kind != Kind.scores)),
            wanted.rest.eq(last_step),
            wanted.weight_address.eq(weight),
            wanted.bias_address.eq(bias),
            wanted.place.eq(place),
        ]
        with m.If(first & ~held), m.Switch(op.kind):
            with m.Case(Kind.spikes):
                m.d.comb += wanted.base.eq(Base.ZERO)
            with m.Case(Kind.entry):
                m.d.comb += wanted.base.eq(Mux(biased, Base.ZERO, Base.DOUBLE))
            with m.Case(Kind.stream):
                m.d.comb += wanted.base.eq(Base.STREAM)
            with m.Case(Kind.scores):
                m.d.comb += wanted.base.eq(Mux(fresh, Base.ZERO, Base.SUM))

        def begin_row(layer: data.View) -> None:
            m.d.sync += [steps.eq(layer.steps), lead.eq(Mux(layer.kind == Kind.entry, PLANES, 0))]

        def begin(layer: data.View) -> None:
            begin_row(layer)
            m.d.sync += [
                words.eq(layer.words), rows.eq(layer.rows), passes.eq(layer.passes),
                address.eq(layer.source), weight.eq(layer.weight), pass_weight.eq(layer.weight),
                bias.eq(layer.bias), place.eq(0), pass_place.eq(0), first.eq(1), fresh.eq(1),
            ]  # fmt: skip
            index.begin(m, layer)

        with m.If(advance):
            index.advance(m, last_word, last_step, last_row)
            m.d.sync += [words.eq(words - 1), first.eq(last_word), fresh.eq(0)]
            with m.If(wanted.active):
                m.d.sync += [address.eq(address + 1), weight.eq(weight + op.per_word)]
            with m.If(last_word):
                m.d.sync += [words.eq(op.words), weight.eq(pass_weight)]
                with m.If(lead != 0):
                    m.d.sync += lead.eq(lead - 1)
                with m.Else():
                    m.d.sync += [steps.eq(steps - 1), place.eq(place + op.passes)]
            with m.If(last_step):
                begin_row(op)
                m.d.sync += rows.eq(rows - 1)
                with m.If(op.begins | last_row):
                    m.d.sync += bias.eq(bias + 1)
            with m.If(last_row):
                m.d.sync += [
                    rows.eq(op.rows), passes.eq(passes - 1), address.eq(op.source),
                    weight.eq(pass_weight + op.inputs), pass_weight.eq(pass_weight + op.inputs),
                    place.eq(pass_place + 1), pass_place.eq(pass_place + 1),
                ]  # fmt: skip
        return begin, address

    def _send(self, m: Module, beat: data.View, valid: Signal, left: Signal, done: Signal) -> None:
        """The lowest spike of the word, or the bias: its number, a cycle later its address."""
        lowest = left & -left
        number = Signal(index_width(self._config.lanes))
        sent = Signal.like(self.o, name="sent")
        m.d.sync += [
            sent.eq(beat),
            sent.active.eq(valid & ~beat.bias & (left != 0)),
            sent.fire.eq(valid & done & beat.fire),
            *[
                number[place].eq(Cat(lowest[n] for n in range(len(left)) if n >> place & 1).any())
                for place in range(len(number))
            ],
            self.o.eq(sent),
            self.o.weight_address.eq(sent.weight_address + number),
        ]
        with m.If(~valid):
            m.d.sync += [sent.bias.eq(0), sent.base.eq(Base.SUM)]
