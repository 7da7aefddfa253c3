"""What each layer of an integer network makes in place, beside what the float model makes there."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import MAX_DENOMINATOR, MAX_STEPS, PhaseCode, Spikes, decode, encode
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.checks import check_code
from golden.network.layers import Norm
from golden.network.network import run_network
from golden.network.rows import gathered_rows
from models.conversion.network import IntegerModel, alike
from models.conversion.reading import Reading
from models.floating.engine import FloatEngine, Floats, Linear
from models.floating.functions import Activation
from models.floating.functions import Norm as FloatNorm
from models.floating.model import Model

# Rows of samples that are compared at a time: every tensor of the float model is kept for them
ROWS_AT_A_TIME = 1024


class Tensors(FloatEngine):
    """Floats; keeps what enters each node, what dense layers and norms make, and what an activation makes of
    it, by node."""

    def __init__(self) -> None:
        self.entered: dict[str, Floats] = {}
        self.made: dict[str, Floats] = {}
        self.activated: dict[str, Floats] = {}

    def linear(self, name: str, x: Floats, layer: Linear) -> Floats:
        self.entered[name], self.made[name] = x, super().linear(name, x, layer)
        return self.made[name]

    def activate(self, x: Floats, activation: Activation) -> Floats:
        # of the dense layer that was the last
        self.activated[next(reversed(self.made))] = made = super().activate(x, activation)
        return made

    def norm(self, name: str, x: Floats, norm: FloatNorm) -> Floats:
        self.entered[name], self.made[name] = x, super().norm(name, x, norm)
        return self.made[name]

    def stream(self, name: str, x: Floats) -> Floats:
        self.entered[name] = x
        return x

    def before(self, norm: str) -> Floats:
        """The stream that a norm of the integers reads, or a code of the stream as it is."""
        found = self.entered.get(norm)
        return self.entered[f"{norm.removesuffix('inputs')}query"] if found is None else found


@dataclass(kw_only=True)
class NodeError:
    """Sums over everything that a node made; squares are in units of the float model.

    Attributes:
        square, total: of the error in place, and of what the float model makes.
        worst, largest: magnitudes likewise.
        spikes, neurons: that fired, and that could; 0 of streams and scores.
        below, silent, beyond, rounding: of the errors of the code that is nearest to the floats: of
            potentials below which neurons are silent whatever they stand for, of values too small to fire,
            of values beyond the first phase, and of all others.
        longer, finer: what `silent` and `rounding` are in the codes of `longer_code` and `finer_code`.
    """

    square: float = 0.0
    total: float = 0.0
    worst: float = 0.0
    largest: float = 0.0
    spikes: int = 0
    neurons: int = 0
    below: float = 0.0
    silent: float = 0.0
    beyond: float = 0.0
    rounding: float = 0.0
    longer: float = 0.0
    finer: float = 0.0

    def share(self, square: float) -> float:
        """An error as relative RMSE."""
        return math.sqrt(square / self.total) if self.total else 0.0

    @property
    def in_place(self) -> float:
        return self.share(self.square)

    @property
    def reach(self) -> float:
        """The largest error over the largest output."""
        return self.worst / self.largest if self.largest else 0.0

    @property
    def code(self) -> float | None:
        """Relative RMSE of the nearest code, None of what makes no spikes."""
        lost = self.below + self.silent + self.beyond + self.rounding
        return self.share(lost) if self.neurons else None

    @property
    def density(self) -> float | None:
        """Share of neurons that fire, None of what makes no spikes."""
        return self.spikes / self.neurons if self.neurons else None

    def add(self, floats: Floats, integers: NDArray[np.float64]) -> None:
        """What the float model and the integers make, of one shape."""
        exact = floats.astype(np.float64)
        self.square += float(np.square(integers - exact).sum())
        self.total += float(np.square(exact).sum())
        self.worst = max(self.worst, float(np.abs(integers - exact).max()))
        self.largest = max(self.largest, float(np.abs(exact).max()))

    def add_code(
        self, spikes: Spikes, floats: Floats, reading: Reading, code: PhaseCode, potential: Floats | None
    ) -> None:
        """What fired where the float model makes these values, of these potentials if they matter."""
        self.spikes += spikes.count()
        self.neurons += spikes.sign.size
        values = floats.astype(np.float64) - (0.0 if reading.offset is None else reading.offset)
        # Without a gain nothing is read of a neuron; any scale does
        scale = np.where(reading.scale == 0, 1.0, np.abs(reading.scale))
        if reading.start is not None:
            assert potential is not None
            below = potential.reshape(values.shape) < reading.start
            self.below += float(np.square(values[below]).sum())
            values = np.where(below, 0.0, values)
        silent, beyond, rounding = losses(values, scale, code)
        self.silent += silent
        self.beyond += beyond
        self.rounding += rounding
        longer, finer = longer_code(code), finer_code(code)
        self.longer += 0.0 if longer is None else losses(values, scale, longer)[0]
        self.finer += 0.0 if finer is None else losses(values, scale, finer)[2]


def losses(values: Floats, scale: Floats, code: PhaseCode) -> tuple[float, float, float]:
    """Sums of squared errors of a code: of silent values, of those beyond phase 0, of all others."""
    spikes = encode(values, scale, code)
    square = np.square(decode(spikes, scale, code) - values)
    silent = spikes.sign == 0
    # one phase more before the first would be nearer
    beyond = np.abs(values) >= scale * code.threshold_shift * code.base
    found = [float(square[part].sum()) for part in (silent, beyond, ~silent & ~beyond)]
    return found[0], found[1], found[2]


def valid(steps: int, code: PhaseCode, log2_base: Fraction) -> PhaseCode | None:
    """The code with other steps and base, None where networks cannot have it."""
    if steps > MAX_STEPS:
        return None
    found = replace(code, steps=steps, log2_base=log2_base)
    try:
        check_code("code", found)
    except InputError:
        return None
    return found


def longer_code(code: PhaseCode) -> PhaseCode | None:
    """Of the same base, with steps for values half as large; None where no network can have it."""
    return valid(code.steps + math.ceil(1 / code.log2_base), code, code.log2_base)


def finer_code(code: PhaseCode) -> PhaseCode | None:
    """Of the same range, with half the distance between phases or less; None where no network can have it."""
    half = code.log2_base / 2
    bases = [Fraction(math.floor(half * b), b) for b in range(1, MAX_DENOMINATOR + 1)]
    base = max(bases)
    return valid(math.ceil(code.steps * code.log2_base / base), code, base) if base else None


def measure(made: IntegerModel, model: Model, samples: list[NDArray[Any]]) -> dict[str, NodeError]:
    """Errors by node, in order of execution; of what is added to the stream, that of the stream behind it.

    A layer that adds to the stream what another one completes has none of its own.

    Args:
        made: as `models.conversion.network.integers_of` makes it, with its readings.
        samples: batches of the model's inputs.
    """
    found: dict[str, NodeError] = {}
    for batch in pieces(made, model, samples):
        floats = Tensors()
        exact, entry = model.run(batch, floats), made.encode(model, batch)
        here = replace(made, network=made.of_rows(entry.shape[-2]))
        outputs = run_network(here.network, entry).outputs
        for index, output in enumerate(outputs[:-1]):
            if isinstance(output, Spikes):
                add_spikes(found, here, index, output, floats)
            else:
                add_stream(found, here, index, output, floats)
        scores = outputs[-1]
        assert not isinstance(scores, Spikes)
        error = found.setdefault(made.nodes[-1][0], NodeError())
        error.add(exact, made.outputs(scores, entry.shape[-2]))
        found |= dict.fromkeys(made.nodes[-1], error)
    return found


def add_spikes(
    found: dict[str, NodeError], made: IntegerModel, index: int, spikes: Spikes, floats: Tensors
) -> None:
    """Errors of the nodes whose values a layer fires, side by side in equal parts."""
    nodes, reading, code = made.nodes[index], made.readings[index], made.network.code
    assert reading is not None
    reference = of_spikes(made, index, floats, spikes.shape)
    width = spikes.shape[-1] // len(nodes)
    for place, node in enumerate(nodes):
        part = slice(place * width, (place + 1) * width)
        offset = None if reading.offset is None else reading.offset[part]
        read = replace(reading, scale=reading.scale[part], offset=offset)
        error, exact, fired = found.setdefault(node, NodeError()), reference[..., part], spikes[..., part]
        error.add(exact, decode(fired, read.scale, code) + (0.0 if offset is None else offset))
        error.add_code(fired, exact, read, code, floats.made.get(node))


def add_stream(
    found: dict[str, NodeError], made: IntegerModel, index: int, stream: NDArray[np.int64], floats: Tensors
) -> None:
    """Error of the stream where a norm reads it next, if this layer is not the one that repeats a norm."""
    following, nodes, reading = made.network.layers[index + 1], made.nodes[index], made.readings[index]
    if not isinstance(following, Norm) or (index and nodes == made.nodes[index - 1]):
        return
    assert reading is not None
    exact = floats.before(made.nodes[index + 1][0])
    if following.gather is not None:
        # the float model may gather rows before the norm, or norm all of them
        rows = gathered_rows(stream, following.gather, 0)
        stream = rows if rows.size == exact.size else stream
    found.setdefault(nodes[0], NodeError()).add(exact.reshape(stream.shape), stream * reading.scale)


def pieces(made: IntegerModel, model: Model, samples: list[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Batches of samples of one shape, few enough at a time."""
    for batch in alike(samples):
        count = max(1, ROWS_AT_A_TIME // model.entering(batch[:1]).shape[-2])
        for first in range(0, len(batch), count):
            yield batch[first : first + count]


def of_spikes(made: IntegerModel, index: int, floats: Tensors, shape: tuple[int, ...]) -> Floats:
    """What the float model makes where a layer makes spikes [images, rows, width]."""
    layer, nodes = made.network.layers[index], made.nodes[index]
    if isinstance(layer, Norm):
        reference = floats.made.get(nodes[0])
        reference = floats.before(nodes[0]) if reference is None else reference
        reading = made.readings[index]
        codes = 1 if reading is None else reading.codes
        reference = np.tile(reference.reshape(shape[0], -1, shape[2] // codes), codes)
        if reference.shape[1] != shape[1] and layer.gather is not None:
            reference = reference[:, layer.gather[:, 0]]
        return reference
    reader = next(
        place
        for place in range(index + 1, len(made.nodes))
        if made.network.layers[place].source == layer.target
    )
    if isinstance(made.network.layers[reader], Attention):
        reference = np.concatenate([floats.made[node] for node in nodes], axis=-1)
    elif nodes[0] in floats.activated:
        # of which the reader may gather rows
        reference = floats.activated[nodes[0]]
    else:
        reference = floats.entered[made.nodes[reader][0]]
    return reference.reshape(shape)
