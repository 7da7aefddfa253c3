"""Makes the folders beside this file: small random models, saved by their libraries as users save them.

    pip install torch torchvision transformers timm sentence-transformers
    python tests/models/reference/make_folders.py [NAME ...]

Per model, folders/NAME holds what the library writes, and folders/NAME.npz the inputs and the outputs of
the library's own forward pass in float32; folders/versions.json holds the versions that made them. Weights
are drawn anew, so that no bias is zero and no gain is one.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sentence_transformers
import timm
import torch
import torchvision
import transformers
from safetensors.torch import save_file

FOLDERS = Path(__file__).parent / "folders"
WORDS = 40
TEXT = {
    **{"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"intermediate_size": 24, "max_position_embeddings": 24, "num_labels": 3},
}
VISION = {
    **{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24},
    **{"image_size": 16, "patch_size": 4, "num_labels": 3},
}
DINO = {key: value for key, value in VISION.items() if key != "intermediate_size"} | {"mlp_ratio": 2}
TIMM = {
    **{"img_size": 16, "patch_size": 4, "embed_dim": 16, "depth": 2, "num_heads": 2, "mlp_ratio": 2},
    **{"num_classes": 3},
}


def drawn(model: torch.nn.Module) -> torch.nn.Module:
    """Weights large enough that attention and norms matter; no parameter keeps a special value."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def tokens(*shape: int) -> torch.Tensor:
    """Token numbers, none of which is a special one."""
    return torch.randint(4, WORDS, shape or (2, 9))


def images(side: int = 16) -> torch.Tensor:
    return torch.randn(2, 3, side, side)


def keep(name: str, inputs: torch.Tensor, outputs: torch.Tensor, **more: torch.Tensor) -> None:
    arrays = {"inputs": inputs, "outputs": outputs, **more}
    np.savez_compressed(
        FOLDERS / f"{name}.npz", **{key: value.detach().numpy() for key, value in arrays.items()}
    )


def place(name: str) -> Path:
    folder = FOLDERS / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def hugging_face(
    kind: str,
    config: Any,
    draw: Callable[[], torch.Tensor],
    output: str = "logits",
    dtype: torch.dtype = torch.float32,
    lengths: tuple[int, int] | None = None,
    **saving: Any,
) -> Any:
    """A model of transformers, by the name of its class, its weights rounded to `dtype`; sentences end at
    their lengths, if any, and padding follows."""

    def make(name: str) -> None:
        model = drawn(getattr(transformers, kind)(config)).to(dtype).float()
        inputs, more, mask = draw(), {}, {}
        if lengths is not None:
            more["allowed"] = torch.arange(inputs.shape[1])[None] < torch.tensor(lengths)[:, None]
            mask["attention_mask"] = more["allowed"].long()
        keep(name, inputs, getattr(model(inputs, **mask), output), **more)
        model.to(dtype).save_pretrained(place(name), **saving)

    return make


def sentences(encoder: str, config: Any, pooling: str, unit: bool) -> Any:
    """A sentence-transformers folder around a bare encoder; its tokenizer is not what is compared."""

    def make(name: str) -> None:
        folder, words = place(name), tokens()
        drawn(getattr(transformers, encoder)(config)).save_pretrained(folder)
        vocabulary = {f"w{number}": number for number in range(WORDS)}
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=word_level(vocabulary), unk_token="w3", pad_token="w1", cls_token="w0"
        )
        tokenizer.save_pretrained(folder)
        modules = sentence_transformers.sentence_transformer.modules
        parts = [modules.Transformer(str(folder), max_seq_length=11)]
        parts.append(modules.Pooling(parts[0].get_word_embedding_dimension(), pooling_mode=pooling))
        model = sentence_transformers.SentenceTransformer(
            modules=[*parts, modules.Normalize()] if unit else parts, device="cpu"
        )
        model.save(str(folder), create_model_card=False)
        features = {"input_ids": words, "attention_mask": torch.ones_like(words)}
        keep(name, words, model(features)["sentence_embedding"])

    return make


def word_level(vocabulary: dict[str, int]) -> Any:
    import tokenizers

    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="w3"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


def timm_vit(**arguments: Any) -> Any:
    """A vision transformer of timm as `timm.models.save_for_hf` writes it."""

    def make(name: str) -> None:
        arguments_here = TIMM | arguments
        model = drawn(timm.models.VisionTransformer(**arguments_here))
        pixels = images()
        keep(name, pixels, model(pixels))
        timm_folder(name, model, "vit_tiny_patch16_224", arguments_here)

    return make


def timm_folder(name: str, model: torch.nn.Module, architecture: str, arguments: dict[str, Any]) -> None:
    folder = place(name)
    save_file(
        {key: value.contiguous() for key, value in model.state_dict().items()}, folder / "model.safetensors"
    )
    said = {
        **{"architecture": architecture, "num_classes": model.num_classes},
        **{"num_features": model.num_features, "global_pool": model.global_pool, "model_args": arguments},
    }
    (folder / "config.json").write_text(json.dumps(said, indent=2) + "\n")


