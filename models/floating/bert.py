"""BERT-type text encoder (Devlin et al., 2019), with the embedding or the classes of its sentences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import HEAD_ACTIVATIONS, Norm
from models.floating.model import Outputs, Readers, Samples
from models.verdict import Verdict, exact, kept

# Buckets of relative positions (Raffel et al., 2020), half of them for keys behind the query; positions from
# `FARTHEST` on share the last one
BUCKETS, FARTHEST = 32, 128


@dataclass(frozen=True, kw_only=True)
class TextHead:
    """Classifier on the first token: two dense layers.

    Attributes:
        pooler, classifier: the layers.
        activation: key of `models.floating.functions.HEAD_ACTIVATIONS`, between them.
    """

    pooler: Linear
    activation: str
    classifier: Linear


@dataclass(frozen=True, kw_only=True)
class Bert:
    """Weights of an encoder.

    Attributes:
        words: [vocabulary, width]; positions: [length, width]; types: [kinds, width], or None.
        norm: of the embedding.
        project: from the width of the embedding to that of the blocks, or None where they are the same.
        relative: [BUCKETS, heads], added to the logits by the distance of the tokens, or None.
        blocks: the encoder.
        length: the most tokens of a sentence.
        padding: number of a token that may not be in a sentence, since positions do not count it; or None.
        pooling: "mean" of the hidden states, or "cls", that of the first token.
        unit: embeddings are scaled to the length 1.
        head: what makes classes of the first token, in place of an embedding; or None.
        classifier: reads the pooled hidden state; or None.
    """

    words: Floats
    positions: Floats
    types: Floats | None = None
    norm: Norm
    project: Linear | None = None
    relative: Floats | None = None
    blocks: list[Block]
    length: int
    padding: int | None = None
    pooling: str = "mean"
    unit: bool = True
    head: TextHead | None = None
    classifier: Linear | None = None

    @property
    def samples(self) -> Samples:
        return Samples(
            kind="sentences",
            axes=("tokens",),
            vocabulary=len(self.words),
            length=self.length,
            padding=self.padding,
        )

    @property
    def outputs(self) -> Outputs:
        return "embeddings" if self.head is None and self.classifier is None else "logits"

    def norm_readers(self) -> Readers:
        reads = encoder_readers(self.blocks, None if self.project else ("embedding.norm", self.norm))
        if self.project is not None:
            reads["embedding.project"] = ("embedding.norm", self.norm)
        if self.head is not None and self.blocks:
            reads["pooler"] = (f"block{len(self.blocks) - 1}.norm2", self.blocks[-1].norm2)
        return reads

    def other_nodes(self) -> list[Verdict]:
        nodes = [exact("embedding", "table look-up")]
        if self.head is not None:
            return [*nodes, kept("pooler.activation", "its result is coded")]
        pooling = "over tokens" if self.classifier else "over tokens, and the length of the embedding"
        return [*nodes, kept("pooling", pooling)]

    def entering(self, batch: NDArray[np.integer], types: NDArray[np.integer] | None = None) -> Floats:
        """Sums of embeddings [batch, tokens, width] before their norm; arguments as of `encode`."""
        x = self.words[batch] + self.positions[: batch.shape[1]]
        if self.types is not None:
            x = x + self.types[np.zeros_like(batch) if types is None else types]
        return np.asarray(x)

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
        x = engine.norm("embedding.norm", self.entering(tokens, types), self.norm)
        if self.project is not None:
            x = engine.linear("embedding.project", x, self.project)
        keys = None if allowed is None else allowed[:, None, None, :]
        bias = None
        if self.relative is not None:
            bias = self.relative[relative_buckets(tokens.shape[1])].transpose(2, 0, 1)[None]
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine, bias, keys)
        return x

    def run(
        self, batch: NDArray[np.integer], engine: Engine, allowed: NDArray[np.bool_] | None = None
    ) -> Floats:
        """Logits [batch, classes] of a head or classifier, else embeddings [batch, dim] (Sentence-BERT)."""
        hidden = self.encode(batch, engine, allowed)
        if self.head is not None:
            first = engine.linear("pooler", hidden[:, 0], self.head.pooler)
            return engine.linear(
                "head", engine.activate(first, HEAD_ACTIVATIONS[self.head.activation]), self.head.classifier
            )
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weight = np.ones(batch.shape) if allowed is None else allowed.astype(np.float64)
            pooled = (hidden * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
        if self.classifier is not None:
            return engine.linear("classifier", pooled, self.classifier)
        return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True) if self.unit else pooled


def relative_buckets(tokens: int) -> NDArray[np.intp]:
    """Row of `Bert.relative` for each query and key, [tokens, tokens]: exact when near, then in octaves."""
    place = np.arange(tokens)
    distance = place[None] - place[:, None]
    half = BUCKETS // 2
    near = half // 2
    steps = np.log(np.maximum(np.abs(distance), near) / near) / np.log(FARTHEST / near) * (half - near)
    # What lies on a border belongs to the farther bucket, whatever the logarithm rounds to
    far = np.minimum(near + np.floor(steps + 1e-9).astype(np.intp), half - 1)
    return np.where(np.abs(distance) < near, np.abs(distance), far) + half * (distance > 0)
