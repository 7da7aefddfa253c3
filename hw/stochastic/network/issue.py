"""Runs the list of layers: reads words of spikes, and sends the lanes one or two spikes after the other."""

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

    A step begins with the biases. Pixels enter as bit planes, the highest first: a step for each plane, which
    doubles the sum, the first with the biases; the last fires, then the other time steps, in which the sum
    stays and fires.

    Of a word the lowest spike leaves each cycle, with two ports of the weight memory the highest too. The
    bias takes the place of a spike. While spikes of a word leave, words without any behind it are passed
    over, as many as there are cycles between its first spikes and its last.

    Members:
        i_load, i_write: words of the descriptors; i_write_maps: of the rows by index, if there are any.
        begin: an image is there; start with the first layer.
        address, enable, word: spike memory, one cycle later.
        o: to the lanes.
        op: the layer.
        start: its spikes are in memory, and it wants attention or scores; done: that is over.
        finished: the last layer is.
        weights_ready, weights_take, weights_free: where weights are streamed, as of
            `hw.stochastic.network.weight_loader.WeightLoader`.

    Timing: as many inputs per cycle as ports, the bias one of them; a word takes a cycle at least unless it
    is passed over. Three cycles from word to word beside that are hidden, with rows by index five. See
    `sim.timing.stochastic_network`. Where weights are streamed a pass begins when the one before has sent its
    last word.
    """

    # cycles from a beat at `o` to where its spikes can be read
    settle = NeuronLanes.latency + 1

    def __init__(self, config: StochasticNetworkConfig) -> None:
        self._config = config
        streamed = {"weights_ready": In(1), "weights_take": Out(1), "weights_free": Out(1)}
        super().__init__(
            ({"i_write_maps": In(1)} if config.maps else {})
            | (streamed if config.weight_stream else {})
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
        # Stages hand words on: `asked` is the word whose row the counters are at, `wanted` the one whose
        # address stands at the memory, `found` the one that it shows, `ready` one that has been seen to hold
        # spikes or none, `current` that whose spikes leave. Without rows by index what is asked is wanted.
        m = Module()
        m.submodules.ops = ops = Memory(
            shape=struct(LayerOp, self._config), depth=self._config.layers, init=[]
        )
        pick(m, ops.write_port(), self.i_load, self.i_write)
        op = Signal.like(self.op, name="layer")
        fetch = DescriptorFetch(m, ops.read_port(), op)
        m.d.comb += self.op.eq(op)

        walking, ends, move = Signal(), Signal(), Signal()
        asked, found, ready, current = (
            Signal(payloads.word(self._config), name=name) for name in ("asked", "found", "ready", "current")
        )
        found_valid, ready_valid, ready_idle, current_valid = Signal(), Signal(), Signal(), Signal()
        free, done = Signal(), Signal()
        shown, unsent, left = (Signal(self._config.lanes, name=name) for name in ("shown", "unsent", "left"))
        index = RowIndex(self._config, op)
        begin_walk, address, passes = self._walk(m, op, asked, walking & move, ends, index)
        wanted, wanted_valid, looked_up = asked, walking, walking
        if self._config.maps:
            wanted, wanted_valid, address, looked_up = index.look_up(
                m, self.i_load, self.i_write_maps, asked, walking, move, address
            )
        m.d.comb += self.address.eq(address)
        more = self._send(m, current, current_valid, left, done)
        m.d.comb += [
            done.eq(more == 0),
            free.eq(~current_valid | done),
            move.eq(~ready_valid | ready_idle | free),
            self.enable.eq(move),
            shown.eq(Mux(found.active, self.word.as_value(), 0)),
        ]
        with m.If(move):
            m.d.sync += [
                found.eq(wanted),
                found_valid.eq(wanted_valid),
                ready.eq(found),
                ready_valid.eq(found_valid),
                ready_idle.eq((shown == 0) & (found.base == Base.SUM) & ~found.bias & ~found.fire),
                unsent.eq(shown),
            ]
        with m.If(free):
            m.d.sync += [current.eq(ready), current_valid.eq(ready_valid & ~ready_idle), left.eq(unsent)]
        with m.Else():
            m.d.sync += [left.eq(more), current.bias.eq(0), current.base.eq(Base.SUM)]

        streamed = self._config.weight_stream > 0
        empty = ~looked_up & ~found_valid & ~ready_valid & ~current_valid
        settled = Signal(range(self.settle + 1))
        with m.FSM():
            with fetch.states(m, self.begin) as following:
                begin_walk(following)
                m.d.sync += settled.eq(0)
                m.next = "WEIGHTS" if streamed else "WALK"
            if streamed:
                with m.State("WEIGHTS"), m.If(self.weights_ready):
                    m.d.comb += self.weights_take.eq(1)
                    m.next = "WALK"
            with m.State("WALK"):
                m.d.comb += walking.eq(1)
                with m.If(move & ends):
                    m.next = "DRAIN" if streamed else "SETTLE"
            if streamed:
                with m.State("DRAIN"), m.If(empty):
                    m.d.comb += self.weights_free.eq(1)
                    m.next = "WEIGHTS"
                    with m.If(passes == 0):
                        m.next = "SETTLE"
            with m.State("SETTLE"):
                with m.If(empty):
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
    ) -> tuple[Callable[[data.View], None], Value, Value]:
        """The counters of the loops: `wanted` is the word to be read, where `ends` is high the last of the
        layer, of the pass where weights are streamed.

        Returns:
            What starts them, given a layer; the address of the word where rows are read in their order; the
            passes from the current one on.
        """
        streamed = self._config.weight_stream > 0
        words, passes, steps = (Signal.like(op[n], name=f"{n}_left") for n in ("words", "passes", "steps"))
        rows = Signal.like(op.rows, name="rows_left")
        lead = Signal(range(PLANES))  # steps before the first that fires
        first, fresh = Signal(), Signal()  # of the step; of the layer
        address, weight, pass_weight, bias, place, pass_place = (
            Signal.like(like, name=name)
            for name, like in (
                ("read", self.address), ("weight", wanted.weight_address),
                ("pass_weight", wanted.weight_address), ("bias", op.bias),
                ("place", self.o.place), ("pass_place", self.o.place),
            )
        )  # fmt: skip
        entry, opens, held, last_word, last_step, last_row = (
            Signal(name=name) for name in ("entry", "opens", "held", "last_word", "last_step", "last_row")
        )
        m.d.comb += [
            entry.eq(op.kind == Kind.entry),
            opens.eq(lead == PLANES - 1),
            held.eq(entry & (lead == 0) & (steps != op.steps)),
            wanted.active.eq(~held),
            last_word.eq(~wanted.active | (words == 1)),
            last_step.eq(last_word & (lead == 0) & (steps == 1)),
            last_row.eq(last_step & (rows == 1)),
            ends.eq(last_row if streamed else last_row & (passes == 1)),
            wanted.bias.eq(first & (~entry | opens)),
            wanted.fire.eq(last_word & (lead == 0)),
            wanted.rest.eq(last_step),
            wanted.weight_address.eq(weight),
            wanted.bias_address.eq(bias),
            wanted.place.eq(place),
        ]
        with m.If(first & ~held), m.Switch(op.kind):
            with m.Case(Kind.spikes):
                m.d.comb += wanted.base.eq(Base.ZERO)
            with m.Case(Kind.entry):
                m.d.comb += wanted.base.eq(Mux(opens, Base.ZERO, Base.DOUBLE))
            with m.Case(Kind.stream):
                m.d.comb += wanted.base.eq(Base.STREAM)
            with m.Case(Kind.scores):
                m.d.comb += wanted.base.eq(Mux(fresh, Base.ZERO, Base.SUM))

        def begin_row(layer: data.View) -> None:
            m.d.sync += [steps.eq(layer.steps), lead.eq(Mux(layer.kind == Kind.entry, PLANES - 1, 0))]

        def begin(layer: data.View) -> None:
            begin_row(layer)
            first_weight = 0 if streamed else layer.weight
            m.d.sync += [
                words.eq(layer.words), rows.eq(layer.rows), passes.eq(layer.passes),
                address.eq(layer.source), weight.eq(first_weight), pass_weight.eq(first_weight),
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
                next_weight = 0 if streamed else pass_weight + op.inputs
                m.d.sync += [
                    rows.eq(op.rows), passes.eq(passes - 1), address.eq(op.source),
                    weight.eq(next_weight), pass_weight.eq(next_weight),
                    place.eq(pass_place + 1), pass_place.eq(pass_place + 1),
                ]  # fmt: skip
        return begin, address, passes

    def _send(self, m: Module, beat: data.View, valid: Signal, left: Signal, done: Signal) -> Value:
        """The spikes of a word that leave, or the bias: their numbers, a cycle later their addresses.

        Returns:
            The spikes that remain.
        """
        ports = self._config.weight_ports
        # the last port is the bias's; two find the same spike where there is one
        lowest = _lowest(left)
        chosen = [lowest, _mirrored(_lowest(_mirrored(left)))][:ports]
        wanted = [left != 0, (left ^ lowest) != 0][:ports]
        remaining: Value = left
        for port, one in enumerate(chosen):
            remaining &= ~one | beat.bias.replicate(len(left)) if port == ports - 1 else ~one
        sent = Signal(payloads.beat(self._config), name="sent")
        first = Signal(index_width(self._config.weights), name="first_weight")
        for name in ("base", "bias", "rest", "bias_address", "place"):
            m.d.sync += sent[name].eq(beat[name])
        m.d.sync += [
            first.eq(beat.weight_address),
            sent.fire.eq(valid & done & beat.fire),
            sent.active.eq(
                Cat(valid & one & (~beat.bias | (port < ports - 1)) for port, one in enumerate(wanted))
            ),
            self.o.eq(sent),
        ]
        for port, one in enumerate(chosen):
            number = Signal(index_width(self._config.lanes), name=f"number_{port}")
            m.d.sync += [
                *[
                    number[place].eq(Cat(one[n] for n in range(len(left)) if n >> place & 1).any())
                    for place in range(len(number))
                ],
                self.o.weight_address[port].eq(first + number),
            ]
        with m.If(~valid):
            m.d.sync += [sent.bias.eq(0), sent.base.eq(Base.SUM)]
        return remaining


def _lowest(word: Value) -> Value:
    return (word & -word)[: len(word)]


def _mirrored(word: Value) -> Value:
    return Cat(*reversed(word))
