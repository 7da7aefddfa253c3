"""GPT-2 (Radford et al., 2019): a decoder, whose tokens see those before them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm
from models.floating.model import Outputs, Readers, Samples
from models.floating.past import Past
from models.verdict import Verdict, exact


@dataclass(frozen=True, kw_only=True)
class Gpt2:
    """Weights of a decoder.

    Attributes:
        words: [vocabulary, dim]; positions: [length, dim].
        blocks: norms first.
        norm: behind them.
        head: logits of the next token.
    """

    words: Floats
    positions: Floats
    blocks: list[Block]
    norm: Norm
    head: Linear

    @property
    def samples(self) -> Samples:
        return Samples(
            kind="sentences",
            axes=("tokens",),
            vocabulary=len(self.words),
            length=len(self.positions),
        )

    @property
    def outputs(self) -> Outputs:
        return "vectors"

    def norm_readers(self) -> Readers:
        return encoder_readers(self.blocks) | {"head": ("norm", self.norm)}

    def other_nodes(self) -> list[Verdict]:
        return [exact("embedding", "table look-up")]

    def entering(self, batch: NDArray[np.integer], start: int = 0) -> Floats:
        """Embeddings [batch, tokens, dim] of tokens, the first of them at place `start`."""
        return self.words[batch] + self.positions[start : start + batch.shape[1]]

    def encode(self, tokens: NDArray[np.integer], engine: Engine, past: Past | None = None) -> Floats:
        """Hidden states [batch, tokens, dim], normalised, of token numbers [batch, tokens].

        Args:
            tokens: numbers in the vocabulary.
            engine: how nodes compute; with a past, one that takes more keys than queries (floats).
            past: tokens before these, which it is given too; none when absent.
        """
        start, new = past.tokens if past else 0, tokens.shape[1]
        x = self.entering(tokens, start)
        before = np.tri(new, start + new, start, dtype=bool)
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine, allowed=before, past=past)
        if past:
            past.tokens += new
        return engine.norm("norm", x, self.norm)

    def logits(self, tokens: NDArray[np.integer], engine: Engine, past: Past | None = None) -> Floats:
        """Logits [batch, tokens, vocabulary] of the token after each; arguments as of `encode`."""
        return engine.linear("head", self.encode(tokens, engine, past), self.head)

    def run(self, batch: NDArray[np.integer], engine: Engine) -> Floats:
        """Logits [batch, vocabulary] of the token after the last one."""
        return engine.linear("head", self.encode(batch, engine)[:, -1], self.head)
