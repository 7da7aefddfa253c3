"""Vision transformer (Dosovitskiy et al., 2021): ViT, DeiT, DINOv2, and the shipped networks."""

from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from golden.convolution import Convolution, gather_rows
from golden.errors import InputError
from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import ACTIVATIONS, Norm
from models.floating.model import IMAGES, Outputs, Readers, Samples
from models.floating.patches import patches
from models.verdict import Verdict, kept


@dataclass(frozen=True, kw_only=True, eq=False)
class Stem:
    """Convolutions with ReLU between the pixels and the embedding, batch norms folded into them.

    Attributes:
        side: pixels per side of an image.
        convolutions: of the stem, then the embedding, which cuts patches from the last map.
        layers: dense layers of the stem on the taps of a pixel, all channels of a tap after the other.
    """

    side: int
    convolutions: tuple[Convolution, ...]
    layers: tuple[Linear, ...]

    def gathers(self) -> list[NDArray[np.int32]]:
        """Rows of its input that each convolution reads (`golden.convolution`)."""
        side, found = self.side, []
        for convolution in self.convolutions:
            found.append(convolution.gather(side))
            side = convolution.across(side)
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Vit:
    """Weights of an encoder of patches, behind tokens that are the same for every image.

    Attributes:
        patch: pixels per side of a patch.
        stride: pixels from a patch to the next; patches overlap where it is smaller.
        embedding: dense layer on the pixels of a patch, channel by channel.
        first: [tokens, dim], what stands before the patches: class token, distillation token, registers, or
            nothing.
        positions: [first + patches, dim]; zero where there is none.
        entry_norm: between the embedding and the blocks, or None.
        blocks: the encoder.
        norm: final norm.
        head: classifier on the feature of the image, or None.
        teacher_head: classifier on the distillation token, the second one, or None. Logits are then the mean.
        pooling: the feature is that of the class token ("cls"), the "mean" over the patches, or "both", one
            after the other.
        pool_first: the final norm reads the feature, not every token.
        stem: convolutions before the patches, whose embedding reads their last map, tap by tap; None where
            it reads the pixels.
    """

    patch: int
    stride: int
    embedding: Linear
    first: Floats
    positions: Floats
    blocks: list[Block]
    norm: Norm
    entry_norm: Norm | None = None
    head: Linear | None = None
    teacher_head: Linear | None = None
    pooling: str = "cls"
    pool_first: bool = True
    stem: Stem | None = None

    @property
    def side(self) -> int:
        """Pixels per side of a square image."""
        if self.stem is not None:
            return self.stem.side
        return (isqrt(len(self.positions) - len(self.first)) - 1) * self.stride + self.patch

    @property
    def channels(self) -> int:
        """Numbers per pixel."""
        if self.stem is None:
            return self.embedding.weight.shape[1] // self.patch**2
        return self.stem.layers[0].weight.shape[1] // self.stem.convolutions[0].taps

    @property
    def samples(self) -> Samples:
        return IMAGES

    @property
    def outputs(self) -> Outputs:
        return "vectors" if self.head is None else "logits"

    def norm_readers(self) -> Readers:
        reads = encoder_readers(self.blocks)
        if self.pooling == "cls" or self.pool_first:
            reads |= {name: ("norm", self.norm) for name, _ in self.heads}
        return reads

    @property
    def heads(self) -> list[tuple[str, Linear]]:
        """Names and weights of the classifiers."""
        both = (("head", self.head), ("teacher_head", self.teacher_head))
        return [(name, layer) for name, layer in both if layer is not None]

    def other_nodes(self) -> list[Verdict]:
        return [] if self.pooling == "cls" else [kept("pooling", "over patches")]

    def entering(self, batch: Floats) -> Floats:
        """Pixels [batch, patches, channels*patch**2] of images [batch, channels, height, width]; with a stem
        [batch, height*width, channels].

        Raises:
            InputError: images of another size than the positions are for, which are a square.
        """
        height, width = batch.shape[2:]
        if (height, width) != (self.side, self.side):
            raise InputError(f"images must be {self.side} x {self.side} pixels, not {height} x {width}")
        if self.stem is not None:
            return batch.reshape(*batch.shape[:2], -1).swapaxes(1, 2)
        grid = patches(batch, self.patch, self.stride)
        return grid.reshape(len(batch), -1, grid.shape[-1])

    def patched(self, images: Floats, engine: Engine) -> Floats:
        """What the embedding reads, [batch, patches, inputs]."""
        x = self.entering(images)
        if self.stem is None:
            return x
        *gathers, last = self.stem.gathers()
        for index, (layer, gather) in enumerate(zip(self.stem.layers, gathers, strict=True)):
            x = engine.linear(f"stem{index}", gather_rows(x, gather), layer)
            x = engine.activate(x, ACTIVATIONS["relu"])
        return gather_rows(x, last)

    def encode(self, images: Floats, engine: Engine) -> Floats:
        """What leaves the blocks, [batch, first + patches, dim]."""
        x = engine.linear("embedding", self.patched(images, engine), self.embedding)
        first = np.broadcast_to(self.first, (len(images), *self.first.shape))
        x = np.concatenate([first, x], axis=1) + self.positions
        if self.entry_norm is not None:
            x = engine.norm("entry_norm", x, self.entry_norm)
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine)
        return x

    def run(self, batch: Floats, engine: Engine) -> Floats:
        """Logits [batch, classes] of images [batch, channels, height, width], scaled as in training.

        Without a head, the feature.
        """
        x = self.encode(batch, engine)
        if not self.pool_first:
            x = engine.norm("norm", x, self.norm)
        elif self.pooling != "cls":
            x = engine.stream("pooling", x)
        mean = x[:, len(self.first) :].mean(axis=1) if self.pooling != "cls" else None
        if mean is None:
            feature = x[:, 0]
        else:
            feature = mean if self.pooling == "mean" else np.concatenate([x[:, 0], mean], axis=-1)
        if self.pool_first:
            feature = engine.norm("norm", feature, self.norm)
        if self.head is None:
            return feature
        logits = engine.linear("head", feature, self.head)
        if self.teacher_head is None:
            return logits
        return (logits + engine.linear("teacher_head", x[:, 1], self.teacher_head)) / 2
