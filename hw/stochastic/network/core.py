"""Core for stochastic networks: the bits of an image go in and class scores come out."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.stochastic.descriptors import HeadsOp, Kind
from golden.stochastic.network_config import StochasticNetworkConfig
from golden.widths import index_width
from hw.parts.load_reader import PIECE_BITS, LoadReader
from hw.parts.payloads import struct
from hw.stochastic.network import payloads
from hw.stochastic.network.attention import AttentionUnit
from hw.stochastic.network.issue import SpikeIssue
from hw.stochastic.network.lanes import NeuronLanes
from hw.stochastic.network.scores import ScoreReader


class StochasticNetworkCore(wiring.Component):
    """A whole network of LIF neurons and stochastic attention, run by a list of layers.

    Layers follow one another, and attention the layer of queries, keys and values; one spike memory lies
    between them.

    Members:
        i_load: words of the memories (`hw.parts.load_reader.LoadReader`), then one of the memory
            `payloads.run`: from then on images are accepted. Only while no image is inside.
        i_image: bits of pixels; the next image enters when the scores of the one before have left.
        o_score: class scores of each image.
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
        if taps:
            members["o_spikes"] = Out(stream.Signature(payloads.spikes(config), always_ready=True))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        header, word = payloads.load_header(config), payloads.load(config)
        m.submodules.reader = reader = LoadReader(header, word)
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
            lanes.i_write_weights.eq(strobes["weights"]),
            lanes.i_write_biases.eq(strobes["biases"]),
        ]
        if config.maps:
            m.d.comb += issue.i_write_maps.eq(strobes["maps"])
        with m.If(strobes["heads"]):
            m.d.sync += heads.eq(loaded.data.as_value())
        with m.If(reader.o.valid):
            m.d.sync += enabled.eq(loaded.memory == payloads.run(config))

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
        m.submodules.spikes = memory = Memory(shape=payloads.spikes(config), depth=config.spikes, init=[])
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
