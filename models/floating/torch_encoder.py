"""`torch.nn.TransformerEncoder`: blocks on vectors that the user provides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.floating.encoder import Block, encoder_readers, run_block
from models.floating.engine import Engine, Floats
from models.floating.functions import Norm
from models.floating.model import VECTORS, Outputs, Readers, Samples
from models.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class TorchEncoder:
    """Weights: blocks and the final norm, or None; causal: each token sees those up to itself."""

    blocks: list[Block]
    norm: Norm | None = None
    causal: bool = False

    @property
    def samples(self) -> Samples:
        return VECTORS

    @property
    def outputs(self) -> Outputs:
        return "vectors"

    def norm_readers(self) -> Readers:
        return encoder_readers(self.blocks)

    def other_nodes(self) -> list[Verdict]:
        return []

    def entering(self, batch: Floats) -> Floats:
        """The vectors themselves."""
        return batch

    def run(self, batch: Floats, engine: Engine, allowed: NDArray[np.bool_] | None = None) -> Floats:
        """Outputs [batch, tokens, dim] of inputs of that shape; allowed [batch, tokens], False at padding."""
        x = self.entering(batch)
        keys = None if allowed is None else allowed[:, None, None, :]
        if self.causal:
            before = np.tri(x.shape[1], dtype=bool)
            keys = before if keys is None else before & keys
        for index, block in enumerate(self.blocks):
            x = run_block(f"block{index}", x, block, engine, allowed=keys)
        return engine.stream("outputs", x) if self.norm is None else engine.norm("norm", x, self.norm)
