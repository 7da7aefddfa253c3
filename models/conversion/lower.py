"""Each float model as integer layers: which pieces, in which order."""

from dataclasses import dataclass, replace
from functools import singledispatch
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from golden.code import remainder_shift
from golden.errors import InputError
from golden.network.tensors import IMAGE, STREAM, Entry
from models.conversion.builder import IN_FLOATS, Builder
from models.conversion.dense import beside, bias_of, scaled
from models.conversion.encoder import lower_block, lower_encoder
from models.conversion.reading import Reading, Windows, positive
from models.conversion.thresholds import Array
from models.floating.bert import Bert, TextHead, relative_buckets
from models.floating.engine import Linear as Dense
from models.floating.functions import ACTIVATIONS, HEAD_ACTIVATIONS
from models.floating.gpt2 import Gpt2
from models.floating.model import Model
from models.floating.swin import Swin, SwinStage, relative_index, shift_mask
from models.floating.torch_encoder import TorchEncoder
from models.floating.vit import Stem, Vit

# Vectors that enter may be larger than those of the calibration by this factor, in bits
HEADROOM_BITS = 2
# Text encoders set the stream anew at every norm; each code that it is the mean of costs a product as wide as
# the stream
RESIDUAL_CODES = 2
# Convolutions take differences of neighbouring pixels, which one code of each would drown in its rounding
PIXEL_CODES = 2


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What leads from floats into a network and from its scores back to floats.

    Attributes:
        entry: what enters.
        scale: value of a unit of what enters.
        width: of what enters.
        pixel_codes: of an image, see `golden.network.network.Network`.
        limit: largest magnitude of a stream that enters, 0 for an image.
        unit: value of a unit of each score, float64 [outputs].
        mean: float64 [outputs], added to scores that are divided by the number of tokens of the inference;
            None where they are not divided.
        length_one: outputs are scaled to the length 1.
        last: the outputs are those of the last token.
        all_rows: samples must have all rows of the network.
    """

    entry: Entry
    scale: float
    width: int
    pixel_codes: int = 1
    limit: int = 0
    unit: Array
    mean: Array | None = None
    length_one: bool = False
    last: bool = False
    all_rows: bool = False


@singledispatch
def lower(model: Model, make: Builder, rows: int) -> Ends:
    """Append the layers of a model that is given `rows` rows at most.

    Raises:
        InputError: there are no layers for it.
    """
    raise InputError(f"a model of kind {type(model).__name__} has no integer layers")


def identity(width: int) -> Dense:
    """Vectors as they are."""
    return Dense(weight=np.eye(width))


@lower.register
def _(model: Vit, make: Builder, rows: int) -> Ends:
    first = len(model.first)
    places = np.arange(len(model.positions)) - first
    gather = np.maximum(places, -1)[:, None] if first else None
    positions = model.positions.astype(np.float64)
    if first:  # rows without a source take the bias of the embedding all the same
        bias = 0 if model.embedding.bias is None else model.embedding.bias
        positions[:first] += model.first - bias
    names = [f"block{i}.norm{n}" for i in range(len(model.blocks)) for n in (1, 2)]
    final = "pooling" if model.pool_first and model.pooling != "cls" else "norm"
    make.begin_stream(*(["entry_norm"] if model.entry_norm is not None else [*names, final]))
    width, codes = model.embedding.weight.shape[1], 1
    if model.stem is None:
        scale = make.image(model.embedding, gather, positions)
    else:
        width, codes = PIXEL_CODES * model.channels, PIXEL_CODES
        scale = lower_stem(make, model.stem, model, positions)
    if model.entry_norm is not None:
        entering = make.norm("entry_norm", model.entry_norm)
        make.begin_stream(*names, final)
        make.residual(entering, "entry_norm")
    lower_encoder(make, model.blocks, len(model.positions))
    return Ends(entry=IMAGE, scale=scale, width=width, pixel_codes=codes, unit=lower_vit_head(model, make))


def lower_stem(make: Builder, stem: Stem, model: Vit, positions: Array) -> float:
    """Convolutions, then the embedding, which begins the stream; returns the scale of the image."""
    names = [*(f"stem{index}" for index in range(len(stem.layers))), "embedding"]
    scale = float(make.ranges.linear[names[0]].max())
    parts = scale * 2.0 ** (-remainder_shift(make.code) * np.arange(PIXEL_CODES))
    reading = Reading(source=IMAGE, scale=np.repeat(parts, model.channels), parts=PIXEL_CODES)
    *gathers, last = (gather.astype(np.int64) for gather in stem.gathers())
    for name, following, layer, gather in zip(names[:-1], names[1:], stem.layers, gathers, strict=True):
        # a map has one scale per channel, whichever tap reads it
        largest = make.ranges.linear[following].reshape(-1, len(layer.weight)).max(axis=0)
        reading = make.spikes(
            reading.taken(gather.shape[1]), layer, name, positive(largest), name,
            activation=ACTIVATIONS["relu"], gather=gather,
        )  # fmt: skip
    reading = reading.taken(last.shape[1])
    make.stream(reading, model.embedding, "embedding", fresh=True, gather=last, rows=positions)
    return scale


def lower_vit_head(model: Vit, make: Builder) -> Array:
    """Final norm, pooling and classifiers, or the feature; returns the units of the scores."""
    first, width = len(model.first), len(model.norm.weight)
    rows = np.arange(first, len(model.positions))
    nodes = [name for name, _ in model.heads] or ["feature"]
    head, alike = model.head or identity(2 * width if model.pooling == "both" else width), bool(model.heads)
    if model.teacher_head is not None:
        # the mean of both classifiers, of the first two tokens; of the patches and the second one
        head, teacher = scaled(head, 0.5), scaled(model.teacher_head, 0.5)
        if model.pooling == "cls":
            reading = make.norm("norm", model.norm, np.array([[0], [1]]))
            taps = np.array([[0, 1]])
            mean = np.concatenate([make.ranges.mean(node) for node in nodes])
            layer = beside(head, teacher)
            return make.scores(reading.taken(2), layer, *nodes, gather=taps, alike=alike, mean=mean)
        make.refuse("teacher_head", f"beside a mean over the patches it has no integer layer; {IN_FLOATS}")
    if model.pooling == "cls":
        return make.scores(make.norm("norm", model.norm, np.array([[0]])), head, *nodes, alike=alike)
    if model.pooling == "both":
        # every row reads the class token beside its own
        reading, taps = make.norm("norm", model.norm).taken(2), np.stack([np.zeros_like(rows), rows], axis=1)
        return make.scores(reading, head, *nodes, rows=len(rows), gather=taps, alike=alike)
    if model.pool_first:
        # a norm does not mind whether it is given the sum or the mean
        reading = make.coded("pooling", make.ranges.stream["pooling"])
        make.begin_stream("norm")
        pooled = Dense(weight=np.tile(np.eye(width) / len(rows), len(rows)))
        make.stream(reading.taken(len(rows)), pooled, "pooling", fresh=True, gather=rows[None])
        return make.scores(make.norm("norm", model.norm), head, *nodes, alike=alike)
    reading = make.norm("norm", model.norm, rows[:, None] if first else None)
    return make.scores(reading, head, *nodes, rows=len(rows), alike=alike)


@lower.register
def _(model: Swin, make: Builder, rows: int) -> Ends:
    side = isqrt(rows)
    make.begin_stream("embedding.norm")
    scale = make.image(model.embedding, None, None)
    reading, node = make.norm("embedding.norm", model.embedding_norm), "embedding.norm"
    for number, stage in enumerate(model.stages):
        names = [f"stage{number}.block{i}.norm{n}" for i in range(len(stage.blocks)) for n in (1, 2)]
        last = number == len(model.stages) - 1
        names.append("norm" if last else f"stage{number + 1}.merge.norm")
        if stage.merge is not None:
            side //= 2
            merge = f"stage{number}.merge"
            reading = make.norm(f"{merge}.norm", stage.merge.norm, merged_rows(side))
            make.begin_stream(*names)
            make.stream(reading, stage.merge.reduction, merge, fresh=True)
        else:
            make.begin_stream(*names)
            make.residual(reading, node)
        lower_stage(make, f"stage{number}", stage, side)
    reading = make.norm("norm", model.norm)
    head = model.head or identity(len(model.norm.weight))
    name = "feature" if model.head is None else "head"
    unit = make.scores(reading, head, name, rows=side * side, alike=model.head is not None)
    return Ends(entry=IMAGE, scale=scale, width=model.embedding.weight.shape[1], unit=unit)


def lower_stage(make: Builder, name: str, stage: SwinStage, side: int) -> None:
    """Blocks of one resolution, side x side tokens."""
    for index, swin in enumerate(stage.blocks):
        size = swin.window
        # A single window has nothing to shift against
        shift = size // 2 if index % 2 == 1 and side > size else 0
        grid = np.roll(np.arange(side * side).reshape(side, side), (-shift, -shift), axis=(0, 1))
        across = side // size
        order = grid.reshape(across, size, across, size).swapaxes(1, 2).ravel()
        windows = Windows(
            rows=None if (order == np.arange(len(order))).all() else order,
            groups=across * across,
            bias=swin.bias_table[relative_index(size)].transpose(2, 0, 1),
            allowed=shift_mask(side, side, size, shift) if shift else None,
        )
        lower_block(make, f"{name}.block{index}", swin.block, windows)


def merged_rows(side: int) -> NDArray[np.int64]:
    """The four neighbours that make up each of side x side rows; columns first, as in the reference."""
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    corner = 2 * rows * 2 * side + 2 * columns
    return np.stack([corner, corner + 2 * side, corner + 1, corner + 2 * side + 1], axis=-1).reshape(-1, 4)


def entering_stream(make: Builder, largest: float, width: int, bits: int = 0) -> dict[str, float | int | str]:
    """Fields of `Ends` of a stream that enters and whose values reach `largest`, times 2**bits."""
    limit = int(np.ceil(largest / make.stream_unit)) + 1
    return {"entry": STREAM, "scale": make.stream_unit, "width": width, "limit": limit << bits}


@lower.register
def _(model: TorchEncoder, make: Builder, rows: int) -> Ends:
    blocks, norm = model.blocks, model.norm
    first, width = blocks[0].norm_first, blocks[0].query.weight.shape[1]
    final = "outputs" if norm is None else "norm"
    names = [f"block{i}.norm{n}" for i in range(len(blocks)) for n in (1, 2)]
    make.begin_stream(*([*names, final] if first else names[:1]))
    if model.embedding is None:
        entry = entering_stream(make, float(make.ranges.stream[names[0]].max()), width, HEADROOM_BITS)
    else:
        entry = embedded_vectors(model, make, rows)
        rows += model.class_token is not None
    causal = np.tri(rows, dtype=bool)[None] if model.causal else None
    reading = lower_encoder(make, blocks, rows, windows=Windows(allowed=causal), streamed=norm is not None)
    token = {"cls": np.array([[0]]), "last": np.array([[rows - 1]])}.get(model.pooling or "")
    if norm is not None:
        reading, token = make.norm("norm", norm, token), None
    elif reading is None:
        reading, token = make.coded("outputs", make.ranges.stream["outputs"], token), None
    unit = make.scores(
        reading,
        model.head or identity(width),
        "outputs" if model.head is None else "head",
        rows=rows if model.pooling == "mean" else 1,
        pooled=model.pooling is not None,
        gather=token,
        alike=model.head is not None,
    )
    return Ends(**entry, unit=unit, all_rows=model.pooling is not None)  # type: ignore[arg-type]


def embedded_vectors(model: TorchEncoder, make: Builder, rows: int) -> dict[str, float | int | str]:
    """Append the embedding of `rows` vectors, with class token and positions; fields of `Ends`."""
    assert model.embedding is not None
    first, width = int(model.class_token is not None), len(model.embedding.weight)
    added = np.zeros((first + rows, width))
    if model.positions is not None:
        added += model.positions[: first + rows]
    if model.class_token is not None:  # a row without a source takes the bias of the embedding all the same
        added[:1] += model.class_token - bias_of(model.embedding)
    gather = np.arange(-1, rows)[:, None] if first else None
    scale = make.image(model.embedding, gather, added)
    return {"entry": IMAGE, "scale": scale, "width": model.embedding.weight.shape[1]}


@lower.register
def _(model: Gpt2, make: Builder, rows: int) -> Ends:
    names = [f"block{i}.norm{n}" for i in range(len(model.blocks)) for n in (1, 2)]
    make.begin_stream(*names, "norm")
    largest = float(np.abs(model.words).max() + np.abs(model.positions).max())
    entry = entering_stream(make, largest, model.words.shape[1])
    lower_encoder(make, model.blocks, rows, windows=Windows(allowed=np.tri(rows, dtype=bool)[None]))
    unit = make.scores(make.norm("norm", model.norm), model.head, "head", pooled=False)
    return Ends(**entry, unit=unit, last=True)  # type: ignore[arg-type]


@lower.register
def _(model: Bert, make: Builder, rows: int) -> Ends:
    make.residual_codes = RESIDUAL_CODES
    make.begin_stream("embedding.norm")
    parts = (model.words, model.positions, *([] if model.types is None else [model.types]))
    largest = float(sum(np.abs(part).max() for part in parts))
    entry = entering_stream(make, largest, model.words.shape[1])
    reading: Reading | None = None
    if model.project is None:
        reading = make.renewed("embedding.norm", model.norm, rows, "block0.norm1")
    else:
        entering = make.norm("embedding.norm", model.norm)
        make.begin_stream("block0.norm1")
        make.stream(entering, model.project, "embedding.project", fresh=True)
    bias = None
    if model.relative is not None:
        bias = model.relative[relative_buckets(rows)].transpose(2, 0, 1)
    reading = lower_encoder(make, model.blocks, rows, reading, Windows(bias=bias))
    assert reading is not None, "norms of text encoders stand after the sums"
    token = np.array([[0]])
    if model.head is not None:
        return Ends(**entry, unit=lower_text_head(model.head, make, reading, token))  # type: ignore[arg-type]
    layer = model.classifier or identity(len(reading.scale) // reading.codes)
    name, alike = ("classifier", True) if model.classifier else ("pooling", False)
    length_one = model.unit and model.classifier is None
    if model.pooling == "cls":
        unit = make.scores(reading, layer, name, gather=token, alike=alike)
        return Ends(**entry, unit=unit, length_one=length_one)  # type: ignore[arg-type]
    # The number of tokens is not known before there is a sentence: what enters once per token is added behind
    silent = replace(reading, offset=None)
    _, offset = reading.fold(layer)
    mean = make.ranges.mean(f"block{len(model.blocks) - 1}.norm2")
    mean = mean if reading.offset is None else mean - reading.offset[: len(mean)]
    unit = make.scores(silent, Dense(weight=layer.weight), name, alike=alike, mean=mean)
    return Ends(**entry, unit=unit, mean=offset, length_one=length_one)  # type: ignore[arg-type]


def lower_text_head(head: TextHead, make: Builder, reading: Reading, token: NDArray[np.int64]) -> Array:
    """Two dense layers on the token that is classified."""
    activation, largest = HEAD_ACTIVATIONS[head.activation], positive(make.ranges.linear["head"])
    pooled = make.spikes(
        reading, head.pooler, "hidden", largest, "pooler", activation=activation, gather=token
    )
    if not activation.odd:
        pooled = pooled.above(make.ranges.silent_mean("head"))
    return make.scores(pooled, head.classifier, "head")
