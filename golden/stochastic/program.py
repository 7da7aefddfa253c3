"""What a core for stochastic networks is given: descriptors and memory images of a network, and its sizes.

The spike memory has two parts: the spikes of the stream; and what attention made, or the hidden neurons,
with those of queries, keys and values behind them. Every layer reads one place and writes another. The image
enters the first part, and the maps of a stem take both in turn; so the stream is in the second, or with an
odd number of convolutions in the first.

A sum of pixels is doubled with each of their bit planes but the first; so a bias of that layer, which enters
with the first plane, is stored doubled, and half a unit of the current with it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.convolution import gather_rows
from golden.errors import InputError
from golden.stochastic.config import MAX_STEPS
from golden.stochastic.descriptors import HeadsOp, Kind, LayerOp
from golden.stochastic.network import SpikingNetwork
from golden.stochastic.network_config import (
    LEAST_STREAM_BITS,
    MAX_LANES,
    PLAN,
    PLANES,
    StochasticNetworkConfig,
)
from golden.stochastic.plan import RandomPlan

# Of a core where nothing else is said: largest T, and neurons at work at once
STEPS, LANES = 10, 32


@dataclass(frozen=True, eq=False)
class Program:
    """A network for cores of so many lanes.

    Attributes:
        layers, heads: descriptors.
        reads: by descriptor, the name of the spikes that it reads (`SpikingNetwork.logits`), or "image";
        writes: the names of those that it writes side by side, or of the scores.
        gathers: by descriptor, the rows of the source that each row reads, int32 [rows, taps], -1 for none;
            None where it reads them in their order.
        weights, biases: int64 [words, lanes].
        maps: where rows by index begin, int64 [words, 2]: address, and whether there is one.
        needs: least sizes of a core, by field of `StochasticNetworkConfig`.
    """

    layers: list[LayerOp]
    heads: HeadsOp
    reads: list[str]
    writes: list[list[str]]
    gathers: list[NDArray[np.int32] | None]
    weights: NDArray[np.int64]
    biases: NDArray[np.int64]
    maps: NDArray[np.int64]
    needs: dict[str, int]


class Compiler:
    """Collects the descriptors of a network in the order of execution."""

    def __init__(self, network: SpikingNetwork, lanes: int, steps: int, streamed: bool) -> None:
        self.network, self.lanes, self.steps, self.streamed = network, lanes, steps, streamed
        self.layers: list[LayerOp] = []
        self.reads: list[str] = []
        self.writes: list[list[str]] = []
        self.weights: list[NDArray[np.int64]] = []
        self.biases: list[NDArray[np.int64]] = []
        self.gathers: list[NDArray[np.int32] | None] = []
        self.maps: list[NDArray[np.int64]] = []
        shape = network.shape
        # largest magnitudes: of the stream by row and feature, of all currents, sums and biases
        self.residual = np.zeros((shape.tokens, shape.width), np.int64)
        self.current = self.sum = self.bias = 0

        def area(words: int, rounds: int = steps, rows: int = shape.tokens) -> int:
            return rows * rounds * words

        stream = area(self._words(shape.width))
        others = max(area(self._words(shape.hidden)), area(shape.heads))
        (layer, side, channels), *_ = shape.convolutions.values()
        image = self._words(layer.taps * channels)
        parts = [[area(image, PLANES, layer.across(side) ** 2)], [0]]
        for index, (layer, side, _) in enumerate(shape.convolutions.values()):
            rows = layer.across(side) ** 2
            parts[(index + 1) % 2].append(area(self._words(layer.outputs), rows=rows))
        first = len(shape.stem) % 2  # part in which the stream is not
        parts[first].append(others + area(self._words(3 * shape.width)))
        sizes = [max(part) for part in parts]
        places = [0, sizes[0]]
        self.other, self.spikes = places[first], places[1 - first]
        self.qkv = self.other + others
        self.end = sum(sizes)
        self.stream = stream
        self.rows = max(layer.across(side) ** 2 for layer, side, _ in shape.convolutions.values())

    def _words(self, neurons: int) -> int:
        return -(-neurons // self.lanes)

    def _array(self, name: str) -> NDArray[np.int64]:
        return self.network.arrays[name].astype(np.int64)

    def layer(
        self, kind: Kind, names: list[str], reads: str, source: int, target: int,
        gather: NDArray[np.int32] | None = None, rows: int | None = None, *, begins: bool = False,
    ) -> None:  # fmt: skip
        """One layer, of the outputs of the named ones side by side, that reads the spikes named, by index or
        in their order; of as many rows as there are tokens when absent."""
        lanes, tap_words = self.lanes, 0
        weight = np.concatenate([self._array(f"{name}_weight") for name in names])
        bias = np.concatenate([self._array(f"{name}_bias") for name in names])[None]
        if begins:
            bias = bias + self._array("position")
        bounds = np.abs(bias), np.abs(weight).sum(axis=1)
        bias = _stored(kind, bias)
        if gather is not None:
            taps = gather.shape[1]
            width = weight.shape[1] // taps
            tap_words = self._words(width)
            # whole words for every tap
            more = tap_words * lanes - width
            weight = np.pad(weight.reshape(len(weight), taps, width), ((0, 0), (0, 0), (0, more)))
            weight = weight.reshape(len(weight), -1)
        outputs, inputs = weight.shape
        # attention writes a word per head
        per_word = self.network.shape.head_dim if reads.endswith("attention") else lanes
        self._bounds(kind, *bounds, begins=begins)
        # class scores stay in the lanes, so they have a descriptor per pass
        size = lanes if kind is Kind.scores else outputs
        for first in range(0, outputs, size):
            ours = slice(first, first + size)
            passes = self._words(len(weight[ours]))
            padding = (0, passes * lanes - len(weight[ours]))
            table = np.pad(weight[ours], (padding, (0, 0))).reshape(passes, lanes, inputs)
            biases = np.pad(bias[:, ours], ((0, 0), padding)).reshape(-1, passes, lanes)
            self.layers.append(
                LayerOp(
                    kind=kind, begins=begins, rows=rows or self.network.shape.tokens, source=source,
                    target=target, inputs=inputs, per_word=per_word, indexed=gather is not None,
                    map=sum(map(len, self.maps)) if tap_words else 0, tap_words=tap_words,
                    words=-(-inputs // per_word), passes=passes, steps=self.steps,
                    weight=sum(map(len, self.weights)), bias=sum(map(len, self.biases)),
                    attend=len(names) > 1, outputs=lanes - padding[1], final=False,
                )
            )  # fmt: skip
            self.reads.append(reads)
            self.writes.append(names)
            self.weights.append(table.swapaxes(1, 2).reshape(-1, lanes))
            self.biases.append(biases.swapaxes(0, 1).reshape(-1, lanes))
            self.gathers.append(gather)
        if gather is not None:
            there = gather.ravel() >= 0
            starts = source + np.where(there, gather.ravel(), 0) * self.steps * tap_words
            self.maps.append(np.stack([starts, there], axis=1).astype(np.int64))

    def _bounds(
        self, kind: Kind, bias: NDArray[np.int64], weight: NDArray[np.int64], *, begins: bool
    ) -> None:
        """Follow the largest magnitudes through a layer: of biases and sums of weights, by output."""
        largest = bias + weight
        self.bias = max(self.bias, int(_stored(kind, bias).max()))
        if kind is Kind.scores:
            # over all rows and time steps, and nothing fires
            sums = self.network.shape.tokens * self.steps * largest
        elif kind is Kind.entry:
            sums = (bias << PLANES) + ((1 << PLANES) - 1) * weight + (1 << (PLANES - 1))
        else:
            if kind is Kind.stream:
                self.residual = largest = self.residual + largest
            sums = largest
        if begins:
            self.residual = largest
        self.sum = max(self.sum, int(sums.max()))
        if kind is not Kind.scores:
            self.current = max(self.current, int(largest.max()))

    def program(self) -> Program:
        """Everything, complete."""
        shape, steps = self.network.shape, self.steps
        words = self._words(3 * shape.width)
        return Program(
            layers=[*self.layers[:-1], replace(self.layers[-1], final=True)],
            reads=self.reads,
            writes=self.writes,
            gathers=self.gathers,
            heads=HeadsOp(
                source=self.qkv, target=self.other, heads=shape.heads, width=shape.width, words=words,
                steps=steps, source_span=steps * words, target_span=steps * shape.heads,
            ),
            weights=np.concatenate(self.weights),
            biases=np.concatenate(self.biases),
            maps=np.concatenate([np.zeros((0, 2), np.int64), *self.maps]),
            needs={
                "steps": steps,
                "rows": self.rows,
                "spikes": max(self.end, *(op.words for op in self.layers)),  # `words` is as wide
                "stream": self.stream,
                "weights": max(op.inputs for op in self.layers)
                if self.streamed
                else sum(map(len, self.weights)),
                "biases": sum(map(len, self.biases)),
                "layers": len(self.layers),
                "maps": sum(map(len, self.maps)),
                "accumulator_bits": max(signed_bits(self.sum), signed_bits(self.current), LEAST_STREAM_BITS),
                "stream_bits": max(signed_bits(self.current), LEAST_STREAM_BITS),
                "bias_bits": signed_bits(self.bias),
            },
        )  # fmt: skip


def _stored(kind: Kind, bias: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the bias memory holds; see above for that of pixels, which has half a unit besides."""
    return 2 * bias + 1 if kind is Kind.entry else bias


