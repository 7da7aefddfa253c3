"""Which dense layers read the output of which norm, and nothing else."""

from models.floating.bert import Bert
from models.floating.encoder import Block
from models.floating.functions import Norm
from models.floating.swin import Swin
from models.floating.vit import Vit
from models.layouts import Model

Readers = dict[str, tuple[str, Norm]]


def block_readers(name: str, block: Block, before: tuple[str, Norm] | None) -> Readers:
    """Of one block; `before` is the norm whose output enters a block with norms after its sums."""
    first = (f"{name}.norm1", block.norm1)
    entering = first if block.norm_first else before
    reads: Readers = {f"{name}.mlp1": (f"{name}.norm2", block.norm2) if block.norm_first else first}
    if entering is not None:
        reads |= {f"{name}.{part}": entering for part in ("query", "key", "value")}
    return reads


def norm_readers(model: Model) -> Readers:
    """Norm that each dense layer reads, by node; layers that read anything else are absent."""
    reads: Readers = {}
    if isinstance(model, Swin):
        for number, stage in enumerate(model.stages):
            if stage.merge is not None:
                reads[f"stage{number}.merge"] = (f"stage{number}.merge.norm", stage.merge.norm)
            for index, swin_block in enumerate(stage.blocks):
                reads |= block_readers(f"stage{number}.block{index}", swin_block.block, None)
        return reads
    before = ("embedding.norm", model.norm) if isinstance(model, Bert) else None
    for index, block in enumerate(model.blocks):
        reads |= block_readers(f"block{index}", block, before)
        before = (f"block{index}.norm2", block.norm2)
    if isinstance(model, Vit) and model.head is not None and model.pool_first:
        reads["head"] = ("norm", model.norm)
    return reads
