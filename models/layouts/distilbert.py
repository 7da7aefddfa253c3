"""DistilBERT of Hugging Face transformers."""

from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.bert import Bert
from models.floating.encoder import Block
from models.layouts.options import Choices
from models.layouts.parts import activation_of, dense, heads_of, norm
from models.layouts.text import HARMLESS_KEYS, HeadNames, read_ends, read_head

ABOUT = "Hugging Face, model_type distilbert"
MARK = "transformer.layer.0.attention.q_lin.weight"
PREFIXES = ("", "distilbert.")
HARMLESS = r"^(distilbert\.)?embeddings\.position_ids$"
HARMLESS_HERE = (
    "tie_weights_",
    "dropout",
    "attention_dropout",
    "qa_dropout",
    "seq_classif_dropout",
    "pad_token_id",
)
HEAD = HeadNames(pooler="pre_classifier", classifier="classifier", activation="relu")
EPSILON = 1e-12  # nothing in config.json says another


def recognise(tensors: Tensors) -> bool:
    return any(prefix + MARK in tensors for prefix in PREFIXES)


def read(tensors: Tensors, choices: Choices) -> Bert:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    config.harmless(*HARMLESS_KEYS, *HARMLESS_HERE)
    # A table is in the file even where the positions are not trained
    config.only(model_type="distilbert", pruned_heads={})
    config.harmless("sinusoidal_pos_embds")
    words = tensors.take(f"{prefix}embeddings.word_embeddings.weight", None, None)
    dim = words.shape[1]
    head = read_head(tensors, config, "DistilBert", HEAD, dim)
    heads = heads_of(choices, config.take("n_heads", "count"), dim)
    activation = activation_of(choices, config.take("activation", "text"), "gelu")
    positions = tensors.take(f"{prefix}embeddings.position_embeddings.weight", None, dim)
    config.agree(vocab_size=len(words), dim=dim, max_position_embeddings=len(positions))

    def block(index: int) -> Block:
        name = f"{prefix}transformer.layer.{index}"
        hidden = dense(tensors, f"{name}.ffn.lin1", None, dim)
        config.agree(hidden_dim=len(hidden.weight))
        return Block(
            heads=heads,
            norm_first=False,
            activation=activation,
            query=dense(tensors, f"{name}.attention.q_lin", dim, dim),
            key=dense(tensors, f"{name}.attention.k_lin", dim, dim),
            value=dense(tensors, f"{name}.attention.v_lin", dim, dim),
            projection=dense(tensors, f"{name}.attention.out_lin", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.ffn.lin2", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.sa_layer_norm", dim, EPSILON),
            norm2=norm(tensors, f"{name}.output_layer_norm", dim, EPSILON),
        )

    layers = tensors.count(f"{prefix}transformer.layer.{{}}.")
    config.agree(n_layers=layers)
    ends = read_ends(tensors, choices, head, len(positions), dim)
    return Bert(
        words=words,
        positions=positions,
        norm=norm(tensors, f"{prefix}embeddings.LayerNorm", dim, EPSILON),
        blocks=[block(index) for index in range(layers)],
        length=ends.length,
        pooling=ends.pooling,
        unit=ends.unit,
        head=head,
    )
