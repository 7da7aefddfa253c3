"""What the text encoders of Hugging Face transformers have in common: keys of config.json, heads, samples."""

from dataclasses import dataclass

from models.files.facts import Facts
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.bert import TextHead
from models.floating.encoder import Block
from models.floating.engine import Floats
from models.layouts.options import Choices
from models.layouts.parts import dense, norm
from models.layouts.sentence import length_of, read_sentence

# Of config.json: training, tokens, names and labels, and how a caller wants the outputs
HARMLESS_KEYS = (
    *("_name_or_path", "transformers_version", "torch_dtype", "dtype", "finetuning_task"),
    *("attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout", "initializer_range"),
    *("initializer_factor", "gradient_checkpointing", "use_cache", "output_past", "torchscript"),
    *("output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "tie_word_embeddings"),
    *("id2label", "label2id", "num_labels", "_num_labels", "chunk_size_feed_forward", "tokenizer_class"),
    *("bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id"),
    *("attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "use_bfloat16"),
    *("tie_encoder_decoder", "prefix", "task_specific_params", "tf_legacy_loss"),
    # Old versions of the library write how every model generates text, encoders too
    *("max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups"),
    *("diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty"),
    *("length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids"),
    *("num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id"),
    *("forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty"),
    *("suppress_tokens", "begin_suppress_tokens", "decoder_start_token_id"),
)
CLASSIFIER = "ForSequenceClassification"


@dataclass(frozen=True, kw_only=True)
class HeadNames:
    """Names of the two layers of a classifier, and what stands between them."""

    pooler: str
    classifier: str
    activation: str


DENSE_HEAD = HeadNames(pooler="classifier.dense", classifier="classifier.out_proj", activation="tanh")


@dataclass(frozen=True, kw_only=True)
class BlockNames:
    """Names of the layers of a block, and of the hidden features in config.json.

    Attributes:
        attention: of query, key, value and projection.
        mlp: of its two layers.
        norms: after attention, and after the MLP.
        hidden: key of config.json.
    """

    attention: tuple[str, str, str, str]
    mlp: tuple[str, str]
    norms: tuple[str, str]
    hidden: str = "intermediate_size"


def read_block(
    tensors: Tensors,
    config: Facts,
    name: str,
    names: BlockNames,
    *,
    heads: int,
    activation: str,
    dim: int,
    epsilon: float,
) -> Block:
    """A block of an encoder, whose norms stand after the sums; `name` is what its tensors begin with."""
    query, key, value, projection = (dense(tensors, f"{name}.{part}", dim, dim) for part in names.attention)
    mlp1 = dense(tensors, f"{name}.{names.mlp[0]}", None, dim)
    config.agree(**{names.hidden: len(mlp1.weight)})
    norm1, norm2 = (norm(tensors, f"{name}.{part}", dim, epsilon) for part in names.norms)
    return Block(
        heads=heads,
        norm_first=False,
        activation=activation,
        query=query,
        key=key,
        value=value,
        projection=projection,
        mlp1=mlp1,
        mlp2=dense(tensors, f"{name}.{names.mlp[1]}", dim, len(mlp1.weight)),
        norm1=norm1,
        norm2=norm2,
    )


def read_head(
    tensors: Tensors, config: Facts, class_name: str, names: HeadNames, dim: int
) -> TextHead | None:
    """The classifier that `architectures` names, None for an encoder alone.

    Refuses another head, unless the rest is left out on purpose. sentence-transformers runs the encoder
    alone, whatever the model was trained with.

    Args:
        tensors: the model's.
        config: its config.json.
        class_name: of the encoder in transformers, without "Model".
        names: of the layers.
        dim: features of a token.
    """
    config.harmless("architectures", "problem_type")
    said = config.table.get("architectures") or []
    if said == [class_name + CLASSIFIER] and not tensors.left_out and not tensors.modules():
        config.only(problem_type="single_label_classification")
        head = TextHead(
            pooler=dense(tensors, names.pooler, dim, dim),
            activation=names.activation,
            classifier=dense(tensors, names.classifier, None, dim),
        )
        if len(head.classifier.weight) == 1:
            tensors.refuse(names.classifier, f"{names.classifier} must tell at least 2 classes apart, not 1")
        return head
    if said not in ([], [f"{class_name}Model"]) and not tensors.left_out and not tensors.modules():
        tensors.refuse(
            CONFIG,
            f"architectures in {CONFIG} names {', '.join(map(str, said))[:80]}, of which only the encoder "
            f"({class_name}Model) runs here, or {class_name}{CLASSIFIER}; --leave-out its head (classifier, "
            "cls, lm_head, ...) goes on without it",
        )
    return None


@dataclass(frozen=True, kw_only=True)
class Ends:
    """How sentences go in and what comes out; fields of `models.floating.bert.Bert`."""

    length: int
    pooling: str
    unit: bool


def read_ends(tensors: Tensors, choices: Choices, head: TextHead | None, positions: int, dim: int) -> Ends:
    """Of a text encoder of so many positions; nothing is pooled where there is a head."""
    if head is not None:
        length = length_of(tensors)
        return Ends(length=min(length or positions, positions), pooling="cls", unit=False)
    sentence = read_sentence(tensors, choices, dim)
    length = min(sentence.length or positions, positions)
    return Ends(length=length, pooling=sentence.pooling, unit=sentence.unit)


def behind_padding(tensors: Tensors, positions: Floats, padding: int) -> Floats:
    """Positions that tokens have in RoBERTa and its kin: those behind the number of the padding token."""
    if padding + 1 >= len(positions):
        reason = f"pad_token_id in {CONFIG} must leave positions behind it, not be {padding}"
        tensors.refuse(CONFIG, reason)
        return positions
    return positions[padding + 1 :]
