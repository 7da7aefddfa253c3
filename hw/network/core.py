"""Network core: an image goes in as spikes, or vectors as integers, and class scores come out."""

from typing import Any

from amaranth.hdl import Assert, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.network.config import NetworkConfig
from golden.network.tensors import IMAGE, STREAM
from golden.widths import bits_for
from hw.network import payloads
from hw.network.attention_unit import AttentionUnit
from hw.network.drain import Drain
from hw.network.linear_issue import LinearIssue
from hw.network.load_bus import pick
from hw.network.membrane import add_membrane
from hw.network.neuron_cluster import NeuronCluster
from hw.network.norm_unit import NormUnit
from hw.network.spike_list import SpikeList
from hw.network.weight_loader import WeightLoader
from hw.parts.memory import NO_COLLISION


class ImageLoader(wiring.Component):
    """Writes the image's spikes to their list, or what enters to the stream; holds the next image up until
    this one is used.

    Members:
        i: pixels or channels, token by token.
        o: neurons for the spike list, or integers for the stream.
        rows: complete rows of the image; full: all of them are (only of a stream, or with token counts).
        release: the image is used.
        enable: pixels are accepted.

    Timing: one pixel per cycle; a row counts from the cycle after its last pixel.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        spikes = config.entry == IMAGE
        enters = payloads.list_write(config) if spikes else payloads.stream_write(config)
        full = {"full": Out(1)} if config.token_counts or not spikes else {}
        super().__init__(
            {
                "i": In(stream.Signature(payloads.image_beat(config))),
                "o": Out(stream.Signature(enters, always_ready=True)),
                "rows": Out(config.row_count_width),
                "release": In(1),
                "enable": In(1),
            }
            | full
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, spikes = self._config, self._config.entry == IMAGE
        full = Signal() if spikes and not config.token_counts else self.full
        transfer = Signal()
        pixel = Signal(config.feature_bits)
        beat = self.o.payload
        m.d.comb += [
            self.i.ready.eq(self.enable & ~full),
            transfer.eq(self.i.valid & self.i.ready),
            self.o.valid.eq(transfer),
            beat.row.eq(self.rows),
        ]
        if spikes:
            m.d.comb += [
                beat.first.eq(pixel == 0),
                beat.entry.feature.eq(pixel),
                beat.entry.spike.eq(self.i.payload.spike),
            ]
        else:
            m.d.comb += [beat.channel.eq(pixel), beat.value.eq(self.i.payload.value)]
        with m.If(transfer):
            m.d.sync += pixel.eq(pixel + 1)
            with m.If(self.i.payload.last):
                m.d.sync += [pixel.eq(0), self.rows.eq(self.rows + 1), full.eq(self.i.payload.end)]
        with m.If(self.release):
            m.d.sync += [full.eq(0), self.rows.eq(0)]
        return m


class NetworkCore(wiring.Component):
    """A whole spiking network, run by three lists of descriptors.

    Members:
        i_load: words of the memories (descriptors, thresholds, neuron table, weights), then one of
            the memory `payloads.run`: from then on images are accepted. Only while no image is inside.
        i_image: pixels as spikes, or channels of the stream that enters, token by token; the next image may
            follow at once.
        i_weights, running: where weights are streamed, the words of the passes over and over
            (`golden.network.weights`); while `running` is low, from reset or from the first word at i_load on
            until images are accepted, what brings them goes back to the first.
        o_score: class scores of each image. Where they do not leave in parts, they must have left before
            those of the next image come.
        o_potential: with `taps`, the potential of every neuron of the linear layers; with two drains
            o_potential_1, of the neurons that leave beside another.
        o_norm, o_mixed: with `taps`, every neuron of norms and attention.
        o_issue: with `taps`, one beat per spike broadcast to the neurons.

    Timing: predicted by `sim.timing.network`.
    """

    def __init__(self, config: NetworkConfig, *, taps: bool = False) -> None:
        self._config, self._taps = config, taps
        members = {
            "i_load": In(stream.Signature(payloads.load(config), always_ready=True)),
            "i_image": In(stream.Signature(payloads.image_beat(config))),
            "o_score": Out(stream.Signature(payloads.score_beat(config))),
        }
        if config.weight_stream:
            members |= {"i_weights": In(stream.Signature(config.weight_stream)), "running": Out(1)}
        if taps:
            spikes = stream.Signature(payloads.list_write(config), always_ready=True)
            members |= {
                "o_potential": Out(stream.Signature(signed(config.potential_bits), always_ready=True)),
                "o_norm": Out(spikes),
                "o_mixed": Out(spikes),
                "o_issue": Out(stream.Signature(1, always_ready=True)),
            }
            if config.drains > 1:
                members["o_potential_1"] = members["o_potential"]
        super().__init__(members)

    @property
    def config(self) -> NetworkConfig:
        return self._config

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.image = image = ImageLoader(config)
        m.submodules.issue = issue = LinearIssue(config)
        m.submodules.drain = drain = Drain(config)
        m.submodules.norm = norm = NormUnit(config)
        m.submodules.attention = attention = AttentionUnit(config)
        connect(m, flipped(self.i_image), image.i)
        connect(m, drain.o_score, flipped(self.o_score))

        # one register for the load bus, then each memory picks its words
        load = Signal(payloads.load(config), reset_less=True)
        loading = Signal()
        m.d.sync += [load.eq(self.i_load.payload), loading.eq(self.i_load.valid)]
        strobes = {}
        for number, name in enumerate(payloads.memories(config)):
            strobes[name] = Signal(name=f"write_{name}")
            m.d.comb += strobes[name].eq(loading & (load.memory == number))
        for unit in (issue, norm, attention) if config.weight_stream else (issue, drain, norm, attention):
            m.d.comb += unit.i_load.eq(load)
        m.d.comb += [
            issue.i_write.eq(strobes["linear"]),
            *([] if config.weight_stream else [drain.i_write.eq(strobes["table"])]),
            norm.i_write_op.eq(strobes["norm"]),
            norm.i_write_offset.eq(strobes["offsets"]),
            attention.i_write.eq(strobes["attention"]),
            *[getattr(attention, f"i_write_{name}").eq(strobes[name]) for name in attention.tables],
        ]
        self._copies(m, load, strobes, {"drain": (drain, issue), "norm": (norm, norm)})

        # an image begins when its first row is there, after the one before; if it is a stream, or of any
        # number of tokens, which its end tells, when it is whole
        enters, counts = config.entry == STREAM, config.token_counts
        enabled, active, begin = Signal(), Signal(), Signal()
        with m.If(loading):
            m.d.sync += enabled.eq(load.memory == payloads.run(config))
        m.d.comb += [
            image.enable.eq(enabled),
            begin.eq(~active & (image.full if enters or counts else image.rows != 0)),
        ]
        m.d.sync += active.eq(begin | (active & ~drain.finished))

        # rows that each unit has completed since then; those that are missing count with the last one
        tokens: Value = image.rows
        if counts:
            missing = Signal(payloads.row_width(config))
            tokens = Signal(bits_for(config.tokens), name="tokens")
            with m.If(loading & (load.memory == payloads.run(config))):
                m.d.sync += tokens.eq(load.data[0])
            with m.If(begin):
                m.d.sync += missing.eq(tokens - image.rows)
            m.d.comb += [unit.missing.eq(missing) for unit in (issue, norm, attention)]
        rows: dict[str, Value] = {"image": image.rows + missing if counts else image.rows}
        following = {}
        for name, unit in (("norm", norm), ("mixed", attention), ("hidden", drain)):
            rows[name] = Signal(config.row_count_width, name=f"rows_{name}")
            # rows of a stream that enters are there like those of the linear unit
            before = tokens if enters and name == "hidden" else 0
            done = unit.row_done + Mux(unit.short, missing, 0) if counts else unit.row_done
            following[name] = Mux(begin, before, rows[name] + done)
            m.d.sync += rows[name].eq(following[name])
        for unit in (issue, norm, attention):
            m.d.comb += unit.begin.eq(begin)
        m.d.comb += [
            norm.rows_linear.eq(rows["hidden"]),
            attention.rows_linear.eq(following["hidden"]),
            # the stream is read up to the last scores
            image.release.eq(drain.finished if enters else issue.release_image),
        ]
        if config.score_parts:
            m.d.comb += issue.scores_taken.eq(drain.scores_taken)

        writers = {"image": image.o, "norm": norm.o, "mixed": attention.o, "hidden": drain.o_hidden}
        if enters:
            del writers["image"]
        self._lists(m, issue, writers, rows)
        connect(m, drain.o_qkv, attention.i_qkv)
        connect(m, issue.o_pass, drain.i_pass)
        if config.weight_stream:
            bus, strobe = self._loader(m, issue, drain, enabled)
            self._neurons(m, drain, issue.o, bus, strobe)
        else:
            self._neurons(m, drain, issue.o, load, strobes["weights"])
        add_membrane(m, config, drain, norm, image)
        if self._taps:
            for name in ("o_potential", "o_potential_1")[: config.drains]:
                shown, potential = getattr(self, name), getattr(drain, name)
                m.d.comb += [shown.payload.eq(potential.payload), shown.valid.eq(potential.valid)]
            m.d.comb += [
                self.o_norm.payload.eq(norm.o.payload),
                self.o_norm.valid.eq(norm.o.valid),
                self.o_mixed.payload.eq(attention.o.payload),
                self.o_mixed.valid.eq(attention.o.valid),
                self.o_issue.valid.eq(issue.accepted),
            ]
        return m

    def _lists(self, m: Module, issue: LinearIssue, writers: dict[str, Any], rows: dict[str, Value]) -> None:
        """Spike memories of all sources, which the issue reads; `rows` that each source has completed."""
        config = self._config
        if config.shared:
            writers = dict(writers, hidden=self._in_turn(m, writers["hidden"], writers.pop("mixed")))
        for name, written in writers.items():
            lists = config.hidden_lists if name == "hidden" else 1
            features = config.features if name == "norm" else config.widest
            blocks = config.block > 0 and name == "norm"
            most = config.most_stream_rows if name in ("norm", "mixed") else config.tokens
            room = {"image": config.image_room, "hidden": config.hidden_room}.get(name, 0)
            m.submodules[f"list_{name}"] = spikes = SpikeList(
                config, features, lists, rows=most, room=room, blocks=blocks
            )
            if blocks:
                m.d.comb += [
                    spikes.block_row.eq(issue.tap.row),
                    spikes.block.eq(issue.tap.block),
                    issue.span.eq(spikes.span),
                ]
            connect(m, written, spikes.i)
            m.d.comb += [
                spikes.count_row.eq(issue.row if lists == 1 else Cat(issue.row, issue.count_list)),
                spikes.read_row.eq(issue.read_row if lists == 1 else Cat(issue.read_row, issue.read_list)),
                spikes.position.eq(issue.position),
            ]
            for source in ("mixed", "hidden") if config.shared and name == "hidden" else (name,):
                m.d.comb += [
                    getattr(issue, f"count_{source}").eq(spikes.count),
                    getattr(issue, f"entry_{source}").eq(spikes.entry),
                    getattr(issue, f"rows_{source}").eq(rows[source]),
                ]

    def _in_turn(self, m: Module, hidden: Any, mixed: Any) -> Any:
        """What is written to the one list of hidden neurons and of attention, never of both at once."""
        written = stream.Signature(payloads.list_write(self._config), always_ready=True).create()
        m.d.comb += [
            written.valid.eq(hidden.valid | mixed.valid),
            written.payload.eq(Mux(hidden.valid, hidden.payload.as_value(), mixed.payload.as_value())),
        ]
        m.d.sync += Assert(~(hidden.valid & mixed.valid), "attention and hidden neurons write in turn")
        return written

    def _copies(
        self, m: Module, load: Signal, strobes: dict[str, Signal], readers: dict[str, tuple[Any, Any]]
    ) -> None:
        """Threshold lists and rows by index, a copy for each of their readers."""
        config = self._config
        for name, (unit, by_index) in readers.items():
            size = {"shape": payloads.levels(config), "depth": config.lists}
            lists = Memory(**size, init=[], attrs=NO_COLLISION)
            m.submodules[f"levels_{name}"] = lists
            read, write = lists.read_port(), lists.write_port()
            m.d.comb += [read.addr.eq(unit.levels_address), unit.levels.eq(read.data)]
            pick(m, write, load, strobes["levels"])
            if config.maps:
                size = {"shape": payloads.map_word(config), "depth": config.maps}
                words = Memory(**size, init=[], attrs=NO_COLLISION)
                m.submodules[f"maps_{name}"] = words
                of_map, write_map = words.read_port(), words.write_port()
                m.d.comb += [of_map.addr.eq(by_index.map_address), by_index.map_word.eq(of_map.data)]
                pick(m, write_map, load, strobes["maps"])

    def _loader(self, m: Module, issue: LinearIssue, drain: Drain, enabled: Signal) -> tuple[Any, Signal]:
        """Streamed weights: the bus that brings them to the clusters, its strobe; neurons of the drain."""
        m.submodules.loader = loader = WeightLoader(self._config)
        connect(m, flipped(self.i_weights), loader.i)
        m.d.comb += [
            self.running.eq(enabled),
            loader.enable.eq(enabled),
            issue.weights_ready.eq(loader.ready),
            issue.weights_slot.eq(loader.slot),
            drain.i_load.eq(loader.o_neuron),
            drain.i_write.eq(loader.o_write_neuron),
        ]
        # a cycle later, as the broadcast is: what is written stays behind what is read
        m.d.sync += [loader.take.eq(issue.weights_take), loader.free.eq(issue.weights_free)]
        return loader.o, loader.o_write

    def _neurons(self, m: Module, drain: Drain, command: Any, bus: Any, strobe: Signal) -> None:
        """The chain of clusters: broadcast, load bus and results all travel the same way. With two drains the
        results of the lower half of the lanes pass by the upper one."""
        config, sums = self._config, None
        for number in range(config.clusters):
            if config.drains > 1 and 2 * number == config.clusters:
                for _ in range(number):
                    passes_by = Signal(payloads.sums(config), name="passes_by")
                    m.d.sync += passes_by.eq(sums)
                    sums = passes_by
                lower, sums = sums, None
            m.submodules[f"cluster_{number}"] = cluster = NeuronCluster(config, number)
            m.d.comb += [cluster.i.eq(command), cluster.i_load.eq(bus), cluster.i_write.eq(strobe)]
            if sums is not None:
                m.d.comb += cluster.i_sums.eq(sums)
            command, bus, strobe, sums = cluster.o, cluster.o_load, cluster.o_write, cluster.o_sums
        if config.drains > 1:
            m.d.comb += [drain.i_sums.eq(lower), drain.i_sums_1.eq(sums)]
        else:
            m.d.comb += drain.i_sums.eq(sums)
