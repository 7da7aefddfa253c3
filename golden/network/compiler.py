"""What becomes of each layer of a network in the hardware: descriptors, weights and tables.

Three units run side by side, each through its own list of descriptors: linear, norm, attention. A
unit may begin row t of a descriptor when the rows that its source has completed since the
inference began exceed `wait` + t (attention: exceed `wait`, once). For a row that is made of rows by index, t
is in its list: the last of them, or a later one that keeps it from overwriting what is still read. The last
row of a layer waits for the whole source, as it does without an index: whoever comes after a layer comes
after the layer's source.

Where weights are streamed each pass of a layer is a descriptor of its own, which all rows go through before
the next: a weight is fetched once and used for all rows. Rows are then complete with the last pass, when what
they read has been read for the last time, so that whoever waits for them waits for the same as above.
"""

from dataclasses import dataclass
from functools import singledispatchmethod
from itertools import product

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.blocks import needed_blocks, of_blocks
from golden.network.counts import counted_layers
from golden.network.descriptors import KINDS, AttentionOp, LinearOp, NormOp, Source, Target, slot_of
from golden.network.layers import Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear, reads_twice
from golden.network.mean import reciprocal
from golden.network.network import Network
from golden.network.order import Place, places
from golden.network.overwrites import comes_after
from golden.network.tensors import IMAGE, STREAM, Layer
from golden.network.terms import TermTables


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Descriptors and memory images of a network.

    Attributes:
        linear, norm, attention: descriptors.
        weights: int16 [words, lanes], pass by pass in the order in which they are used.
        table: int64 [entries, 3]: the fields of `Neuron` in their order.
        offsets: int64 [entries].
        levels: int64 [lists, T].
        biases: int64 [words, terms per beat], in score units; masks: the same, 1 for masked keys.
        maps: int64 [words]: lists of rows by index (`LinearOp.map`); blocks: of each of them the block of the
            row that is read (`golden.network.blocks`), 0 where rows are read whole.
        tokens: rows that enter.
        streamed: weights are; each linear descriptor is one pass.
        shared: spikes of attention are where those of hidden neurons are.
    """

    linear: list[LinearOp]
    norm: list[NormOp]
    attention: list[AttentionOp]
    weights: NDArray[np.int16]
    table: NDArray[np.int64]
    offsets: NDArray[np.int64]
    levels: NDArray[np.int64]
    biases: NDArray[np.int64]
    masks: NDArray[np.int64]
    maps: NDArray[np.int64]
    blocks: NDArray[np.int64]
    tokens: int
    streamed: bool
    shared: bool


@dataclass(frozen=True)
class Held:
    """Spikes that are held: where, how many rows, and the rows that their unit has completed before."""

    place: Place
    rows: int
    wait: int


class Compiler:
    """Assigns descriptors and memory to layers, in order."""

    def __init__(
        self, network: Network, lanes: int, step_limit: int, terms_per_beat: int, streamed: bool, block: int,
        shared: bool,
    ) -> None:  # fmt: skip
        self.network, self.lanes, self.step_limit = network, lanes, step_limit
        self.streamed, self.block, self.shared = streamed, block, shared
        self.linear: list[LinearOp] = []
        self.norm: list[NormOp] = []
        self.attention: list[AttentionOp] = []
        self.weights: list[NDArray[np.int16]] = []
        self.table: list[NDArray[np.int64]] = []
        self.offsets: list[NDArray[np.int64]] = []
        self.levels: list[NDArray[np.int64]] = []
        self.biases, self.masks = TermTables(terms_per_beat), TermTables(terms_per_beat)
        self.words = self.entries = self.norm_entries = 0
        # words of two columns, the rows and their blocks
        self.maps: dict[bytes, tuple[int, NDArray[np.int64]]] = {}
        self.map_words = 0
        # rows that each unit has completed; a stream that enters counts as the linear unit's
        self.linear_rows = network.tokens if network.entry == STREAM else 0
        self.norm_rows = self.attention_rows = 0
        self.held = {IMAGE: Held(Place(Source.image), network.tokens, 0)}
        self.places = iter(places(network.layers))
        self.place: Place | None = None
        self.all_counted = iter(self.counted_of(network))
        self.counted = False
        # the layer that made the stream as it stands, and its shape; the last norm
        self.stream: StreamLinear | None = None
        self.stream_shape = network.tokens, network.width
        self.last_norm: Norm | None = None
        # heads whose q, k, v are computed together, and the row of the linear unit that completes them; a
        # window need not wait for the rows of those after it
        self.groups: list[tuple[range, int]] = []
        self.head_dim = 0
        self.windows_wait = False

    @staticmethod
    def counted_of(network: Network) -> list[bool]:
        """Layers whose rows follow the number of tokens; none where a network takes all of them only."""
        try:
            return counted_layers(network)
        except InputError:
            return [False] * len(network.layers)

    def list_of(self, levels: NDArray[np.int64]) -> int:
        """Number of a threshold list, stored once."""
        for number, known in enumerate(self.levels):
            if np.array_equal(known, levels):
                return number
        self.levels.append(levels)
        return len(self.levels) - 1

    def map_of(
        self, needed: NDArray[np.int64], gather: NDArray[np.int64], blocks: NDArray[np.intp] | None
    ) -> int:
        """Where a list of rows by index begins, stored once; `blocks` of its taps, None for whole rows."""
        rows = np.column_stack([needed, gather])
        of_taps = np.zeros_like(rows)
        if blocks is not None:
            of_taps[:, 1:] = blocks
        words = np.stack([rows.reshape(-1), of_taps.reshape(-1)], axis=1)
        place, _ = self.maps.setdefault(words.tobytes(), (self.map_words, words))
        self.map_words = max(self.map_words, place + len(words))
        return place

    def add_layer(self, layer: Layer, following: Layer | None) -> None:
        """Descriptors of a layer; `following` is the next one."""
        self.place, self.counted = next(self.places), next(self.all_counted)
        self.add(layer, following)

    @singledispatchmethod
    def add(self, layer: Layer, following: Layer | None) -> None:
        raise TypeError(f"no unit of the hardware computes a {type(layer).__name__}")

    @add.register
    def _(self, layer: SpikingLinear, following: Layer | None) -> None:
        levels, everything = self.list_of(layer.levels), np.arange(layer.outputs)

        def add(target: Target, rows: NDArray[np.intp], slots: NDArray[np.int64]) -> None:
            self.add_neurons(layer, target, rows, slots, layer.offset, levels=levels, signed=layer.signed)

        if not isinstance(following, Attention):
            wait = self.linear_rows
            add(Target.hidden, everything, everything)
            assert self.place is not None
            self.held[layer.target] = Held(self.place, self.linear[-1].rows, wait)
            return
        # q, k, v of a few heads at a time, so that attention begins before all are there
        heads, head_dim = following.heads, layer.outputs // 3 // following.heads
        step = max(1, self.lanes // head_dim)
        self.groups, self.head_dim = [], head_dim
        for low in range(0, heads, step):
            group = range(low, min(low + step, heads))
            local = np.concatenate([np.arange(h * head_dim, (h + 1) * head_dim) for h in group])
            rows = np.concatenate([part * heads * head_dim + local for part in range(3)])
            slots = np.concatenate([slot_of(part, local) for part in range(3)])
            add(Target.qkv, rows, slots)
            self.groups.append((group, self.linear_rows - 1))
        self.windows_wait = self.held[layer.source].place.source is Source.mixed
        if self.windows_wait:
            # attention overwrites what later groups still read: it waits for them
            self.groups = [(group, self.linear_rows - 1) for group, _ in self.groups]

    @add.register
    def _(self, layer: StreamLinear, following: Layer | None) -> None:
        everything = np.arange(layer.outputs)
        self.add_neurons(
            layer, Target.stream, everything, everything, layer.shift, levels=self.no_list, fresh=layer.fresh
        )
        self.stream, self.stream_shape = layer, (self.linear[-1].rows, layer.outputs)

    @add.register
    def _(self, layer: ScoreLinear, following: Layer | None) -> None:
        everything = np.arange(layer.outputs)
        # accumulators hold the rows of one pass: as many scores at a time as there are lanes
        step = self.lanes if layer.pooled else layer.outputs
        for low in range(0, layer.outputs, step):
            part = everything[low : low + step]
            self.add_neurons(
                layer, Target.scores, part, part, 0 * everything, levels=self.no_list, pooled=layer.pooled
            )

    @property
    def no_list(self) -> int:
        """Number of a list for neurons that do not fire."""
        return self.list_of(np.zeros(self.network.code.steps, np.int64))

    def add_neurons(
        self, layer: Linear, target: Target, rows: NDArray[np.intp], slots: NDArray[np.int64],
        offset: NDArray[np.int64], *, levels: int, signed: bool = True, fresh: bool = False,
        pooled: bool = False,
    ) -> None:  # fmt: skip
        """Descriptors for the outputs `rows` of a layer, with places or shifts of all its outputs: one, or
        where weights are streamed one for each pass."""
        size = self.lanes if self.streamed else len(rows)
        for low in range(0, len(rows), size):
            part, opens, closes = slice(low, low + size), low == 0, low + size >= len(rows)
            self.add_descriptor(
                layer, target, rows[part], slots[part], offset, levels=levels, signed=signed, fresh=fresh,
                pooled=pooled, opens=opens, closes=closes,
            )  # fmt: skip
        self.linear_rows += 1 if pooled else self.linear[-1].rows

    def add_descriptor(
        self, layer: Linear, target: Target, rows: NDArray[np.intp], slots: NDArray[np.int64],
        offset: NDArray[np.int64], *, levels: int, signed: bool, fresh: bool, pooled: bool, opens: bool,
        closes: bool,
    ) -> None:  # fmt: skip
        """One descriptor, with its weights and neurons."""
        held, weight, blocks = self.held[layer.source], layer.weight[rows], None
        if self.block and held.place.source is Source.norm and layer.gather is None:
            blocks = needed_blocks(weight, self.block)
        if blocks is not None:
            weight = of_blocks(weight, blocks, self.block).astype(np.int16)
        count, inputs = weight.shape
        passes = -(-count // self.lanes)
        padded = np.zeros((passes * self.lanes, inputs), np.int16)
        padded[:count] = weight
        self.weights.append(padded.reshape(passes, self.lanes, inputs).swapaxes(1, 2).reshape(-1, self.lanes))
        bias = np.atleast_2d(layer.bias)[:, rows]
        copies = len(bias)
        entry = np.stack([bias, np.tile(offset[rows], (copies, 1)), np.tile(slots, (copies, 1))], axis=-1)
        self.table.append(entry.reshape(-1, 3))
        after = comes_after(layer, target, held.place.source, held.rows, self.last_norm, self.shared)
        by_index = self.by_index(layer.gather, held.rows, after, blocks)
        made, reads = self.place or Place(Source.hidden), held.place.list
        self.linear.append(
            LinearOp(
                source=held.place.source, target=target, rows=by_index.pop("rows"), passes=passes,
                inputs=inputs, outputs=count, weight=self.words, table=self.entries,
                stride=count if copies > 1 else 0, levels=levels, signed=signed, fresh=fresh, pooled=pooled,
                wait=held.wait, release=False, final=False, width=inputs // max(1, by_index["taps"]),
                read_list=reads, write_list=made.list, counted=self.counted, opens=opens, closes=closes,
                blocks=blocks is not None, **by_index,
            )
        )  # fmt: skip
        self.words += passes * inputs
        self.entries += copies * count

    def by_index(
        self,
        gather: NDArray[np.int64] | None,
        rows: int,
        after: NDArray[np.intp],
        blocks: NDArray[np.intp] | None = None,
    ) -> dict[str, int]:
        """Rows of a descriptor, its taps and their list.

        Args:
            gather: of the layer; rows: of its source.
            after: of each row that the layer makes, a row of the source that must be there.
            blocks: of each row that are read; None for all of them.
        """
        if gather is None:
            if blocks is None and (after <= np.arange(rows)).all():
                return {"rows": rows, "taps": 0, "map": 0}
            gather = np.repeat(np.arange(rows)[:, None], 1 if blocks is None else len(blocks), axis=1)
        needed = np.maximum(gather.max(axis=1), after)
        needed[-1] = rows - 1
        return {"rows": len(gather), "taps": gather.shape[1], "map": self.map_of(needed, gather, blocks)}

    @add.register
    def _(self, layer: Norm, following: Layer | None) -> None:
        width, (rows, channels) = len(layer.offset), self.stream_shape
        mean = reciprocal(width)
        # spikes of the last norm are read while the stream changes: they must not be overwritten before
        made_of = None if self.stream is None else self.held.get(self.stream.source)
        reads = made_of is not None and made_of.place.source is Source.norm
        gathers = layer.gather is not None or (self.stream is not None and self.stream.gather is not None)
        adds = self.shared and self.stream is not None and not self.stream.fresh
        after = np.zeros(rows if layer.gather is None else len(layer.gather), np.intp)
        if adds or (reads and gathers):
            after[:] = rows - 1
        by_index = self.by_index(layer.gather, rows, after)
        wait, made = self.linear_rows - rows, by_index.pop("rows")
        self.held[layer.target] = Held(Place(Source.norm), made, self.norm_rows)
        self.last_norm = layer
        self.norm.append(
            NormOp(
                kind=KINDS[layer.kind], width=width, mean_shift=mean.shift, mean_fraction=mean.fraction,
                mean_bits=mean.bits, rows=made, offset=self.norm_entries,
                levels=self.list_of(layer.levels), wait=wait, final=False, channels=channels,
                counted=self.counted, twice=self.streamed and reads_twice(layer), **by_index,
            )
        )  # fmt: skip
        self.offsets.append(layer.offset)
        self.norm_entries += width
        self.norm_rows += made

    @add.register
    def _(self, layer: Attention, following: Layer | None) -> None:
        # those of q, k and v
        rows, head_dim = self.linear[-1].rows, self.head_dim
        size = rows // layer.groups
        stride = self.biases.stride(size)
        bias, area = (0, 0) if layer.bias is None else (self.biases.place(layer.bias), size * stride)
        for (group, wait), window in product(self.groups, range(layer.groups)):
            later = 0 if self.windows_wait else rows - (window + 1) * size
            masked, mask = self.masks_of(layer, window)
            for head in group:
                self.attention.append(
                    AttentionOp(
                        first=head == 0, leads=head == group[0], group=len(group), span=len(group) * head_dim,
                        group_rows=len(group) * size, base=head * head_dim, features=head_dim,
                        row=window * size, tokens=size, biased=layer.bias is not None, masked=masked,
                        bias=bias + head * area, mask=mask, stride=stride, area=area,
                        step=min(int(layer.ramp_step[head]), self.step_limit),
                        ratio=tuple(int(r) for r in layer.ratio[head]), wait=wait - later, final=False,
                        counted=self.counted,
                    )
                )  # fmt: skip
        self.attention_rows += layer.heads * rows
        # row t is complete when the last head has brought it; of windows, rows before it may be so earlier
        self.held[layer.target] = Held(Place(Source.mixed), rows, self.attention_rows - rows)

    def masks_of(self, layer: Attention, window: int) -> tuple[bool, int]:
        """Whether a window has a mask, and where it is."""
        if layer.allowed is None:
            return False, 0
        masked = ~layer.allowed[window % len(layer.allowed)]
        return (True, self.masks.place(masked[None].astype(np.int64))) if masked.any() else (False, 0)