def signed_bits(magnitude: int) -> int:
    """Bits of a signed integer of at most that magnitude, at least two."""
    return max(2, magnitude.bit_length() + 1)


def check_network(network: SpikingNetwork) -> None:
    """Raise InputError unless the core has a unit for every part of a network."""
    if network.kind != "ssa":
        raise InputError(f"the core for stochastic networks has ssa attention, not {network.kind}")


def compile_network(network: SpikingNetwork, lanes: int, steps: int, *, streamed: bool = False) -> Program:
    """Descriptors and memory images of a network that runs for T = `steps`.

    Args:
        streamed: a core has the weights of a pass at a time.

    Raises:
        InputError: the core has no unit for a part of it.
    """
    check_network(network)
    made = Compiler(network, lanes, steps, streamed)
    other, spikes, qkv = made.other, made.spikes, made.qkv
    places, last = (other, spikes) if not len(network.shape.stem) % 2 else (spikes, other), "image"
    for index, (name, (layer, side, _)) in enumerate(network.shape.convolutions.items()):
        made.layer(
            Kind.spikes if index else Kind.entry, [name], last, places[index % 2], places[1 - index % 2],
            layer.gather(side) if index else None, layer.across(side) ** 2, begins=name == "embed",
        )  # fmt: skip
        last = name
    for block in (f"block{n}" for n in range(network.shape.depth)):
        made.layer(Kind.spikes, [f"{block}_{n}" for n in "qkv"], last, spikes, qkv)
        made.layer(Kind.stream, [f"{block}_o"], f"{block}_attention", other, spikes)
        made.layer(Kind.spikes, [f"{block}_up"], f"{block}_o", spikes, other)
        made.layer(Kind.stream, [f"{block}_down"], f"{block}_up", other, spikes)
        last = f"{block}_down"
    made.layer(Kind.scores, ["classes"], last, spikes, other)
    return made.program()


