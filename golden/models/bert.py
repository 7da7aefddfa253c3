"""BERT-type text encoder (Devlin et al., 2019) and sentence embedding by mean pooling."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.models.encoder import Block, run_block
from golden.models.engine import Engine, Floats, Linear
from golden.models.functions import Norm


@dataclass(frozen=True, kw_only=True)
class Bert:
    """Weights of an encoder.

    Attributes:
        words: [vocabulary, dim]; positions: [length, dim]; types: [kinds, dim].
        norm: layer norm of the embedding.
        blocks: the encoder.
        pooler: dense layer with tanh on the first token, or None.
        classifier: dense layer on the pooled vector, or None.
    """

    words: Floats
    positions: Floats
    types: Floats
    norm: Norm
    blocks: list[Block]
    pooler: Linear | None = None
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
        """Unit vectors [batch, dim]: mean of the hidden states over the tokens (Sentence-BERT)."""
        hidden = self.encode(tokens, engine, allowed)
        weight = np.ones(tokens.shape) if allowed is None else allowed.astype(np.float64)
        mean = (hidden * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=-1, keepdims=True)

    def classify(
        self, tokens: NDArray[np.integer], engine: Engine, allowed: NDArray[np.bool_] | None = None
    ) -> Floats:
        """Logits [batch, classes] from the pooled first token; the model must have a classifier."""
        assert self.pooler is not None
        assert self.classifier is not None
        first = self.encode(tokens, engine, allowed)[:, 0]
        pooled = np.tanh(engine.linear("pooler", first, self.pooler))
        return engine.linear("classifier", pooled, self.classifier)
