"""Core for stochastic networks: the bits of an image go in and class scores come out."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.stochastic.descriptors import HeadsOp, Kind
from golden.stochastic.network_config import StochasticNetworkConfig
from golden.widths import index_width
from hw.parts.deep_memory import DeepMemory
from hw.parts.load_reader import PIECE_BITS, LoadReader, stored
from hw.parts.payloads import struct
from hw.stochastic.network import payloads
from hw.stochastic.network.attention import AttentionUnit
from hw.stochastic.network.issue import SpikeIssue
from hw.stochastic.network.lanes import NeuronLanes
from hw.stochastic.network.scores import ScoreReader
from hw.stochastic.network.weight_loader import WeightLoader


class StochasticNetworkCore(wiring.Component):
    """A whole network of LIF neurons and stochastic attention, run by a list of layers.

    Layers follow one another, and attention the layer of queries, keys and values; one spike memory lies
    between them.

    Members:
        i_load: words of the memories (`hw.parts.load_reader.LoadReader`), then one of the memory
            `payloads.run`: from then on images are accepted. Only while no image is inside.
        i_image: bits of pixels; the next image enters when the scores of the one before have left.
        o_score: class scores of each image.
        i_weights, running, o_store: where weights are streamed, the words of the passes over and over
            (`golden.stochastic.weights`), from the first on when `running` rises; those that came on the load
            stream, for the memory behind i_weights.
        o_spikes: with `taps`, every word that neurons and attention write.

    Timing: predicted by `sim.timing.stochastic_network`.
    """

    def __init__(self, config: StochasticNetworkConfig, *, taps: bool = False) -> None:
        self._config, self._taps = config, taps
        members = {
            "i_load": In(stream.Signature(PIECE_BITS)),
            "i_image": In(stream.Signature(payloads.image_beat(config))),
            "o_score": Out(stream.Signature(payloads.score_beat(config))),
        }
        if config.weight_stream:
            members |= {"i_weights": In(stream.Signature(config.weight_stream)), "running": Out(1)}
        members |= stored(config.weight_stream)
        if taps:
            members["o_spikes"] = Out(stream.Signature(payloads.spikes(config), always_ready=True))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        header, word = payloads.load_header(config), payloads.load(config)
        wide = config.weight_stream
        m.submodules.reader = reader = LoadReader(header, word, payloads.store(config) if wide else 0, wide)
        m.submodules.issue = issue = SpikeIssue(config)
        m.submodules.lanes = lanes = NeuronLanes(config)
        m.submodules.attention = attention = AttentionUnit(config)
        m.submodules.scores = scores = ScoreReader(config)
        connect(m, flipped(self.i_load), reader.i)
        connect(m, scores.o, flipped(self.o_score))

        loaded = reader.o.payload
        strobes = {
            name: reader.o.valid & (loaded.memory == number)
            for number, name in enumerate(payloads.memories(config))
        }
        heads = Signal(struct(HeadsOp, config))
        enabled, active = Signal(), Signal()
        m.d.comb += [
            issue.i_load.eq(loaded),
            lanes.i_load.eq(loaded),
            issue.i_write.eq(strobes["layers"]),
            lanes.i_write_biases.eq(strobes["biases"]),
        ]
        if config.maps:
            m.d.comb += issue.i_write_maps.eq(strobes["maps"])
        with m.If(strobes["heads"]):
            m.d.sync += heads.eq(loaded.data.as_value())
        with m.If(reader.o.valid):
            m.d.sync += enabled.eq(loaded.memory == payloads.run(config))
        if wide:
            connect(m, reader.o_store, flipped(self.o_store))
            self._loader(m, issue, lanes, enabled)
        else:
            m.d.comb += lanes.i_write_weights.eq(strobes["weights"])

        # an image lies where the memory begins, and is begun when its last bits are there
        pixel, image = Signal(index_width(config.spikes)), self.i_image
        begin, transfer = Signal(), Signal()
        m.d.comb += [
            image.ready.eq(enabled & ~active),
            transfer.eq(image.valid & image.ready),
            begin.eq(transfer & image.payload.last),
        ]
        m.d.sync += active.eq(begin | (active & ~issue.finished))
        with m.If(transfer):
            m.d.sync += pixel.eq(Mux(image.payload.last, 0, pixel + 1))

        scored = issue.op.kind == Kind.scores
        m.d.comb += [
            issue.begin.eq(begin),
            lanes.i.eq(issue.o),
            lanes.kind.eq(issue.op.kind),
            lanes.target.eq(issue.op.target),
            lanes.begins.eq(issue.op.begins),
            attention.op.eq(heads),
            attention.restart.eq(begin),
            attention.start.eq(issue.start & ~scored),
            scores.sums.eq(lanes.sums),
            scores.start.eq(issue.start & scored),
            scores.outputs.eq(issue.op.outputs),
            scores.final.eq(issue.op.final),
            issue.done.eq(attention.done | scores.done),
        ]

        # one unit at a time reads spikes, and one writes them
        attending, written = Signal(), Signal(payloads.spike_write(config))
        m.d.sync += attending.eq(attention.start | (attending & ~attention.done))
        m.submodules.spikes = memory = DeepMemory(payloads.spikes(config), config.spikes)
        read, write = memory.read_port(), memory.write_port()
        computed = lanes.o.valid | attention.o.valid
        m.d.comb += [
            read.addr.eq(Mux(attending, attention.address, issue.address)),
            read.en.eq(attending | issue.enable),
            issue.word.eq(read.data),
            attention.word.eq(read.data),
            written.eq(Mux(lanes.o.valid, lanes.o.payload, attention.o.payload)),
            write.addr.eq(Mux(computed, written.address, pixel)),
            write.data.eq(Mux(computed, written.spikes, image.payload.spikes)),
            write.en.eq(computed | transfer),
        ]
        if self._taps:
            m.d.comb += [self.o_spikes.payload.eq(written.spikes), self.o_spikes.valid.eq(computed)]
        return m

    def _loader(self, m: Module, issue: SpikeIssue, lanes: NeuronLanes, enabled: Signal) -> None:
        """Streamed weights on their way to the lanes."""
        m.submodules.loader = loader = WeightLoader(self._config)
        connect(m, flipped(self.i_weights), loader.i)
        m.d.comb += [
            self.running.eq(enabled),
            loader.enable.eq(enabled),
            issue.weights_ready.eq(loader.ready),
            loader.take.eq(issue.weights_take),
            lanes.i_weights.eq(loader.o),
            lanes.i_write_weights.eq(loader.o_write),
        ]
        # what the pass read last is read in the cycle after
        m.d.sync += loader.free.eq(issue.weights_free)
        # the half that the pass began with, until the next begins
        with m.If(issue.weights_take):
            m.d.sync += lanes.half.eq(loader.half)
