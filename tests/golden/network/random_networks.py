"""Random networks of integers, over everything that `Network` and the hardware's order of layers accept."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.attention.normaliser import MAX_RATIO
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import Spikes
from golden.network.attention import Attention
from golden.network.layers import Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import (
    MAX_BIAS,
    MAX_FALL,
    MAX_FEATURES,
    MAX_OFFSET,
    MAX_SHIFT,
    MAX_STREAM,
    POTENTIAL_BITS,
)
from golden.network.network import Network
from golden.network.neuron import most_octaves, spike_values
from golden.network.norm import NORM_KINDS, centred, row_shift
from golden.network.octave import fire, geometric_levels, octave_code, resolution
from golden.network.rows import gathered, gathered_rows
from golden.network.tensors import IMAGE, STREAM, Layer
from tests.golden.network.rooms import Room, random_code, random_spikes, some

LARGEST_POTENTIAL = (1 << POTENTIAL_BITS - 1) - 1
# Names that spikes may have; they mean nothing, and the same may come again
NAMES = ("hidden", "qkv", "mixed", "norm", "x")


class Drawer:
    """Draws layer after layer, and runs the images through each, so that thresholds lie where neurons are."""

    def __init__(self, rng: np.random.Generator, room: Room) -> None:
        self.rng, self.room, self.code = rng, room, room.code
        self.tokens = int(rng.integers(room.tokens)) + 1 if room.counts else some(rng, room.tokens)
        self.layers: list[Layer] = []
        self.stream: NDArray[np.int64] = np.zeros(0, np.int64)
        self.width = some(rng, room.features)  # of the stream
        self.stream_left = MAX_STREAM
        self.source, self.memory = IMAGE, IMAGE
        self.images = int(rng.integers(1, 4))
        shape = (self.tokens, some(rng, room.features))
        drawn = [random_spikes(rng, shape, self.code) for _ in range(self.images)]
        self.image = Spikes(np.stack([s.sign for s in drawn]), np.stack([s.phase for s in drawn]))
        self.spikes, self.limit = self.image, 0
        if room.streams and rng.random() < room.streams:
            self.enter_stream()

    def enter_stream(self) -> None:
        """Integers enter in place of spikes."""
        rng = self.rng
        self.limit = some(rng, MAX_STREAM // 2)
        self.stream_left -= self.limit
        shape = (self.images, self.tokens, self.width)
        self.stream = np.rint(self.limit * rng.choice([1, 0.1]) * rng.uniform(-1, 1, shape)).astype(np.int64)

    @property
    def entry(self) -> dict[str, Any]:
        """Fields of the network that say what enters."""
        if self.limit:
            return {"entry": STREAM, "limit": self.limit, "width": self.width}
        return {"entry": IMAGE, "limit": 0, "width": self.image.shape[-1]}

    def draw(self) -> tuple[Network, Spikes | NDArray[np.int64]]:
        """Blocks that end in the stream, a norm after each, and scores; one block has attention."""
        entering, entry = (self.stream if self.limit else self.image), self.entry
        if self.limit:
            self.norm()
            self.after_norm()
        blocks = 1 + int(self.rng.integers(3)) * int(self.rng.random() < 0.6)
        attends = int(self.rng.integers(blocks + 1))
        for block in range(blocks):
            self.chain(attention=block == attends)
            self.to_stream(blocks - block)
            self.norm()
            self.after_norm()
        self.chain(attention=attends == blocks)
        self.scores()
        network = Network(
            code=self.code, weight_bits=self.room.weight_bits, tokens=self.tokens,
            scale=1.0, layers=tuple(self.layers), **entry,
        )  # fmt: skip
        return network, entering

    def chain(self, *, attention: bool) -> None:
        """Layers whose spikes enter one another: none, hidden neurons, attention, twice perhaps."""
        count = int(self.rng.choice([0, 0, 1, 1, 2, 3]))
        kinds = [str(kind) for kind in self.rng.choice(["hidden", "attention"], count)]
        if attention:
            kinds.insert(int(self.rng.integers(count + 1)), "attention")
        for kind in kinds:
            if kind == "attention":
                self.attention()
            elif self.room.chains or self.memory != "hidden":
                self.hidden(some(self.rng, self.room.features), "hidden")

    def name(self) -> str:
        return str(self.rng.choice(NAMES))

    # --- integers

    def weights(self, shape: tuple[int, int], peak: int) -> NDArray[np.int16]:
        """Weights of random size and density, for which no potential leaves its word.

        Args:
            peak: most that a weight of one adds to a potential.
        """
        rng = self.rng
        largest = (1 << self.room.weight_bits - 1) - 1
        size = int(rng.choice([largest, some(rng, largest), 0], p=[0.8, 0.19, 0.01]))
        weight = rng.integers(-size, size + 1, shape, dtype=np.int64)
        if rng.random() < 0.3:  # saturated, of random or of equal sign
            weight = np.where(rng.random(weight.shape) < rng.random(), size, -size)
        weight = np.where(rng.random(weight.shape) < rng.choice([1.0, 1.0, 0.3]), weight, 0)
        over = np.cumsum(np.abs(weight), axis=1) > LARGEST_POTENTIAL // peak
        return np.where(over, 0, weight).astype(np.int16)

    def bias(self, size: int, most: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Biases of the size of potentials, zero, or as large as the word allows."""
        kind = self.rng.random()
        if kind < 0.2:
            size = most * self.room.wide
        size = min(size, most)
        return self.rng.integers(-size, size + 1, shape)

    def levels(self) -> NDArray[np.int64]:
        """A falling list: that of the identity, any other, all alike, or down to the least level."""
        code, kind = self.code, self.rng.random()
        if kind < 0.5:
            return np.maximum(geometric_levels(code), -MAX_FALL)
        drops = np.zeros(code.steps, np.int64)
        if kind < 0.9:
            drops[1:] = self.rng.integers(0, 2 * resolution(code.log2_base), code.steps - 1)
        levels = np.maximum(-np.cumsum(drops), -MAX_FALL)
        if kind > 0.97:
            levels[code.steps // 2 + 1 :] = -MAX_FALL
        return levels

    def offsets(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of first thresholds [width] near those of values [images, tokens, width], some far off."""
        rng, width = self.rng, place.shape[-1]
        points = resolution(self.code.log2_base)
        near = np.maximum(place, 0).max(axis=(0, 1)) + rng.integers(-4 * points, points // 2, width)
        far = rng.choice([-MAX_OFFSET, MAX_OFFSET, 0], width)
        return np.clip(np.where(rng.random(width) < 0.05, far, near), -MAX_OFFSET, MAX_OFFSET)

    # --- layers

    def gather(self, have: int, rows: int | None = None) -> NDArray[np.int64] | None:
        """A map of rows, to `rows` of them if that is not None; None where row r is that of the source."""
        if not self.room.gathers or (self.rng.random() < 0.4 and rows in (None, have)):
            return None
        if self.room.counts and self.rng.random() < 0.7:
            return self.ordered(have, rows)
        rows = some(self.rng, 2 * self.room.tokens) if rows is None else rows
        nothing = self.rng.choice([0.0, 0.3, 1.0], p=[0.5, 0.48, 0.02])
        found = self.rng.integers(0, have, (rows, some(self.rng, 4)))
        return np.where(self.rng.random(found.shape) < nothing, -1, found)

    def ordered(self, have: int, rows: int | None) -> NDArray[np.int64]:
        """Rows in their order, after some without a source like a class token; or the first row for all."""
        before = int(self.rng.integers(3)) if rows is None else rows - have
        if before < 0 or (rows is None and self.rng.random() < 0.2):
            return np.zeros((rows or 1, 1), np.int64)
        found = np.arange(-before, have)[:, None]
        taps = self.rng.integers(0, 2, (1, some(self.rng, 3)))  # the row itself, and those before it
        return np.maximum(found - np.pad(taps, ((0, 0), (1, 0))), -1)

    def linear(
        self, outputs: int, *, rows: int | None = None, pooled: bool = False
    ) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """What linear layers have in common, and the potentials; as many rows as wished."""
        gather = self.gather(self.spikes.shape[-2], rows)
        inputs = gathered(self.spikes, gather, self.code.steps)
        tokens = inputs.shape[-2]
        peak = int(spike_values(self.code)[0]) * (tokens if pooled else 1)
        weight = self.weights((outputs, inputs.shape[-1]), peak)
        common = {"source": self.source, "weight": weight, "bias": np.zeros(outputs, np.int64)}
        common |= {"gather": gather}
        values = (ScoreLinear if pooled else Linear)(**common).potentials(inputs, self.code)
        shape = (outputs,) if pooled or self.rng.random() < 0.6 else (tokens, outputs)
        most = min(MAX_BIAS, LARGEST_POTENTIAL - peak * int(np.abs(weight).sum(axis=1).max()))
        bias = self.bias(int(np.abs(values).max()), most, shape)
        return common | {"bias": bias}, values + bias

    def hidden(self, outputs: int, memory: str) -> None:
        target = self.name()
        common, values = self.linear(outputs)
        layer = SpikingLinear(
            **common,
            target=target,
            offset=self.offsets(octave_code(values, resolution(self.code.log2_base))),
            levels=self.levels(),
            signed=bool(self.rng.random() < 0.6),
        )
        spikes = fire(values, layer.levels, layer.offset, self.code, signed=layer.signed)
        self.append(layer, spikes, memory)

    def append(self, layer: Layer, spikes: Spikes, memory: str) -> None:
        self.layers.append(layer)
        self.spikes, self.source, self.memory = spikes, layer.target, memory

    def attention(self) -> None:
        rng, room, code = self.rng, self.room, self.code
        # heads of few features run back to back
        several = room.counts and rng.random() < 0.5
        head_dim = some(rng, min(room.head_dim, max(1, room.lanes // 3)) if several else room.head_dim)
        heads = some(rng, min(room.heads, room.features // head_dim, MAX_FEATURES // 3 // head_dim))
        self.hidden(3 * heads * head_dim, "qkv")
        # from a step at which nothing but the winner fires to one at which everything does
        most = int(rng.choice([head_dim << code.trace_bits + code.ramp_bits, MAX_RAMP_STEP], p=[0.9, 0.1]))
        step = np.array([some(rng, most) * (rng.random() > 0.05) for _ in range(heads)], np.int64)
        ratio = np.array(
            [[some(rng, MAX_RATIO) for _ in range(code.log2_base.denominator)] for _ in range(heads)],
            np.int64,
        )
        if rng.random() < 0.6:  # falling from about one, as of a trained network
            residues = np.arange(ratio.shape[1]) / ratio.shape[1]
            first = 2.0 ** rng.uniform(10, 17, (heads, 1))
            ratio = np.maximum(first * 2.0**-residues, 1).astype(np.int64)
        layer = Attention(
            source=self.source, target=self.name(), heads=heads, ramp_step=step, ratio=ratio,
            **self.grouped(heads, head_dim),
        )  # fmt: skip
        out = compute(layer.job(self.spikes, code)).out
        self.append(layer, layer.merge(out, self.images), "mixed")

    def grouped(self, heads: int, head_dim: int) -> dict[str, Any]:
        """Groups of rows, with a bias and a mask perhaps."""
        rng, rows = self.rng, self.spikes.shape[-2]
        if not self.room.windows:
            return {}
        groups = int(rng.choice([n for n in range(1, rows + 1) if rows % n == 0]))
        groups = 1 if self.room.counts and rng.random() < 0.7 else groups
        size, found = rows // groups, {"groups": groups}
        if rng.random() < 0.5:
            most = min(some(rng, 4 * head_dim << self.code.trace_bits), self.room.most_bias)
            most = self.room.most_bias if rng.random() < 0.1 else most
            found["bias"] = rng.integers(-most, most + 1, (heads, size, size))
        if rng.random() < 0.5:
            found["allowed"] = self.allowed(groups, size)
        return found

    def allowed(self, groups: int, size: int) -> NDArray[np.bool_]:
        """Pairs of any kind, with a key in each row; causal ones; regions, as shifted windows have them."""
        rng, masks = self.rng, int(self.rng.choice([1, groups]))
        kind = rng.choice(["any", "causal", "regions"])
        if kind == "causal":
            return np.tri(size, dtype=bool)[None].repeat(masks, axis=0)
        if kind == "regions":
            region = np.sort(rng.integers(0, rng.integers(1, 4, (masks, 1)), (masks, size)), axis=1)
            return region[:, :, None] == region[:, None]
        allowed = rng.random((masks, size, size)) < rng.random()
        return allowed | (np.arange(size) == rng.integers(size, size=(masks, size, 1)))

    def to_stream(self, layers_left: int) -> None:
        """A layer that adds to the stream, within its share of what the stream has left."""
        fresh = not self.stream.size
        common, values = self.linear(self.width, rows=None if fresh else self.stream.shape[-2])
        # the largest potential as `Network.shapes` sees it
        added = np.abs(common["weight"].astype(np.int64)).sum(axis=1) * int(spike_values(self.code)[0])
        bound = np.atleast_2d(added + np.abs(common["bias"])).max(axis=0)
        share = max(2, int(self.stream_left / layers_left * 2.0 ** -self.rng.uniform(0, 12)))
        need = np.array([max(0, (int(b) // (share - 1)).bit_length()) for b in bound])
        more = self.rng.integers(0, 3, self.width)
        shift = np.where(self.rng.random(self.width) < 0.05, MAX_SHIFT, np.minimum(need + more, MAX_SHIFT))
        layer = StreamLinear(**common, shift=shift, fresh=fresh)
        self.stream_left -= int(layer.terms(bound).max()) + 1
        terms = layer.terms(values)
        self.stream = terms if fresh else self.stream + terms
        self.layers.append(layer)

    def after_norm(self) -> None:
        """The stream is set anew from the norm's spikes, which are read again; or older spikes are."""
        if not self.room.held:
            return
        kept = self.source, self.spikes, self.memory
        if self.rng.random() < 0.6:
            self.stream, self.stream_left = np.zeros(0, np.int64), MAX_STREAM
            self.width = self.width if self.rng.random() < 0.5 else some(self.rng, self.room.features)
            self.to_stream(2)
            self.source, self.spikes, self.memory = kept
        elif self.rng.random() < 0.5:
            self.hidden(some(self.rng, self.room.features), "hidden")
            held = not self.limit and IMAGE not in (layer.target for layer in self.layers)
            if held and self.rng.random() < 0.7:
                self.source, self.spikes, self.memory = IMAGE, self.image, IMAGE

    def norm(self) -> None:
        layer = Norm(
            target=self.name(), kind=str(self.rng.choice(NORM_KINDS)), offset=np.zeros(0, np.int64),
            levels=self.levels(), gather=self.gather(self.stream.shape[-2]),
        )  # fmt: skip
        stream = self.stream if layer.gather is None else gathered_rows(self.stream, layer.gather, 0)
        values = centred(stream, layer.kind)
        shift = row_shift(values, layer.kind, self.code)[..., None]
        offset = self.offsets(octave_code(values, resolution(self.code.log2_base)) - shift)
        layer = replace(layer, offset=offset)
        self.append(layer, layer.normalise(stream, self.code), "norm")

    def scores(self) -> None:
        pooled, most = not self.room.parts or bool(self.rng.random() < 0.6), self.room.lanes
        most = max(most, self.room.features) if self.room.parts else most
        common, _ = self.linear(some(self.rng, most), pooled=pooled)
        self.layers.append(ScoreLinear(**common, pooled=pooled))


def random_network(seed: int) -> tuple[Network, Spikes | NDArray[np.int64]]:
    """A small network of any code of few steps, of everything that golden computes, and images."""
    rng = np.random.default_rng(seed)
    code = random_code(rng)
    while code.steps < 4 or most_octaves(code) > 12:  # others silence most neurons; the soak draws them
        code = random_code(rng)
    room = Room(
        code=replace(code, steps=min(code.steps, 24)), weight_bits=int(rng.integers(3, 9)), lanes=8,
        tokens=int(rng.integers(2, 7)), features=int(rng.integers(3, 10)), head_dim=int(rng.integers(1, 4)),
        heads=int(rng.integers(1, 4)), wide=bool(rng.random() < 0.1), windows=True, held=True, gathers=True,
        chains=True, parts=True, streams=0.3,
    )  # fmt: skip
    return Drawer(rng, room).draw()
