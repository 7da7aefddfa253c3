"""Vision transformers of torchvision. Its files say neither the heads nor the size of an image."""

from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.engine import Linear
from models.floating.vit import Vit
from models.layouts.options import Choices
from models.layouts.parts import dense, heads_of, norm, patch_embedding, placed, thirds

ABOUT = "torchvision vision transformer"
MARK = "encoder.layers.encoder_layer_0.self_attention.in_proj_weight"
EPSILON = 1e-6  # of torchvision's VisionTransformer, as its GELU no argument of a model


def recognise(tensors: Tensors) -> bool:
    return MARK in tensors


def read(tensors: Tensors, choices: Choices) -> Vit:
    patch, embedding = patch_embedding(tensors, "conv_proj")
    dim = len(embedding.weight)
    heads = heads_of(choices, None, dim)
    first = tensors.take("class_token", 1, 1, dim)[0]

    def block(index: int) -> Block:
        name = f"encoder.layers.encoder_layer_{index}"
        attention = f"{name}.self_attention"
        inputs = tensors.take(f"{attention}.in_proj_weight", 3 * dim, dim)
        offsets = tensors.take(f"{attention}.in_proj_bias", 3 * dim)
        query, key, value = thirds(Linear(weight=inputs, bias=offsets))
        hidden = dense(tensors, f"{name}.mlp.0", None, dim)
        return Block(
            heads=heads,
            norm_first=True,
            activation="gelu",
            query=query,
            key=key,
            value=value,
            projection=dense(tensors, f"{attention}.out_proj", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.mlp.3", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.ln_1", dim, EPSILON),
            norm2=norm(tensors, f"{name}.ln_2", dim, EPSILON),
        )

    return Vit(
        patch=patch,
        stride=patch,
        embedding=embedding,
        first=first,
        positions=placed(tensors, "encoder.pos_embedding", first, 1),
        blocks=[block(index) for index in range(tensors.count("encoder.layers.encoder_layer_{}."))],
        norm=norm(tensors, "encoder.ln", dim, EPSILON),
        head=dense(tensors, "heads.head", None, dim) if tensors.has("heads.head") else None,
    )
