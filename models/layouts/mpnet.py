"""MPNet of Hugging Face transformers: positions behind the padding token, and relative ones in each block."""

from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.bert import BUCKETS, Bert
from models.floating.encoder import Block
from models.layouts.options import Choices
from models.layouts.parts import activation_of, epsilon_of, heads_of, norm
from models.layouts.text import (
    DENSE_HEAD,
    HARMLESS_KEYS,
    BlockNames,
    behind_padding,
    read_block,
    read_ends,
    read_head,
)

ABOUT = "Hugging Face, model_type mpnet"
MARK = "encoder.layer.0.attention.attn.q.weight"
PREFIXES = ("", "mpnet.")
PADDING = 1  # the library counts positions from this number, whatever config.json says
HARMLESS = r"^(mpnet\.)?(embeddings\.position_ids$|pooler\.dense\.)"
BLOCK = BlockNames(
    attention=("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o"),
    mlp=("intermediate.dense", "output.dense"),
    norms=("attention.LayerNorm", "output.LayerNorm"),
)


def recognise(tensors: Tensors) -> bool:
    return any(prefix + MARK in tensors for prefix in PREFIXES)


def read(tensors: Tensors, choices: Choices) -> Bert:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    config.harmless(*HARMLESS_KEYS)
    config.only(model_type="mpnet", pruned_heads={}, pad_token_id=PADDING)
    words = tensors.take(f"{prefix}embeddings.word_embeddings.weight", None, None)
    dim = words.shape[1]
    head = read_head(tensors, config, "MPNet", DENSE_HEAD, dim)
    heads = heads_of(choices, config.take("num_attention_heads", "count"), dim)
    epsilon = epsilon_of(choices, config.take("layer_norm_eps", "fraction"), 1e-12)
    activation = activation_of(choices, config.take("hidden_act", "text"), "gelu")
    positions = tensors.take(f"{prefix}embeddings.position_embeddings.weight", None, dim)
    relative = tensors.take(f"{prefix}encoder.relative_attention_bias.weight", BUCKETS, heads)
    config.agree(
        vocab_size=len(words),
        hidden_size=dim,
        max_position_embeddings=len(positions),
        relative_attention_num_buckets=BUCKETS,
    )
    positions = behind_padding(tensors, positions, PADDING)

    def block(index: int) -> Block:
        return read_block(
            tensors,
            config,
            f"{prefix}encoder.layer.{index}",
            BLOCK,
            heads=heads,
            activation=activation,
            dim=dim,
            epsilon=epsilon,
        )

    layers = tensors.count(f"{prefix}encoder.layer.{{}}.")
    config.agree(num_hidden_layers=layers)
    ends = read_ends(tensors, choices, head, len(positions), dim)
    return Bert(
        words=words,
        positions=positions,
        norm=norm(tensors, f"{prefix}embeddings.LayerNorm", dim, epsilon),
        relative=relative,
        blocks=[block(index) for index in range(layers)],
        length=ends.length,
        padding=PADDING,
        pooling=ends.pooling,
        unit=ends.unit,
        head=head,
    )