def timm_distilled(name: str) -> None:
    """DeiT of timm, with its distillation token; outside training the two heads are averaged."""
    arguments = TIMM | {"img_size": 16}
    model = drawn(timm.models.deit.VisionTransformerDistilled(**arguments))
    pixels = images()
    keep(name, pixels, model(pixels))
    timm_folder(name, model, "deit_tiny_distilled_patch16_224", arguments)


def timm_swin(name: str) -> None:
    arguments = {
        **{"img_size": 32, "patch_size": 4, "embed_dim": 8, "depths": (2, 2), "num_heads": (1, 2)},
        **{"window_size": 4, "mlp_ratio": 2, "num_classes": 3},
    }
    model = drawn(timm.models.SwinTransformer(**arguments))
    pixels = images(32)
    keep(name, pixels, model(pixels))
    timm_folder(name, model, "swin_tiny_patch4_window7_224", arguments)


def torchvision_vit(name: str) -> None:
    model = drawn(
        torchvision.models.VisionTransformer(
            image_size=16, patch_size=4, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=24, num_classes=3
        )
    )
    pixels = images()
    keep(name, pixels, model(pixels))
    save_file(model.state_dict(), place(name) / "model.safetensors")


def torch_encoder(
    *,
    bias: bool = True,
    norm_first: bool = False,
    causal: bool = False,
    padded: bool = False,
    prefix: str = "",
) -> Any:
    """`torch.nn.TransformerEncoder`, its state as torch.save writes it, in the user's own module or not."""

    def make(name: str) -> None:
        layer = torch.nn.TransformerEncoderLayer(
            16, 2, dim_feedforward=24, batch_first=True, norm_first=norm_first, bias=bias
        )
        norm = torch.nn.LayerNorm(16, bias=bias)
        encoder = drawn(torch.nn.TransformerEncoder(layer, 2, norm=norm, enable_nested_tensor=False))
        vectors, more, masks = torch.randn(2, 7, 16), {}, {}
        if causal:
            masks["mask"] = torch.nn.Transformer.generate_square_subsequent_mask(7)
        if padded:
            more["allowed"] = torch.arange(7)[None] < torch.tensor([[7], [4]])
            masks["src_key_padding_mask"] = ~more["allowed"]
        keep(name, vectors, encoder(vectors, is_causal=causal, **masks), **more)
        state = {f"{prefix}{key}": value for key, value in encoder.state_dict().items()}
        torch.save(state, place(name) / "model.pt")
        said = {
            **{"d_model": 16, "nhead": 2, "dim_feedforward": 24, "activation": "relu", "num_layers": 2},
            **{"norm_first": norm_first, "is_causal": causal, "layer_norm_eps": 1e-5, "bias": bias},
        }
        (place(name) / "config.json").write_text(json.dumps(said) + "\n")

    return make


class Module(torch.nn.Module):
    """What users build around an encoder."""

    def __init__(self, *, positions: str, class_token: bool, pooling: str, **layer: Any) -> None:
        super().__init__()
        self.pooling = pooling
        self.embed = torch.nn.Linear(5, 16, bias=not class_token)
        if class_token:
            self.cls = torch.nn.Parameter(torch.zeros(1, 1, 16))
        if positions == "table":
            self.where = torch.nn.Embedding(12, 16)
        elif positions == "parameter":
            self.where = torch.nn.Parameter(torch.zeros(1, 7, 16))
        else:
            self.register_buffer("where", torch.randn(9, 1, 16))
        block = torch.nn.TransformerEncoderLayer(16, 2, dim_feedforward=24, batch_first=True, **layer)
        norm = torch.nn.LayerNorm(16) if layer.get("norm_first") else None
        self.encoder = torch.nn.TransformerEncoder(block, 2, norm=norm, enable_nested_tensor=False)
        self.classify = torch.nn.Linear(16, 3)

    def forward(self, x: torch.Tensor, causal: bool) -> torch.Tensor:
        x = self.embed(x)
        if hasattr(self, "cls"):
            x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1)
        if isinstance(self.where, torch.nn.Embedding):
            x = x + self.where(torch.arange(x.shape[1]))
        else:
            x = x + self.where.reshape(-1, 16)[: x.shape[1]]
        mask = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if causal else None
        x = self.encoder(x, mask=mask, is_causal=causal)
        return self.classify({"mean": x.mean(1), "cls": x[:, 0], "last": x[:, -1]}[self.pooling])


def torch_module(causal: bool = False, **arguments: Any) -> Any:
    """A user's module around an encoder; nothing beside the file says what is in it."""

    def make(name: str) -> None:
        model = drawn(Module(**arguments))
        vectors = torch.randn(2, 7, 5)
        keep(name, vectors, model(vectors, causal))
        torch.save(model.state_dict(), place(name) / "model.pt")

    return make


