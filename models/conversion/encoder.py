"""Transformer blocks as integer layers, with norms before or after their sums."""

import numpy as np

from models.conversion.builder import IN_FLOATS, Builder
from models.conversion.dense import scaled
from models.conversion.reading import Reading, Windows, positive
from models.floating.encoder import Block
from models.floating.functions import ACTIVATIONS

ALL = Windows()
# Rows of zeros that the fit of lobes sees beside those of the calibration (ridge regression)
HELD_BACK = 300


def lower_encoder(
    make: Builder,
    blocks: list[Block],
    rows: int,
    entering: Reading | None = None,
    windows: Windows = ALL,
    *,
    streamed: bool = False,
) -> Reading | None:
    """Append blocks called block0, block1, ..., behind a stream.

    Args:
        rows: of the stream.
        entering: the spikes of a norm that the stream was set from, or None.
        windows: what every block attends.
        streamed: what follows reads the stream, also where norms stand after the sums.

    Returns:
        The spikes of the last norm, where norms stand after the sums, else None.
    """
    for index, block in enumerate(blocks):
        name, last = f"block{index}", index == len(blocks) - 1
        if block.norm_first:
            lower_block(make, name, block, windows)
            entering = None
        else:
            lower_post_norm(make, name, block, rows, entering, windows)
            if not last:
                entering = make.renewed(f"{name}.norm2", block.norm2, rows, f"block{index + 1}.norm1")
            elif streamed:
                entering = make.norm(f"{name}.norm2", block.norm2)
                make.begin_stream("norm" if "norm" in make.ranges.stream else "outputs")
                make.residual(entering, f"{name}.norm2")
            else:
                entering = make.finer(f"{name}.norm2", block.norm2, rows)
    return entering


def lower_attention(make: Builder, name: str, block: Block, reading: Reading, windows: Windows) -> None:
    """Attention of a block, added to the stream."""
    if block.query_norm is not None:
        make.refuse(f"{name}.query_norm", f"norms of queries and keys have no integer layer; {IN_FLOATS}")
    mixed = make.attention(name, reading, (block.query, block.key, block.value), block.heads, windows)
    # back from the order of the windows
    back = None if windows.rows is None else np.argsort(windows.rows)[:, None]
    make.stream(mixed, scaled(block.projection, block.gain1), f"{name}.projection", gather=back)


def lower_mlp(make: Builder, name: str, block: Block, reading: Reading) -> None:
    """MLP of a block, added to the stream."""
    read = f"{name}.mlp2"
    largest, activation = positive(make.ranges.linear[read]), ACTIVATIONS[block.activation]
    hidden = make.spikes(reading, block.mlp1, "hidden", largest, f"{name}.mlp1", activation=activation)
    # What silent neurons leave out goes into the next bias by its mean, or it is learned from what enters the
    # MLP.
    lobe, mean = make.ranges.silent_mean(read), make.ranges.mean(read)
    if make.learned and read in make.ranges.lobes:
        layer = scaled(make.ranges.lobes[read].fit(HELD_BACK), block.gain2)
        make.stream(reading, layer, f"{name}.activation", mean=make.ranges.mean(f"{name}.mlp1"))
        mean = mean - lobe
    else:
        hidden = hidden.above(lobe)
    make.stream(hidden, scaled(block.mlp2, block.gain2), read, mean=mean)


def lower_block(make: Builder, name: str, block: Block, windows: Windows = ALL) -> None:
    """A block with norms before attention and MLP."""
    lower_attention(make, name, block, make.norm(f"{name}.norm1", block.norm1), windows)
    lower_mlp(make, name, block, make.norm(f"{name}.norm2", block.norm2))


def lower_post_norm(
    make: Builder, name: str, block: Block, rows: int, entering: Reading | None, windows: Windows
) -> None:
    """A block with norms after its sums, up to the last one."""
    if entering is None:
        entering = make.coded(f"{name}.inputs", make.ranges.linear[f"{name}.query"])
    lower_attention(make, name, block, entering, windows)
    between = make.renewed(f"{name}.norm1", block.norm1, rows, f"{name}.norm2")
    lower_mlp(make, name, block, between)
