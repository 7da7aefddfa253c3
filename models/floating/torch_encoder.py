"""`torch.nn.TransformerEncoder`, and the layers that a user's module has around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm
from models.floating.model import VECTORS, Outputs, Readers, Samples
from models.verdict import Verdict, kept


@dataclass(frozen=True, kw_only=True)
class TorchEncoder:
    """Weights; what is None is not there.

    Attributes:
        blocks: the encoder.
        norm: behind them.
        causal: each token sees those up to itself.
        embedding: dense layer on every vector.
        class_token: [1, dim], stands before the vectors.
        positions: [most tokens, dim], added to the tokens, the class token among them.
        pooling: what leaves is the "mean" of the tokens, the first one ("cls") or the "last"; all of them
            without it.
        head: classifier on that.
    """

    blocks: list[Block]
    norm: Norm | None = None
    causal: bool = False
    embedding: Linear | None = None
    class_token: Floats | None = None
    positions: Floats | None = None
    pooling: str | None = None
    head: Linear | None = None

    @property
    def samples(self) -> Samples:
        return VECTORS

    @property
    def outputs(self) -> Outputs:
        return "vectors" if self.head is None else "logits"

    def norm_readers(self) -> Readers:
        reads = encoder_readers(self.blocks)
        if self.head is not None and self.pooling != "mean":
            if self.norm is not None:
                reads["head"] = ("norm", self.norm)
            elif not self.blocks[-1].norm_first:
                reads["head"] = (f"block{len(self.blocks) - 1}.norm2", self.blocks[-1].norm2)
        return reads

    def other_nodes(self) -> list[Verdict]:
        return [kept("pooling", "over tokens")] if self.pooling == "mean" else []

    def placed(self, x: Floats) -> Floats:
        """Tokens [batch, tokens, dim] behind the class token, all with their positions.

        Raises:
            InputError: more tokens than positions.
        """
        if self.class_token is not None:
            first = np.broadcast_to(self.class_token, (len(x), *self.class_token.shape))
            x = np.concatenate([first, x], axis=1)
        if self.positions is None:
            return x
        if x.shape[1] > len(self.positions):
            raise InputError(f"tokens must be at most the {len(self.positions)} positions, not {x.shape[1]}")
        return x + self.positions[: x.shape[1]]

    def entering(self, batch: Floats) -> Floats:
        """The vectors themselves, or without an embedding the tokens of the blocks."""
        return batch if self.embedding is not None else self.placed(batch)

    def run(self, batch: Floats, engine: Engine, allowed: NDArray[np.bool_] | None = None) -> Floats:
        """Outputs of inputs [batch, tokens, dim]: vectors of that shape, features or logits.

        Args:
            batch: the inputs.
            engine: how nodes compute.
            allowed: [batch, tokens], False at padding; of an encoder that nothing surrounds.
        """
        x = self.entering(batch)
        if self.embedding is not None:
            x = self.placed(engine.linear("embedding", x, self.embedding))
        keys = None if allowed is None else allowed[:, None, None, :]
        if self.causal:
            before = np.tri(x.shape[1], dtype=bool)
            keys = before if keys is None else before & keys
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine, allowed=keys)
        x = engine.stream("outputs", x) if self.norm is None else engine.norm("norm", x, self.norm)
        if self.pooling is not None:
            x = x.mean(axis=1) if self.pooling == "mean" else x[:, 0 if self.pooling == "cls" else -1]
        return x if self.head is None else engine.linear("head", x, self.head)
