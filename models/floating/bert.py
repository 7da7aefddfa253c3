"""BERT-type text encoder (Devlin et al., 2019), and the embedding or the classes of its sentences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm
from models.floating.model import Readers, Samples
from models.verdict import Verdict, exact, kept


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
        classifier: reads the pooled hidden state; or None.
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

    @property
    def samples(self) -> Samples:
        return Samples(
            kind="sentences",
            axes=("tokens",),
            vocabulary=len(self.words),
            length=self.length,
            padding=self.padding,
            labelled=self.classifier is not None,
        )

    def norm_readers(self) -> Readers:
        return encoder_readers(self.blocks, ("embedding.norm", self.norm))

    def other_nodes(self) -> list[Verdict]:
        pooling = "over tokens" if self.classifier else "over tokens, and the length of the embedding"
        return [exact("embedding", "table look-up"), kept("pooling", pooling)]

    def run(
        self, batch: NDArray[np.integer], engine: Engine, allowed: NDArray[np.bool_] | None = None
    ) -> Floats:
        """Logits [batch, classes] of the classifier, without one sentence embeddings [batch, dim].

        Embeddings are pooled by `pooling` (Sentence-BERT) and of length 1 if `unit`.
        """
        hidden = self.encode(batch, engine, allowed)
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weight = np.ones(batch.shape) if allowed is None else allowed.astype(np.float64)
            pooled = (hidden * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
        if self.classifier is not None:
            return engine.linear("classifier", pooled, self.classifier)
        return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True) if self.unit else pooled
