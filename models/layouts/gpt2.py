"""GPT-2 of Hugging Face transformers."""

import numpy as np

from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.encoder import Block
from models.floating.engine import Linear
from models.floating.gpt2 import Gpt2
from models.layouts.options import Choices
from models.layouts.parts import activation_of, epsilon_of, heads_of, norm, thirds
from models.layouts.sentence import length_of
from models.layouts.text import HARMLESS_KEYS

ABOUT = "Hugging Face, model_type gpt2"
MARK = "h.0.attn.c_attn.weight"
PREFIXES = ("", "transformer.")
# Buffers of older files: the mask, and the value that it stood for
HARMLESS = r"^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$"
HARMLESS_HERE = (
    *("attn_pdrop", "embd_pdrop", "resid_pdrop", "reorder_and_upcast_attn", "pad_token_id", "n_ctx"),
    *("summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type"),
    *("summary_use_proj", "architectures", "problem_type"),
)
CLASSES = ("GPT2LMHeadModel", "GPT2Model")


def recognise(tensors: Tensors) -> bool:
    return any(prefix + MARK in tensors for prefix in PREFIXES)


def turned(tensors: Tensors, name: str, outputs: int | None, inputs: int) -> Linear:
    """A dense layer whose weight is stored [inputs, outputs]."""
    weight = tensors.take(f"{name}.weight", inputs, outputs).T
    return Linear(weight=np.ascontiguousarray(weight), bias=tensors.take(f"{name}.bias", len(weight)))


def read(tensors: Tensors, choices: Choices) -> Gpt2:
    prefix = next(p for p in PREFIXES if p + MARK in tensors)
    config = tensors.facts(CONFIG)
    config.harmless(*(set(HARMLESS_KEYS) - {"tie_word_embeddings"}), *HARMLESS_HERE)
    config.only(
        model_type="gpt2",
        add_cross_attention=False,
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        is_encoder_decoder=False,
        pruned_heads={},
    )
    said = config.table.get("architectures") or []
    if said not in ([], *([name] for name in CLASSES)) and not tensors.left_out:
        names = ", ".join(map(str, said))[:80]
        tensors.refuse(CONFIG, f"architectures in {CONFIG} must be one of {', '.join(CLASSES)}, not {names}")
    words = tensors.take(f"{prefix}wte.weight", None, None)
    dim = words.shape[1]
    positions = tensors.take(f"{prefix}wpe.weight", None, dim)
    heads = heads_of(choices, config.take("n_head", "count"), dim)
    epsilon = epsilon_of(choices, config.take("layer_norm_epsilon", "fraction"), 1e-5)
    activation = activation_of(choices, config.take("activation_function", "text"), "gelu_new")
    # Without a layer of its own the words are the weights of the logits
    tied = config.take("tie_word_embeddings", "flag", "lm_head.weight" not in tensors)
    head = tensors.maybe("lm_head.weight", len(words), dim)
    if tied and head is not None and not np.array_equal(head, words):
        tensors.refuse("lm_head", "tensor lm_head.weight must be that of the words, as config.json says")
    if not tied and head is None:
        tensors.refuse("lm_head", "tensor lm_head.weight is missing")

    def block(index: int) -> Block:
        name = f"{prefix}h.{index}"
        query, key, value = thirds(turned(tensors, f"{name}.attn.c_attn", 3 * dim, dim))
        hidden = turned(tensors, f"{name}.mlp.c_fc", None, dim)
        config.agree(n_inner=len(hidden.weight))
        return Block(
            heads=heads,
            norm_first=True,
            activation=activation,
            query=query,
            key=key,
            value=value,
            projection=turned(tensors, f"{name}.attn.c_proj", dim, dim),
            mlp1=hidden,
            mlp2=turned(tensors, f"{name}.mlp.c_proj", dim, len(hidden.weight)),
            norm1=norm(tensors, f"{name}.ln_1", dim, epsilon),
            norm2=norm(tensors, f"{name}.ln_2", dim, epsilon),
        )

    layers = tensors.count(f"{prefix}h.{{}}.")
    config.agree(vocab_size=len(words), n_positions=len(positions), n_embd=dim, n_layer=layers)
    length = min(length_of(tensors) or len(positions), len(positions))
    return Gpt2(
        words=words,
        positions=positions[:length],
        blocks=[block(index) for index in range(layers)],
        norm=norm(tensors, f"{prefix}ln_f", dim, epsilon),
        head=Linear(weight=words if head is None else head),
    )
