"""DistilBERT of Hugging Face transformers."""

from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.bert import Bert
from models.floating.encoder import Block
from models.layouts.options import Choices
from models.layouts.parts import activation_of, heads_of, norm
from models.layouts.text import HARMLESS_KEYS, BlockNames, HeadNames, read_block, read_ends, read_head

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
BLOCK = BlockNames(
    attention=("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"),
    mlp=("ffn.lin1", "ffn.lin2"),
    norms=("sa_layer_norm", "output_layer_norm"),
    hidden="hidden_dim",
)


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
        return read_block(
            tensors,
            config,
            f"{prefix}transformer.layer.{index}",
            BLOCK,
            heads=heads,
            activation=activation,
            dim=dim,
            epsilon=EPSILON,
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
