"""Vision transformer (Dosovitskiy et al., 2021): the one of timm's layout and of the shipped networks."""

from dataclasses import dataclass
from math import isqrt

import numpy as np

from golden.errors import InputError
from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm
from models.floating.model import IMAGES, Readers, Samples
from models.floating.patches import patches
from models.verdict import Verdict, kept


@dataclass(frozen=True, kw_only=True, eq=False)
class Vit:
    """Weights of an encoder of patches, behind tokens that are the same for every image.

    Attributes:
        patch: pixels per side of a patch.
        stride: pixels from a patch to the next; patches overlap where it is smaller.
        embedding: dense layer on the pixels of a patch, channel by channel.
        first: [tokens, dim], what stands before the patches: a class token, or nothing.
        positions: [first + patches, dim].
        blocks: the encoder.
        norm: final norm.
        head: classifier on the feature of the image, or None.
        pooling: the feature is that of the class token ("cls"), or the "mean" over the patches.
        pool_first: the final norm reads the feature, not every token.
    """

    patch: int
    stride: int
    embedding: Linear
    first: Floats
    positions: Floats
    blocks: list[Block]
    norm: Norm
    head: Linear | None = None
    pooling: str = "cls"
    pool_first: bool = True

    @property
    def side(self) -> int:
        """Pixels per side of a square image."""
        return (isqrt(len(self.positions) - len(self.first)) - 1) * self.stride + self.patch

    @property
    def samples(self) -> Samples:
        return IMAGES

    def norm_readers(self) -> Readers:
        reads = encoder_readers(self.blocks)
        if self.head is not None and self.pool_first:
            reads["head"] = ("norm", self.norm)
        return reads

    def other_nodes(self) -> list[Verdict]:
        return [kept("pooling", "over patches")] if self.pooling == "mean" else []

    def patches(self, images: Floats) -> Floats:
        """Pixels [batch, patches, channels*patch**2] of images [batch, channels, height, width].

        Raises:
            InputError: images of another size than the positions are for.
        """
        grid = patches(images, self.patch, self.stride)
        count, wanted = grid.shape[1] * grid.shape[2], len(self.positions) - len(self.first)
        if count != wanted:
            size = f"{images.shape[2]} x {images.shape[3]}"
            raise InputError(f"images must give {wanted} patches, those of {size} pixels give {count}")
        return grid.reshape(len(images), count, -1)

    def run(self, batch: Floats, engine: Engine) -> Floats:
        """Logits [batch, classes] of images [batch, channels, height, width], scaled as in training.

        Without a head, the feature.
        """
        x = engine.linear("embedding", self.patches(batch), self.embedding)
        first = np.broadcast_to(self.first, (len(batch), *self.first.shape))
        x = np.concatenate([first, x], axis=1) + self.positions
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine)
        if not self.pool_first:
            x = engine.norm("norm", x, self.norm)
        feature = x[:, 0] if self.pooling == "cls" else x[:, len(self.first) :].mean(axis=1)
        if self.pool_first:
            feature = engine.norm("norm", feature, self.norm)
        return feature if self.head is None else engine.linear("head", feature, self.head)
