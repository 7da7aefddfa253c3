"""Vision transformer (Dosovitskiy et al., 2021) in the form of timm."""

from dataclasses import dataclass

import numpy as np

from models.floating.encoder import Block, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm
from models.floating.patches import patches


@dataclass(frozen=True, kw_only=True)
class Vit:
    """Weights of an encoder with one class token and one position vector per token.

    Attributes:
        patch: pixels per side of a patch.
        embedding: dense layer on the pixels of a patch, channel by channel.
        class_token: [dim].
        positions: [1 + patches, dim].
        blocks: the encoder.
        norm: final norm.
        head: classifier on the feature of the image, or None.
        pooling: the feature is that of the class token ("cls"), or the "mean" over the patches.
        pool_first: the final norm reads the feature, not every token.
    """

    patch: int
    embedding: Linear
    class_token: Floats
    positions: Floats
    blocks: list[Block]
    norm: Norm
    head: Linear | None = None
    pooling: str = "cls"
    pool_first: bool = True

    def classify(self, images: Floats, engine: Engine) -> Floats:
        """Logits [batch, classes] of images [batch, channels, height, width], scaled as in training.

        Without a head, the feature.
        """
        x = engine.linear("embedding", patches(images, self.patch), self.embedding)
        x = x.reshape(len(images), -1, x.shape[-1])
        first = np.broadcast_to(self.class_token, (len(images), 1, x.shape[-1]))
        x = np.concatenate([first, x], axis=1) + self.positions
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine)
        if not self.pool_first:
            x = engine.norm("norm", x, self.norm)
        feature = x[:, 0] if self.pooling == "cls" else x[:, 1:].mean(axis=1)
        if self.pool_first:
            feature = engine.norm("norm", feature, self.norm)
        return feature if self.head is None else engine.linear("head", feature, self.head)
