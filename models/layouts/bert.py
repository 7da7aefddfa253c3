"""Text encoders of Hugging Face transformers with the tensors of BertModel."""

from dataclasses import dataclass

from models.files.adapters import MEAN_CLASSIFIER
from models.files.facts import Facts, as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.bert import Bert
from models.floating.encoder import Block
from models.layouts.options import Choices
from models.layouts.parts import activation_of, dense, epsilon_of, heads_of, norm
from models.layouts.sentence import read_sentence


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a model_type means.

    Attributes:
        name: of the class of the encoder, before "Model".
        prefix: of the tensors in files of models with a head.
        padded: positions begin behind the number of the padding token.
    """

    name: str
    prefix: str
    padded: bool


KINDS = {
    "bert": Kind(name="Bert", prefix="bert.", padded=False),
    "roberta": Kind(name="Roberta", prefix="roberta.", padded=True),
    "camembert": Kind(name="Camembert", prefix="roberta.", padded=True),
    "xlm-roberta": Kind(name="XLMRoberta", prefix="roberta.", padded=True),
}
ABOUT = f"Hugging Face, model_type {', '.join(KINDS)}"
PREFIXES = ("", "bert.", "roberta.")
MARK = "encoder.layer.0.attention.self.query.weight"
# Buffers, and the layer on the first token that heads of classification read: no part of the hidden states
HARMLESS = r"^(bert\.|roberta\.)?(embeddings\.(position_ids|token_type_ids)$|pooler\.dense\.)"

# Of config.json: training, tokens, names and labels, and how a caller wants the outputs
HARMLESS_KEYS = (
    *("_name_or_path", "transformers_version", "torch_dtype", "dtype", "finetuning_task", "problem_type"),
    *("attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout", "initializer_range"),
    *("initializer_factor", "gradient_checkpointing", "use_cache", "output_past", "torchscript"),
    *("output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "tie_word_embeddings"),
    *("id2label", "label2id", "num_labels", "_num_labels", "chunk_size_feed_forward", "tokenizer_class"),
    *("bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id"),
    *("attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "use_bfloat16"),
    *("pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head"),
    *("pooler_type", "tie_encoder_decoder", "prefix", "task_specific_params", "tf_legacy_loss"),
    # Old versions of the library write how every model generates text, encoders too
    *("max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups"),
    *("diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty"),
    *("length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids"),
    *("num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id"),
    *("forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty"),
    *("suppress_tokens", "begin_suppress_tokens", "decoder_start_token_id"),
)


def recognise(tensors: Tensors) -> bool:
    return any(prefix + MARK in tensors for prefix in PREFIXES)


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


def check_head(tensors: Tensors, config: Facts, kind: Kind | None) -> None:
    """Refuse what config.json says to be more than an encoder, unless the rest is left out on purpose."""
    config.harmless("architectures")
    names = config.table.get("architectures") or []
    encoder = f"{kind.name}Model" if kind else "BertModel"
    alone = names in ([], [encoder])
    # sentence-transformers runs the encoder alone, whatever the model was trained with
    if not alone and not tensors.left_out and not tensors.modules():
        tensors.refuse(
            CONFIG,
            f"architectures in {CONFIG} names {', '.join(map(str, names))[:80]}, of which only the encoder "
            f"({encoder}) runs here; --leave-out its head (classifier, cls, lm_head, ...) goes on "
            "without it",
        )


def read(tensors: Tensors, choices: Choices) -> Bert:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    kind = kind_of(tensors, choices, config, prefix)
    check_head(tensors, config, kind)
    config.harmless(*HARMLESS_KEYS)
    config.only(
        position_embedding_type="absolute",
        is_decoder=False,
        add_cross_attention=False,
        is_encoder_decoder=False,
        pruned_heads={},
        directionality="bidi",
    )
    words = tensors.take(f"{prefix}embeddings.word_embeddings.weight", None, None)
    dim = words.shape[1]
    heads = heads_of(choices, config.take("num_attention_heads", "count"), dim)
    epsilon = epsilon_of(choices, config.take("layer_norm_eps", "fraction"), 1e-12 if kind else None)
    activation = activation_of(choices, config.take("hidden_act", "text"), "gelu" if kind else None)
    positions = tensors.take(f"{prefix}embeddings.position_embeddings.weight", None, dim)
    types = tensors.take(f"{prefix}embeddings.token_type_embeddings.weight", None, dim)
    config.agree(
        vocab_size=len(words),
        hidden_size=dim,
        max_position_embeddings=len(positions),
        type_vocab_size=len(types),
    )
    padding = config.take("pad_token_id", "count", 1)
    if kind and kind.padded:
        if padding + 1 >= len(positions):
            tensors.refuse(
                CONFIG, f"pad_token_id in {CONFIG} must leave positions behind it, not be {padding}"
            )
            padding = 0
        positions = positions[padding + 1 :]

    def block(index: int) -> Block:
        name = f"{prefix}encoder.layer.{index}"
        hidden = dense(tensors, f"{name}.intermediate.dense", None, dim)
        config.agree(intermediate_size=len(hidden.weight))
        return Block(
            heads=heads,
            norm_first=False,
            activation=activation,
            query=dense(tensors, f"{name}.attention.self.query", dim, dim),
            key=dense(tensors, f"{name}.attention.self.key", dim, dim),
            value=dense(tensors, f"{name}.attention.self.value", dim, dim),
            projection=dense(tensors, f"{name}.attention.output.dense", dim, dim),
            mlp1=hidden,
            mlp2=dense(tensors, f"{name}.output.dense", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.attention.output.LayerNorm", dim, epsilon),
            norm2=norm(tensors, f"{name}.output.LayerNorm", dim, epsilon),
        )

    layers = tensors.count(f"{prefix}encoder.layer.{{}}.")
    config.agree(num_hidden_layers=layers)
    sentence = read_sentence(tensors, choices, dim)
    classified = tensors.has(MEAN_CLASSIFIER)
    if classified and sentence.pooling != "mean":
        reason = f"a classifier of the mean hidden state needs pooling mean, not {sentence.pooling}"
        tensors.refuse(MEAN_CLASSIFIER, reason)
    return Bert(
        words=words,
        positions=positions,
        types=types,
        norm=norm(tensors, f"{prefix}embeddings.LayerNorm", dim, epsilon),
        blocks=[block(index) for index in range(layers)],
        length=min(sentence.length or len(positions), len(positions)),
        padding=padding if kind and kind.padded else None,
        pooling=sentence.pooling,
        unit=sentence.unit,
        classifier=dense(tensors, MEAN_CLASSIFIER, None, dim) if classified else None,
    )
