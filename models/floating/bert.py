"""BERT-type text encoder (Devlin et al., 2019), the embedding of its sentences, and their classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.floating.encoder import Block, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm


@dataclass(frozen=True, kw_only=True)
class Bert:
    """Weights of an encoder.

    Attributes:
        words: [vocabulary, dim]; positions: [length, dim]; types: [kinds, dim].
        norm: layer norm of the embedding.
        blocks: the encoder.
        length: the most tokens of a sentence.
        padding: number of a token that may not be in a sentence, since positions do not count it; or None.
        pooling: "mean" of the hidden states, or "cls", that of the first token.
        unit: embeddings are scaled to the length 1.
        classifier: reads the pooled hidden state, or None.
    """

    words: Floats
    positions: Floats
    types: Floats
    norm: Norm
    blocks: list[Block]
    length: int
    padding: int | None = None
    pooling: str = "mean"
    unit: bool = True
    classifier: Linear | None = None

    def encode(
        self,
        tokens: NDArray[np.integer],
        engine: Engine,
        allowed: NDArray[np.bool_] | None = None,
        types: NDArray[np.integer] | None = None,
    ) -> Floats:
        """Hidden states [batch, tokens, dim] of token numbers [batch, tokens].

        Args:
            tokens: numbers in the vocabulary.
            engine: how nodes compute.
            allowed: bool [batch, tokens], False at padding.
            types: sentence of each token, 0 when absent.
        """
        kinds = np.zeros_like(tokens) if types is None else types
        x = self.words[tokens] + self.positions[: tokens.shape[1]] + self.types[kinds]
        x = engine.norm("embedding.norm", x, self.norm)
        keys = None if allowed is None else allowed[:, None, None, :]
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine, allowed=keys)
        return x

    def embed(
        self, tokens: NDArray[np.integer], engine: Engine, allowed: NDArray[np.bool_] | None = None
    ) -> Floats:
        """Sentence embeddings [batch, dim] by `pooling` (Sentence-BERT), of length 1 if `unit`."""
        pooled = self.pool(tokens, engine, allowed)
        return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True) if self.unit else pooled

    def classify(
        self, tokens: NDArray[np.integer], engine: Engine, allowed: NDArray[np.bool_] | None = None
    ) -> Floats:
        """Logits [batch, classes] of the classifier, which must be there."""
        assert self.classifier is not None, "asked of classifiers only"
        return engine.linear("classifier", self.pool(tokens, engine, allowed), self.classifier)

    def pool(
        self, tokens: NDArray[np.integer], engine: Engine, allowed: NDArray[np.bool_] | None = None
    ) -> Floats:
        """One vector [batch, dim] of the hidden states of each sentence."""
        hidden = self.encode(tokens, engine, allowed)
        if self.pooling == "cls":
            return hidden[:, 0]
        weight = np.ones(tokens.shape) if allowed is None else allowed.astype(np.float64)
        return (hidden * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