def models() -> dict[str, Callable[[str], None]]:
    t = transformers
    roberta, mpnet = t.RobertaConfig(**TEXT), t.MPNetConfig(**TEXT | {"max_position_embeddings": 150})
    distilbert = t.DistilBertConfig(
        vocab_size=WORDS,
        dim=16,
        n_layers=2,
        n_heads=2,
        hidden_dim=24,
        max_position_embeddings=24,
        num_labels=3,
    )
    swin = t.SwinConfig(
        **{"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2]},
        **{"window_size": 4, "mlp_ratio": 2.0, "num_labels": 3},
    )
    gpt2 = t.GPT2Config(vocab_size=WORDS, n_positions=24, n_embd=16, n_layer=2, n_head=2)
    last = "last_hidden_state"
    return {
        "bert": hugging_face("BertModel", t.BertConfig(**TEXT), tokens, last),
        "bert_padded": hugging_face("BertModel", t.BertConfig(**TEXT), tokens, last, lengths=(9, 4)),
        "bert_classifier": hugging_face("BertForSequenceClassification", t.BertConfig(**TEXT), tokens),
        "bert_float16": hugging_face("BertModel", t.BertConfig(**TEXT), tokens, last, dtype=torch.float16),
        "bert_bfloat16": hugging_face("BertModel", t.BertConfig(**TEXT), tokens, last, dtype=torch.bfloat16),
        "bert_shards": hugging_face("BertModel", t.BertConfig(**TEXT), tokens, last, max_shard_size="12KB"),
        "roberta": hugging_face("RobertaModel", roberta, tokens, last),
        "roberta_classifier": hugging_face("RobertaForSequenceClassification", roberta, tokens),
        "electra": hugging_face("ElectraModel", t.ElectraConfig(embedding_size=8, **TEXT), tokens, last),
        "electra_classifier": hugging_face(
            "ElectraForSequenceClassification", t.ElectraConfig(embedding_size=16, **TEXT), tokens
        ),
        "distilbert": hugging_face("DistilBertModel", distilbert, tokens, last),
        "distilbert_classifier": hugging_face("DistilBertForSequenceClassification", distilbert, tokens),
        "mpnet": hugging_face("MPNetModel", mpnet, partial(tokens, 1, 140), last),
        "mpnet_classifier": hugging_face("MPNetForSequenceClassification", mpnet, tokens),
        "sentence_mpnet": sentences("MPNetModel", mpnet, "mean", True),
        "sentence_bert": sentences("BertModel", t.BertConfig(**TEXT), "cls", False),
        "vit": hugging_face("ViTModel", t.ViTConfig(**VISION), images, last),
        "vit_classifier": hugging_face("ViTForImageClassification", t.ViTConfig(**VISION), images),
        "deit": hugging_face("DeiTForImageClassification", t.DeiTConfig(**VISION), images),
        "deit_teacher": hugging_face("DeiTForImageClassificationWithTeacher", t.DeiTConfig(**VISION), images),
        "dinov2": hugging_face("Dinov2ForImageClassification", t.Dinov2Config(**DINO), images),
        "dinov2_registers": hugging_face(
            "Dinov2WithRegistersForImageClassification", t.Dinov2WithRegistersConfig(**DINO), images
        ),
        "swin": hugging_face("SwinForImageClassification", swin, partial(images, 32)),
        "gpt2": hugging_face("GPT2LMHeadModel", gpt2, tokens),
        "timm_vit": timm_vit(),
        "timm_mean": timm_vit(global_pool="avg", fc_norm=False),
        "timm_fc_norm": timm_vit(global_pool="avg", class_token=False),
        "timm_registers": timm_vit(reg_tokens=2, no_embed_class=True, init_values=0.1, qk_norm=True),
        "timm_pre_norm": timm_vit(pre_norm=True, qkv_bias=False, num_classes=0),
        "timm_distilled": timm_distilled,
        "timm_swin": timm_swin,
        "torchvision_vit": torchvision_vit,
        "torch_plain": torch_encoder(padded=True),
        "torch_no_bias": torch_encoder(bias=False, norm_first=True, causal=True),
        "torch_wrapped": torch_encoder(prefix="_orig_mod.module.encoder.", causal=True, padded=True),
        "torch_module_mean": torch_module(positions="parameter", class_token=False, pooling="mean"),
        "torch_module_cls": torch_module(
            positions="table", class_token=True, pooling="cls", norm_first=True, activation="gelu"
        ),
        "torch_module_last": torch_module(positions="buffer", class_token=False, pooling="last", causal=True),
    }


def main(names: list[str]) -> None:
    versions = {
        module.__name__: module.__version__
        for module in (torch, torchvision, transformers, timm, sentence_transformers)
    }
    FOLDERS.mkdir(exist_ok=True)
    (FOLDERS / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")
    table = models()
    for name in names or table:
        torch.manual_seed(sum(name.encode()))
        with torch.no_grad():
            table[name](name)


if __name__ == "__main__":
    main(sys.argv[1:])
