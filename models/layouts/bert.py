"""Text encoders of Hugging Face transformers with the tensors of BertModel."""

from dataclasses import dataclass, replace
from typing import Any

from models.files.adapters import MEAN_CLASSIFIER
from models.files.facts import Facts, as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.bert import Bert
from models.floating.encoder import Block
from models.layouts.options import Choices
from models.layouts.parts import activation_of, dense, epsilon_of, heads_of, norm
from models.layouts.text import (
    DENSE_HEAD,
    HARMLESS_KEYS,
    BlockNames,
    HeadNames,
    behind_padding,
    read_block,
    read_ends,
    read_head,
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a model_type means.

    Attributes:
        name: of the class of the encoder, before "Model".
        prefix: of the tensors in files of models with a head.
        padded: positions begin behind the number of the padding token.
        pooled: classifiers read the encoder's pooler; the others have a layer of their own.
        activation: of a classifier, between its layers.
    """

    name: str
    prefix: str
    padded: bool = False
    pooled: bool = False
    activation: str = "tanh"

    def head(self, prefix: str) -> HeadNames:
        """Names of a classifier's layers."""
        if self.pooled:
            return HeadNames(
                pooler=f"{prefix}pooler.dense", classifier="classifier", activation=self.activation
            )
        return replace(DENSE_HEAD, activation=self.activation)


ROBERTA: dict[str, Any] = {"prefix": "roberta.", "padded": True}
KINDS = {
    "bert": Kind(name="Bert", prefix="bert.", pooled=True),
    "roberta": Kind(name="Roberta", **ROBERTA),
    "camembert": Kind(name="Camembert", **ROBERTA),
    "xlm-roberta": Kind(name="XLMRoberta", **ROBERTA),
    "electra": Kind(name="Electra", prefix="electra.", activation="gelu"),
}
ABOUT = f"Hugging Face, model_type {', '.join(KINDS)}"
PREFIXES = ("", *dict.fromkeys(kind.prefix for kind in KINDS.values()))
MARK = "encoder.layer.0.attention.self.query.weight"
# Buffers, and the layer on the first token that heads of classification read: no part of the hidden states
HARMLESS = r"^(bert\.|roberta\.|electra\.)?(embeddings\.(position_ids|token_type_ids)$|pooler\.dense\.)"
HARMLESS_HERE = (
    *("pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head"),
    *("pooler_type", "summary_activation", "summary_last_dropout", "summary_type", "summary_use_proj"),
)
BLOCK = BlockNames(
    attention=(
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
    ),
    mlp=("intermediate.dense", "output.dense"),
    norms=("attention.output.LayerNorm", "output.LayerNorm"),
)


def recognise(tensors: Tensors) -> bool:
    # Vision transformers of the same library have the same blocks
    return any(
        prefix + MARK in tensors and f"{prefix}embeddings.word_embeddings.weight" in tensors
        for prefix in PREFIXES
    )


def kind_of(tensors: Tensors, choices: Choices, config: Facts, prefix: str) -> Kind | None:
    """What config.json or the user calls the model, None where nobody does."""
    name = choices.pick("architecture", config.take("model_type", "text"))
    if name is None:
        return None
    if name not in KINDS:
        reason = f"model_type must be one of {', '.join(KINDS)}, not {as_json(name)}"
        tensors.refuse("architecture", reason)
        return None
    if prefix not in ("", KINDS[name].prefix):
        reason = f"model_type {name} names its tensors {KINDS[name].prefix}..., not {prefix}..."
        tensors.refuse("architecture", reason)
    return KINDS[name]


def read(tensors: Tensors, choices: Choices) -> Bert:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    kind = kind_of(tensors, choices, config, prefix)
    config.harmless(*HARMLESS_KEYS, *HARMLESS_HERE)
    config.only(
        position_embedding_type="absolute",
        is_decoder=False,
        add_cross_attention=False,
        is_encoder_decoder=False,
        pruned_heads={},
        directionality="bidi",
    )
    words = tensors.take(f"{prefix}embeddings.word_embeddings.weight", None, None)
    width = words.shape[1]
    # ELECTRA's embedding may be narrower than its blocks
    project_name = f"{prefix}embeddings_project"
    project = dense(tensors, project_name, None, width) if tensors.has(project_name) else None
    dim = width if project is None else len(project.weight)
    like = kind or KINDS["bert"]
    head = read_head(tensors, config, like.name, like.head(prefix), dim)
    heads = heads_of(choices, config.take("num_attention_heads", "count"), dim)
    epsilon = epsilon_of(choices, config.take("layer_norm_eps", "fraction"), 1e-12 if kind else None)
    activation = activation_of(choices, config.take("hidden_act", "text"), "gelu" if kind else None)
    positions = tensors.take(f"{prefix}embeddings.position_embeddings.weight", None, width)
    types = tensors.take(f"{prefix}embeddings.token_type_embeddings.weight", None, width)
    config.agree(
        vocab_size=len(words),
        hidden_size=dim,
        embedding_size=width,
        max_position_embeddings=len(positions),
        type_vocab_size=len(types),
    )
    padding = None
    if kind and kind.padded:
        padding = config.take("pad_token_id", "count", 1)
        positions = behind_padding(tensors, positions, padding)
    config.harmless("pad_token_id")

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
    classified = tensors.has(MEAN_CLASSIFIER)
    if classified and (head is not None or ends.pooling != "mean"):
        other = "a head" if head is not None else ends.pooling
        tensors.refuse(MEAN_CLASSIFIER, f"a classifier of the mean needs pooling mean, not {other}")
    return Bert(
        words=words,
        positions=positions,
        types=types,
        norm=norm(tensors, f"{prefix}embeddings.LayerNorm", width, epsilon),
        project=project,
        blocks=[block(index) for index in range(layers)],
        length=ends.length,
        padding=padding,
        pooling=ends.pooling,
        unit=ends.unit,
        head=head,
        classifier=dense(tensors, MEAN_CLASSIFIER, None, dim) if classified else None,
    )
