"""How sentences go in and embeddings come out, as sentence-transformers and tokenizer settings say it."""

from dataclasses import dataclass

from models.files.facts import as_json
from models.files.folder import CONFIG, MODULES, SENTENCE_CONFIG, SENTENCE_FILES, TOKENIZER_CONFIG
from models.files.tensors import Tensors
from models.layouts.options import POOLINGS, Choices
from models.layouts.parts import pooling_of

CHAINS = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
# Flags of the pooling module: of one that is followed the name of the pooling
POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    **dict.fromkeys(
        (
            *("pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens"),
            *("pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"),
        )
    ),
}
# How newer versions say that the hidden states of a text are pooled
HIDDEN_STATES = {
    "transformer_task": "feature-extraction",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    "module_output_name": "token_embeddings",
}
# Names of tokens, what the tokenizer.json says again, and how a caller wants batches padded
TOKENIZER_KEYS = (
    *("bos_token", "eos_token", "sep_token", "cls_token", "pad_token", "mask_token", "unk_token"),
    *("added_tokens_decoder", "additional_special_tokens", "extra_special_tokens", "special_tokens_map_file"),
    *("clean_up_tokenization_spaces", "name_or_path", "tokenizer_class", "tokenizer_file", "vocab_file"),
    *("do_basic_tokenize", "never_split", "padding_side", "pad_to_multiple_of", "pad_token_type_id"),
    *("pad_token_id", "max_length", "stride", "truncation_strategy", "errors", "trim_offsets", "use_fast"),
    *(
        "sp_model_kwargs",
        "model_input_names",
        "backend",
        "is_local",
        "from_slow",
        "legacy",
        "local_files_only",
    ),
    # Compared with the tokenizer itself by models.files.text
    *("do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space"),
)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """Length in tokens, None where nothing limits it; pooling; whether embeddings have the length 1."""

    length: int | None
    pooling: str
    unit: bool


def read_sentence(tensors: Tensors, choices: Choices, dim: int) -> Sentence:
    """Of a text encoder; without modules.json as sentence-transformers takes a bare encoder: the mean."""
    modules = tensors.modules()
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    ours = all(module["type"].startswith("sentence_transformers.") for module in modules)
    if MODULES in tensors.files and not (ours and kinds in CHAINS and modules[0]["path"] == ""):
        names = [f"{m['type'].rpartition('.')[2]} ({m['path'] or 'here'})" for m in modules]
        tensors.refuse(
            MODULES,
            f"{MODULES} must name sentence-transformers' Transformer (here), Pooling and, if any, Normalize, "
            f"not {', '.join(names)[:120] or 'nothing'}",
        )
        modules = []
    pooling = pooling_said(tensors, f"{modules[1]['path']}/{CONFIG}", dim) if modules else None
    for module in modules[2:]:
        vectors = tensors.facts(f"{module['path']}/{CONFIG}")
        vectors.only(module_input_name="sentence_embedding", module_output_name="sentence_embedding")
    return Sentence(
        length=length_of(tensors),
        pooling=pooling_of(choices, pooling, "mean"),
        unit=not modules or kinds[-1] == "Normalize",
    )


def pooling_said(tensors: Tensors, file: str, dim: int) -> str | None:
    """What the pooling module says."""
    if file not in tensors.files:
        tensors.refuse(
            MODULES, f"{MODULES} names the module {file.rpartition('/')[0]}, which has no {CONFIG}"
        )
        return None
    facts = tensors.facts(file)
    facts.harmless("include_prompt")  # there are no prompts
    facts.agree(word_embedding_dimension=dim, embedding_dimension=dim)
    named = facts.one_of("pooling_mode", POOLINGS)
    usual = {"pooling_mode_mean_tokens": True} if named is None else {}
    flags = [flag for flag in POOLING_FLAGS if facts.take(flag, "flag", usual.get(flag, False))]
    found = [*(POOLING_FLAGS[flag] for flag in flags), *([named] if named else [])]
    if len(found) != 1 or found[0] is None:
        reason = f"{file} must ask for the cls token or the mean of the tokens, not {as_json(facts.table)}"
        tensors.refuse(file, reason)
        return None
    return found[0]


def length_of(tensors: Tensors) -> int | None:
    """The most tokens of a sentence."""
    general = tensors.facts(SENTENCE_CONFIG)
    general.harmless("__version__", "prompts")  # a prompt is used where its name is given
    general.only(default_prompt_name=None, similarity_fn_name="cosine", model_type="SentenceTransformer")
    tokenizer = tensors.facts(TOKENIZER_CONFIG)
    tokenizer.harmless(*TOKENIZER_KEYS)
    tokenizer.only(truncation_side="right")
    length = tokenizer.take("model_max_length", "count")
    for file in SENTENCE_FILES:
        facts = tensors.facts(file)
        facts.only(do_lower_case=False, model_args={}, tokenizer_args={}, config_args={}, **HIDDEN_STATES)
        length = facts.take("max_seq_length", "count", length)
    if length == 0:
        tensors.refuse(TOKENIZER_CONFIG, "the most tokens of a sentence must be more than 0")
    return length
