"""Leaky integrate-and-fire neurons: accumulate, leak, compare, reset."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.stochastic.descriptors import Kind
from golden.stochastic.network import THRESHOLD
from golden.stochastic.network_config import PLANES, WEIGHT_BITS, StochasticNetworkConfig
from golden.widths import index_width
from hw.network.load_bus import pick
from hw.parts.memory import LUT_RAM, NO_COLLISION
from hw.stochastic.network import payloads
from hw.stochastic.network.payloads import HALVES, Base


class NeuronLanes(wiring.Component):
    """`lanes` neurons, their weights and biases, and the residual stream.

    In each time step inputs add up to the current x; then v <- v - floor(v / 2) + x, a spike where v reaches
    the threshold, v <- 0 where it spiked (Stochastic Spiking Attention, section II). Steps of a row follow
    each other, so that v stays in the lane.

    Members:
        i: inputs, as many per cycle as ports; i_load, strobes i_write_weights, i_write_biases: words of the
            memories.
        i_weights, with a strobe per half: where weights are streamed, those of an input; half: that the
            inputs at `i` read, the other may be written.
        kind, target, begins: of the layer; stay until its last spikes have left.
        o: words of spikes.
        sums: of the inputs, from cycle to cycle.

    Timing: an input is in `sums` 4 cycles after `i`; spikes leave 6 cycles after the input that fires.
    """

    latency = 6

    def __init__(self, config: StochasticNetworkConfig) -> None:
        self._config = config
        streamed = {"i_weights": In(payloads.weight_load(config)), "half": In(1)}
        super().__init__(
            (streamed if config.weight_stream else {})
            | {
                "i": In(payloads.beat(config)),
                "i_load": In(payloads.load(config)),
                "i_write_weights": In(HALVES if config.weight_stream else 1),
                "i_write_biases": In(1),
                "kind": In(Kind),
                "target": In(index_width(config.spikes)),
                "begins": In(1),
                "o": Out(stream.Signature(payloads.spike_write(config), always_ready=True)),
                "sums": Out(payloads.sums(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, lanes = self._config, self._config.lanes
        memories = self._weight_memories(m)
        m.submodules.biases = biases = Memory(
            shape=payloads.bias_word(config), depth=config.biases, init=[],
            attrs=NO_COLLISION | (LUT_RAM if config.bias_store == "distributed" else {}),
        )  # fmt: skip
        m.submodules.stream = held = Memory(shape=payloads.stream_word(config), depth=config.stream, init=[])
        bias, old = biases.read_port(), held.read_port()
        shown = self._weights(m, memories)
        pick(m, biases.write_port(), self.i_load, self.i_write_biases)
        m.d.comb += [
            bias.addr.eq(self.i.bias_address),
            old.addr.eq(self.i.place),
        ]

        # the beat in each stage: read, registered, added, accumulated, current, fired
        beats = [self.i]
        for stage in range(self.latency):
            behind = Signal(payloads.beat(config), name=f"beat_{stage}")
            m.d.sync += behind.eq(beats[-1])
            beats.append(behind)
        _, _, registered, added, _, current, fired = beats

        # block RAM answers late in the cycle and from far, so that its words have a register
        weights_now = [
            Signal(payloads.weight_word(config), name=f"weight_now_{port}", reset_less=True)
            for port in range(config.weight_ports)
        ]
        bias_now = Signal(payloads.bias_word(config), reset_less=True)
        old_now = Signal(payloads.stream_word(config), reset_less=True)
        old_added = Signal(payloads.stream_word(config), reset_less=True)
        m.d.sync += [
            *[now.eq(word) for now, word in zip(weights_now, shown, strict=True)],
            bias_now.eq(bias.data), old_now.eq(old.data), old_added.eq(old_now),
        ]  # fmt: skip
        write = held.write_port()
        m.d.comb += [
            write.addr.eq(current.place),
            write.en.eq(current.fire & (self.begins | (self.kind == Kind.stream))),
            self.o.valid.eq(fired.fire & (self.kind != Kind.scores)),
            self.o.payload.address.eq(fired.place + self.target),
        ]
        input_bits = max(config.bias_bits, WEIGHT_BITS) + config.weight_ports - 1
        for lane in range(lanes):
            addend = Signal(signed(input_bits), name=f"addend_{lane}", reset_less=True)
            total = Signal(signed(config.accumulator_bits), name=f"sum_{lane}", reset_less=True)
            base = Signal.like(total, name=f"base_{lane}")
            *weights, last = [
                Mux(registered.active[port], now[lane], 0) for port, now in enumerate(weights_now)
            ]
            m.d.sync += addend.eq(sum(weights, Mux(registered.bias, bias_now[lane], last)))
            with m.Switch(added.base):
                with m.Case(Base.SUM):
                    m.d.comb += base.eq(total)
                with m.Case(Base.STREAM):
                    m.d.comb += base.eq(old_added[lane])
                with m.Case(Base.DOUBLE):
                    m.d.comb += base.eq(total << 1)
            m.d.sync += total.eq(base + addend)

            # the current of pixels has eight bits of fraction
            x = Signal(signed(config.stream_bits), name=f"current_{lane}", reset_less=True)
            m.d.sync += x.eq(Mux(self.kind == Kind.entry, total >> PLANES, total))
            v = Signal(signed(config.potential_bits), name=f"potential_{lane}")
            risen, spike = Signal.like(v, name=f"risen_{lane}"), Signal(name=f"spike_{lane}")
            m.d.comb += [
                # v - floor(v / 2) is the half rounded up; the bit below x makes that a carry
                risen.eq((v + Cat(v[0], x).as_signed()) >> 1),
                # the threshold is a power of two: any bit from it on, of a number that is not negative
                spike.eq(~risen[-1] & risen[THRESHOLD.bit_length() - 1 : -1].any()),
            ]
            with m.If(current.fire):
                m.d.sync += [v.eq(risen), self.o.payload.spikes[lane].eq(spike)]
                with m.If(spike | current.rest):
                    m.d.sync += v.eq(0)
            m.d.comb += [write.data[lane].eq(x), self.sums[lane].eq(total)]
        return m

    def _weight_memories(self, m: Module) -> list[Memory]:
        """The memory of the weights, or its halves."""
        config = self._config
        names = [f"weights_{half}" for half in range(HALVES)] if config.weight_stream else ["weights"]
        memories = []
        for name in names:
            m.submodules[name] = memory = Memory(
                shape=payloads.weight_word(config), depth=config.weights, init=[], attrs=NO_COLLISION
            )
            memories.append(memory)
        return memories

    def _weights(self, m: Module, memories: list[Memory]) -> list[Value]:
        """What the ports of the weights show, a cycle after the addresses of the inputs."""
        source = self.i_weights if self._config.weight_stream else self.i_load
        shown = []
        for memory, strobe in zip(memories, self.i_write_weights, strict=True):
            reads = [memory.read_port() for _ in range(self._config.weight_ports)]
            load = memory.write_port()
            # a block RAM has two ports at most: words are loaded at the first one that reads
            loaded = Signal.like(load.addr, name="loaded")
            m.d.comb += [
                loaded.eq(Mux(strobe, source.address, self.i.weight_address[0])),
                load.addr.eq(loaded),
                load.data.eq(Value.cast(source.data)),
                load.en.eq(strobe),
                *[read.addr.eq(self.i.weight_address[port]) for port, read in enumerate(reads) if port],
                reads[0].addr.eq(loaded),
            ]
            shown.append([Value.cast(read.data) for read in reads])
        if len(shown) == 1:
            return shown[0]
        read_half = Signal()
        m.d.sync += read_half.eq(self.half)
        return [Mux(read_half, second, first) for first, second in zip(*shown, strict=True)]