def config_for(
    network: SpikingNetwork,
    steps: int = STEPS,
    lanes: int = LANES,
    plan: RandomPlan | None = None,
    weight_stream: int = 0,
) -> StochasticNetworkConfig:
    """The smallest core that runs a network for up to `steps` time steps; the default plan when absent.

    Args:
        weight_stream: as in `StochasticNetworkConfig`.

    Raises:
        InputError: a number is out of range, or the core cannot run the network.
    """
    check_range("StochasticNetworkConfig.lanes", lanes, 1, MAX_LANES)
    check_range("StochasticNetworkConfig.steps", steps, 1, MAX_STEPS)
    needs: dict[str, Any] = dict(compile_network(network, lanes, steps, streamed=weight_stream > 0).needs)
    shape = network.shape
    return StochasticNetworkConfig(
        tokens=shape.tokens, head_dim=shape.head_dim, lanes=lanes, plan=plan or RandomPlan(),
        weight_stream=weight_stream, **needs,
    )  # fmt: skip


def sized_config(network: SpikingNetwork, given: dict[str, Any]) -> StochasticNetworkConfig:
    """A core for a network: given sizes and fields of the plan, and the smallest for the rest.

    Raises:
        InputError: one is out of range, or the network does not fit: what it needs, what there is.
    """
    plan = RandomPlan(**{name: given[name] for name in PLAN if name in given})
    config = config_for(
        network, given.get("steps", STEPS), given.get("lanes", LANES), plan, given.get("weight_stream", 0)
    )
    config = replace(config, **{name: value for name, value in given.items() if name not in PLAN})
    check_fit(network, config.steps, config)
    return config


def check_fit(network: SpikingNetwork, steps: int, config: StochasticNetworkConfig) -> Program:
    """The program of a network for a core, or InputError with what it needs and what there is."""
    program = compile_network(network, config.lanes, steps, streamed=config.weight_stream > 0)
    shape = network.shape
    for name, of_network in (("tokens", shape.tokens), ("head_dim", shape.head_dim)):
        if of_network != getattr(config, name):
            raise InputError(
                f"the network must have {name} = {getattr(config, name)} for this core, not {of_network}"
            )
    for name, need in program.needs.items():
        have = getattr(config, name)
        if need > have:
            raise InputError(f"the network needs {name} = {need}, this core has {have}")
    return program


def bit_planes(network: SpikingNetwork, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels as they enter, bool [images, tokens, planes, pixels of a patch], the highest bit first."""
    (layer, side, channels), *_ = network.shape.convolutions.values()
    pixels = gather_rows(images.reshape(len(images), -1, channels), layer.gather(side))
    places = np.arange(PLANES)[::-1, None]
    return (pixels.astype(np.uint8)[:, :, None] >> places & 1).astype(np.bool_)
