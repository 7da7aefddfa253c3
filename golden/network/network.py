"""A spiking network: a list of integer layers, checked when it is made, and what they compute.

Layers run in order over named tensors (`golden.network.tensors`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import compute
from golden.code import PhaseCode, Spikes, check_range, encode_finely
from golden.errors import InputError, quoted
from golden.network.checks import check_code, check_integers
from golden.network.limits import (
    LEAST_WEIGHT_BITS,
    MAX_FEATURES,
    MAX_PIXEL_CODES,
    MAX_STREAM,
    MAX_TOKENS,
    MOST_WEIGHT_BITS,
)
from golden.network.tensors import (
    ENTRIES,
    IMAGE,
    SCORES,
    STREAM,
    AttentionEngine,
    Entry,
    Layer,
    Output,
    Run,
    Shapes,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Integers of a whole network.

    Attributes:
        code: the phase code of every spike.
        weight_bits: width of a weight, 2..8.
        tokens: rows of what enters; other tensors may have others (`golden.network.rows`).
        width: of what enters: pixels per token, or channels of the stream.
        scale: what a spike of phase 0 of the image stands for, or a unit of the stream.
        layers: in order of execution (`golden.network.layers`).
        entry: what enters: the spikes of an image, or the stream (vectors, embedded tokens).
        limit: of a stream that enters, its largest magnitude; 0 for an image.
        pixel_codes: spikes of a pixel, each of what those before it leave (`golden.code.encode_finely`);
            width counts them all.

    Raises:
        InputError: layers do not connect, a size or integer is out of range.
    """

    code: PhaseCode
    weight_bits: int
    tokens: int
    width: int
    scale: float
    layers: tuple[Layer, ...]
    entry: Entry = IMAGE
    limit: int = 0
    pixel_codes: int = 1

    def __post_init__(self) -> None:
        check_range("Network.weight_bits", self.weight_bits, LEAST_WEIGHT_BITS, MOST_WEIGHT_BITS)
        check_range("Network.tokens", self.tokens, 1, MAX_TOKENS)
        check_range("Network.width", self.width, 1, MAX_FEATURES)
        check_code("Network.code", self.code)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"Network.scale must be positive and finite, not {self.scale}")
        if self.entry not in ENTRIES:
            raise InputError(f"Network.entry must be one of {', '.join(ENTRIES)}, not {quoted(self.entry)}")
        largest = MAX_STREAM if self.entry == STREAM else 0
        check_range("Network.limit", self.limit, min(1, largest), largest)
        check_range("Network.pixel_codes", self.pixel_codes, 1, MAX_PIXEL_CODES if self.entry == IMAGE else 1)
        if self.width % self.pixel_codes:
            raise InputError(
                f"Network.pixel_codes must divide the width ({self.width}), not {self.pixel_codes}"
            )
        self.shapes()

    @property
    def classes(self) -> int:
        return self.shapes().scores[-1]

    def shapes(self) -> Shapes:
        """Shapes of all tensors, and proven bounds of integers over all inputs.

        Raises:
            InputError: the layers do not connect or a bound leaves its word (`golden.network.limits`).
        """
        if not self.layers:
            raise InputError("a network must have at least one layer")
        shapes = Shapes(self.code, self.weight_bits, {})
        if self.entry == IMAGE:
            shapes.spikes[IMAGE] = self.tokens, self.width
        else:
            shapes.stream = self.tokens, self.width
            shapes.stream_bound = shapes.residual = self.limit
        for index, layer in enumerate(self.layers):
            layer.check(f"layer {index}", shapes)
            if (layer.target == SCORES) != (index == len(self.layers) - 1):
                raise InputError(f"layer {index}: the last layer, and no other, must make {SCORES!r}")
        return shapes


def first_rows(network: Network, rows: int) -> Network:
    """The network for `rows` tokens: it computes what `run_network` does with so many of them.

    Raises:
        InputError: fewer rows are no network of their own: windows, or rows of others that are not there.
    """
    check_range("rows", rows, 1, network.tokens)
    return replace(network, tokens=rows, layers=tuple(layer.first_rows(rows) for layer in network.layers))


def encode_image(network: Network, patches: NDArray[np.floating]) -> Spikes:
    """Spikes [..., tokens, width] of pixel values [..., tokens, width / pixel_codes].

    Raises:
        InputError: wrong shape, NaN or infinity, or a network that the stream enters.
    """
    pixels = _entering(network, patches, IMAGE, "an image")
    return encode_finely(pixels, network.scale, network.code, network.pixel_codes)


def encode_stream(network: Network, rows: NDArray[np.floating]) -> NDArray[np.int64]:
    """Integers [..., tokens, width] of vectors: floor(x/scale + 1/2), saturated at the limit as spikes are.

    Raises:
        InputError: wrong shape, NaN or infinity, or a network that an image enters.
    """
    found = np.floor(_entering(network, rows, STREAM, "vectors") / network.scale + 0.5)
    return np.clip(found, -network.limit, network.limit).astype(np.int64)


def _entering(network: Network, values: NDArray[np.floating], entry: Entry, what: str) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if network.entry != entry:
        raise InputError(f"this network must be given the {network.entry}, not {what}")
    width = network.width // network.pixel_codes
    if floats.shape[-2:] != (network.tokens, width):
        wanted = f"[..., {network.tokens}, {width}]"
        raise InputError(f"{what} must be {wanted}, not {list(floats.shape)}")
    if not np.isfinite(floats).all():
        raise InputError(f"{what} must be finite, not hold NaN or infinity")
    return floats


@dataclass(frozen=True)
class Activity:
    """Everything that a network computed, per layer: spikes, the stream after it, or class scores."""

    outputs: list[Output]

    @property
    def scores(self) -> NDArray[np.int64]:
        scores = self.outputs[-1]
        assert isinstance(scores, np.ndarray)
        return scores


def run_network(
    network: Network,
    entry: Spikes | NDArray[np.int64],
    engine: AttentionEngine = compute,
    after_sum: Callable[[NDArray[np.int64]], NDArray[np.int64]] = lambda stream: stream,
    tokens: NDArray[np.integer] | None = None,
) -> Activity:
    """Run images through all layers.

    Args:
        entry: what enters, [images, tokens, width]: spikes of images, or integers of the stream.
        engine: what computes attention.
        after_sum: what becomes of the stream after each sum; see `golden.network.recode`.
        tokens: [images], rows of each image that are there, the first ones; None for all. The others are
            neither computed nor attended, and neither is a row that would read one of them.

    Returns:
        Outputs of every layer, int64 [images, rows, width] for the stream, [images, classes] for pooled
        scores, else [images, rows, classes].

    Raises:
        InputError: what enters is not what the network takes, or leaves its limit; a number of tokens is out
            of range.
    """
    run, present = Run(network.code, engine, after_sum), None
    if isinstance(entry, Spikes) != (network.entry == IMAGE):
        given = "spikes" if isinstance(entry, Spikes) else "integers"
        raise InputError(f"this network must be given the {network.entry}, not {given}")
    if tokens is not None:
        check_integers("tokens", tokens, [(entry.shape[0],)], network.tokens, 1)
        present = np.arange(network.tokens) < tokens[:, None]
    if isinstance(entry, Spikes):
        run.enter(IMAGE, entry, present)
    else:
        shape = (len(entry), network.tokens, network.width)
        check_integers("the stream that enters", entry, [shape], network.limit)
        run.begin_stream(entry, present)
    return Activity([layer.run(run) for layer in network.layers])
