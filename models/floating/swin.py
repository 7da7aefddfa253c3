"""Swin transformer (Liu et al., 2021) in the form of timm: windows, shifted windows, patch merging."""

from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from models.floating.encoder import Block, block_readers, run_mlp, self_attention
from models.floating.engine import Engine, Floats, Linear
from models.floating.functions import Norm
from models.floating.model import IMAGES, Outputs, Readers, Samples
from models.floating.patches import patches
from models.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class SwinBlock:
    """A block and its relative position bias, [(2*window-1)**2, heads]."""

    block: Block
    bias_table: Floats

    @property
    def window(self) -> int:
        """Tokens per side of a window."""
        return (isqrt(len(self.bias_table)) + 1) // 2


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Patch merging: norm over four neighbours, then a dense layer without bias."""

    norm: Norm
    reduction: Linear


@dataclass(frozen=True, kw_only=True)
class SwinStage:
    """Blocks of one resolution, after merging unless it is the first."""

    merge: Merge | None
    blocks: list[SwinBlock]


@dataclass(frozen=True, kw_only=True)
class Swin:
    """Weights of a network.

    Attributes:
        patch: pixels per side of a patch.
        embedding: dense layer on the pixels of a patch.
        embedding_norm: its norm.
        stages: the stages.
        norm: final norm.
        head: classifier on the mean of the tokens, or None.
    """

    patch: int
    embedding: Linear
    embedding_norm: Norm
    stages: list[SwinStage]
    norm: Norm
    head: Linear | None = None

    @property
    def samples(self) -> Samples:
        return IMAGES

    @property
    def outputs(self) -> Outputs:
        return "vectors" if self.head is None else "logits"

    def norm_readers(self) -> Readers:
        reads: Readers = {}
        for number, stage in enumerate(self.stages):
            if stage.merge is not None:
                reads[f"stage{number}.merge"] = (f"stage{number}.merge.norm", stage.merge.norm)
            for index, swin_block in enumerate(stage.blocks):
                reads |= block_readers(f"stage{number}.block{index}", swin_block.block, None)
        return reads

    def other_nodes(self) -> list[Verdict]:
        return []

    def entering(self, batch: Floats) -> Floats:
        """Pixels [batch, patches, channels*patch**2] of square images [batch, channels, height, width]."""
        grid = patches(batch, self.patch, self.patch)
        if grid.shape[1] != grid.shape[2]:
            raise InputError(f"images of a Swin transformer must be square, not {list(batch.shape[2:])}")
        return grid.reshape(len(batch), -1, grid.shape[-1])

    def run(self, batch: Floats, engine: Engine) -> Floats:
        """Logits [batch, classes] of images [batch, channels, height, width], scaled as in training.

        Without a head, the mean of the normalised tokens.
        """
        x = engine.linear("embedding", self.entering(batch), self.embedding)
        x = engine.norm("embedding.norm", x, self.embedding_norm)
        side = isqrt(x.shape[1])
        x = x.reshape(len(x), side, side, -1)
        for number, stage in enumerate(self.stages):
            if stage.merge is not None:
                x = merge_patches(f"stage{number}.merge", x, stage.merge, engine)
            for index, swin_block in enumerate(stage.blocks):
                shifted = index % 2 == 1
                x = run_swin_block(f"stage{number}.block{index}", x, swin_block, shifted, engine)
        feature = engine.norm("norm", x, self.norm).mean(axis=(1, 2))
        return feature if self.head is None else engine.linear("head", feature, self.head)


def merge_patches(name: str, x: Floats, merge: Merge, engine: Engine) -> Floats:
    """[batch, rows, columns, dim] to half the rows and columns; both must be even."""
    batch, rows, columns, dim = x.shape
    if rows % 2 or columns % 2:
        raise InputError(f"{name}: {rows} x {columns} tokens must be even to be merged")
    grid = x.reshape(batch, rows // 2, 2, columns // 2, 2, dim)
    # Order of the four neighbours as in the reference: column first, then row
    four = grid.transpose(0, 1, 3, 4, 2, 5).reshape(batch, rows // 2, columns // 2, 4 * dim)
    return engine.linear(name, engine.norm(f"{name}.norm", four, merge.norm), merge.reduction)


def relative_index(window: int) -> NDArray[np.intp]:
    """Row of the bias table for each pair of tokens of a window, [window**2, window**2]."""
    where = np.stack(np.meshgrid(np.arange(window), np.arange(window), indexing="ij")).reshape(2, -1)
    difference = where[:, :, None] - where[:, None, :] + window - 1
    return difference[0] * (2 * window - 1) + difference[1]


def shift_mask(rows: int, columns: int, window: int, shift: int) -> NDArray[np.bool_]:
    """Pairs that were neighbours before the cyclic shift, [windows, window**2, window**2]."""

    def region(size: int) -> NDArray[np.intp]:
        place = np.arange(size)
        return (place >= size - window).astype(np.intp) + (place >= size - shift)

    label = region(rows)[:, None] * 3 + region(columns)[None, :]
    inside = windows(label[None, :, :, None].astype(np.float32), window)[..., 0]
    return inside[:, :, None] == inside[:, None, :]


def windows(x: Floats, window: int) -> Floats:
    """[batch, rows, columns, dim] to [batch*windows, window**2, dim]."""
    batch, rows, columns, dim = x.shape
    grid = x.reshape(batch, rows // window, window, columns // window, window, dim)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(-1, window * window, dim)


def join_windows(x: Floats, rows: int, columns: int, window: int) -> Floats:
    """The inverse of `windows`."""
    grid = x.reshape(-1, rows // window, columns // window, window, window, x.shape[-1])
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(-1, rows, columns, x.shape[-1])


def run_swin_block(name: str, x: Floats, swin_block: SwinBlock, shifted: bool, engine: Engine) -> Floats:
    """One block on x [batch, side, side, dim].

    Raises:
        InputError: the side is no multiple of the window.
    """
    batch, rows, columns, _ = x.shape
    block, size = swin_block.block, swin_block.window
    if rows % size:
        raise InputError(f"{name}: {rows} tokens per side must be a multiple of the window of {size}")
    # A single window has nothing to shift against
    shift = size // 2 if shifted and rows > size else 0
    bias = swin_block.bias_table[relative_index(size)].transpose(2, 0, 1)
    inputs = engine.norm(f"{name}.norm1", x, block.norm1)
    allowed = None
    if shift:
        inputs = np.roll(inputs, (-shift, -shift), axis=(1, 2))
        mask = shift_mask(rows, columns, size, shift)
        allowed = np.tile(mask, (batch, 1, 1))[:, None]
    out = self_attention(name, windows(inputs, size), block, engine, bias[None], allowed)
    grid = join_windows(out, rows, columns, size)
    if shift:
        grid = np.roll(grid, (shift, shift), axis=(1, 2))
    x = x + grid
    return x + run_mlp(name, engine.norm(f"{name}.norm2", x, block.norm2), block, engine)
