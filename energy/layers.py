"""Layer lists: how many operations and outputs each layer of a transformer has.

One operation is one multiply-accumulate of the float network, or one synapse that a spike could
cross in the spiking network. An output is a value that is written once (float) or a neuron (spikes).
"""

from dataclasses import dataclass
from typing import Literal

from golden.code import check_range
from golden.errors import InputError, quoted

# Of a text encoder: what an attention core can hold
MAX_TOKENS = 1024

LayerKind = Literal["linear", "score", "context", "norm", "pool"]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a network, for one inference.

    Attributes:
        name: path of the layer, parts joined by dots.
        kind: linear (static weights), score (q k^T), context (attention times v), norm, pool.
        operations: multiply-accumulates of the float network.
        outputs: values produced.
        tokens: rows of the input.
        fan_in: inputs per output.
    """

    name: str
    kind: LayerKind
    operations: int
    outputs: int
    tokens: int
    fan_in: int


@dataclass(frozen=True, kw_only=True)
class EncoderShape:
    """A plain transformer encoder (BERT, ViT).

    Attributes:
        layers, tokens, dim, heads, hidden: counts; `hidden` is the width of the MLP.
        classes: outputs of the head, 0 for none.
        patch_inputs: inputs of the patch embedding per token, 0 where tokens are looked up.
        pooler: a dense layer on the first token before the head (BERT).
    """

    layers: int
    tokens: int
    dim: int
    heads: int
    hidden: int
    classes: int = 0
    patch_inputs: int = 0
    pooler: bool = False


@dataclass(frozen=True, kw_only=True)
class SwinShape:
    """A Swin transformer (Liu et al., 2021); sizes of the first stage, doubling at each stage.

    Attributes:
        image: pixels per side.
        patch: pixels per side of a patch.
        dim: channels of the first stage.
        depths: blocks per stage.
        heads: heads per stage.
        window: tokens per side of a window.
        mlp_ratio: hidden width of the MLP over the channels.
        classes: outputs of the head.
    """

    image: int = 224
    patch: int = 4
    dim: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    window: int = 7
    mlp_ratio: int = 4
    classes: int = 1000


BERT_BASE = EncoderShape(layers=12, tokens=128, dim=768, heads=12, hidden=3072, classes=2, pooler=True)
MINILM_L6 = EncoderShape(layers=6, tokens=128, dim=384, heads=12, hidden=1536)
VIT_BASE = EncoderShape(layers=12, tokens=197, dim=768, heads=12, hidden=3072, classes=1000, patch_inputs=768)
SWIN_T = SwinShape()
SHAPES: dict[str, EncoderShape | SwinShape] = {
    "swin-t": SWIN_T,
    "bert-base": BERT_BASE,
    "minilm-l6": MINILM_L6,
    "vit-base": VIT_BASE,
}


def layer_list(model: str, tokens: int | None = None) -> list[Layer]:
    """Layers of a named network.

    Args:
        model: a key of SHAPES.
        tokens: sequence length, for text encoders; the usual one when absent.

    Raises:
        InputError: unknown model, or a length for a network whose length follows from the image.
    """
    shape = SHAPES.get(model)
    if shape is None:
        raise InputError(f"model must be one of {', '.join(SHAPES)}, not {quoted(model)}")
    if tokens is not None:
        if not isinstance(shape, EncoderShape) or shape.patch_inputs:
            raise InputError(f"tokens cannot be set for {model}: its length follows from the image")
        check_range("tokens", tokens, 1, MAX_TOKENS)
        shape = EncoderShape(**{**vars(shape), "tokens": tokens})
    return swin_layers(shape) if isinstance(shape, SwinShape) else encoder_layers(shape)


def linear(name: str, tokens: int, inputs: int, outputs: int) -> Layer:
    return Layer(
        name=name,
        kind="linear",
        operations=tokens * inputs * outputs,
        outputs=tokens * outputs,
        tokens=tokens,
        fan_in=inputs,
    )


def elementwise(name: str, kind: LayerKind, tokens: int, dim: int) -> Layer:
    return Layer(name=name, kind=kind, operations=tokens * dim, outputs=tokens * dim, tokens=tokens, fan_in=1)


def attention(name: str, tokens: int, keys: int, dim: int, heads: int) -> list[Layer]:
    """The two products of attention, every token attending `keys` tokens."""
    products = tokens * keys * dim
    return [
        Layer(
            name=f"{name}.score",
            kind="score",
            operations=products,
            outputs=heads * tokens * keys,
            tokens=tokens,
            fan_in=dim // heads,
        ),
        Layer(
            name=f"{name}.context",
            kind="context",
            operations=products,
            outputs=tokens * dim,
            tokens=tokens,
            fan_in=keys,
        ),
    ]


def block(name: str, tokens: int, keys: int, dim: int, heads: int, hidden: int) -> list[Layer]:
    """One transformer block, in the order of the data."""
    return [
        elementwise(f"{name}.norm1", "norm", tokens, dim),
        *(linear(f"{name}.{part}", tokens, dim, dim) for part in ("query", "key", "value")),
        *attention(name, tokens, keys, dim, heads),
        linear(f"{name}.projection", tokens, dim, dim),
        elementwise(f"{name}.norm2", "norm", tokens, dim),
        linear(f"{name}.mlp1", tokens, dim, hidden),
        linear(f"{name}.mlp2", tokens, hidden, dim),
    ]


def encoder_layers(shape: EncoderShape) -> list[Layer]:
    layers = []
    if shape.patch_inputs:
        layers.append(linear("embedding", shape.tokens, shape.patch_inputs, shape.dim))
    else:
        layers.append(elementwise("embedding.norm", "norm", shape.tokens, shape.dim))
    for index in range(shape.layers):
        layers += block(f"block{index}", shape.tokens, shape.tokens, shape.dim, shape.heads, shape.hidden)
    if shape.pooler:
        layers.append(linear("pooler", 1, shape.dim, shape.dim))
    if shape.classes:
        layers.append(linear("head", 1, shape.dim, shape.classes))
    return layers


def swin_layers(shape: SwinShape) -> list[Layer]:
    side = shape.image // shape.patch
    layers = [
        linear("embedding", side * side, 3 * shape.patch**2, shape.dim),
        elementwise("embedding.norm", "norm", side * side, shape.dim),
    ]
    dim = shape.dim
    for stage, (depth, heads) in enumerate(zip(shape.depths, shape.heads, strict=True)):
        if stage:
            side, dim = side // 2, 2 * dim
            layers.append(elementwise(f"stage{stage}.merge.norm", "norm", side * side, 2 * dim))
            layers.append(linear(f"stage{stage}.merge", side * side, 2 * dim, dim))
        window = min(shape.window, side)
        for index in range(depth):
            name = f"stage{stage}.block{index}"
            layers += block(name, side * side, window * window, dim, heads, shape.mlp_ratio * dim)
    layers.append(elementwise("norm", "norm", side * side, dim))
    layers.append(
        Layer(
            name="pool",
            kind="pool",
            operations=side * side * dim,
            outputs=dim,
            tokens=side * side,
            fan_in=side * side,
        )
    )
    layers.append(linear("head", 1, dim, shape.classes))
    return layers
