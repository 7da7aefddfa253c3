"""Folders of the reference models as their libraries write them, and what is read of them."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from models.files.tensors import read_tensors
from models.floating.engine import FloatEngine
from models.floating.model import Model
from models.layouts import Options, read_model

REFERENCE = Path(__file__).parent / "reference"
TENSORS = {name: load_file(REFERENCE / f"{name}.safetensors") for name in ("bert", "vit", "swin")}
TENSORS["torch"] = load_file(REFERENCE / "torch_norm_first.safetensors")
INPUTS = {name: np.load(REFERENCE / f"{name}.npz")["inputs"] for name in ("bert", "vit", "swin")}
INPUTS["torch"] = np.load(REFERENCE / "torch_norm_first.npz")["inputs"]
# What the libraries write of these models
BERT = {
    **{"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 16, "vocab_size": 40},
    **{"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "hidden_act": "gelu"},
    **{"max_position_embeddings": 12, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0},
    **{"position_embedding_type": "absolute", "use_cache": True, "torch_dtype": "float32"},
}
VIT_ARGUMENTS = {"num_heads": 2, "embed_dim": 16, "depth": 2, "patch_size": 4, "mlp_ratio": 2}
VIT = {"num_classes": 5, "num_features": 16, "global_pool": "token", "model_args": VIT_ARGUMENTS}
VIT_OPTIONS = Options(activation="gelu", epsilon=1e-6)
SWIN_ARGUMENTS = {"embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2], "window_size": 4, "mlp_ratio": 2}
SWIN = {"num_classes": 5, "num_features": 16, "global_pool": "avg", "model_args": SWIN_ARGUMENTS}
TORCH = {
    **{"d_model": 16, "nhead": 2, "dim_feedforward": 32, "activation": "gelu", "norm_first": True},
    **{"layer_norm_eps": 1e-5, "num_layers": 2, "is_causal": False, "dropout": 0.1},
}
CONFIGS: dict[str, dict[str, Any]] = {"bert": BERT, "vit": VIT, "swin": SWIN, "torch": TORCH}
OPTIONS = {"vit": VIT_OPTIONS, "swin": Options(activation="gelu", epsilon=1e-5)}
ST = "sentence_transformers.models."
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": f"{ST}Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{ST}Pooling"},
]
NORMALIZE = {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{ST}Normalize"}
CLS = {"word_embedding_dimension": 16, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
MEAN = {"word_embedding_dimension": 16, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}

Folder = Callable[..., Path]


def write_folder(
    place: Path,
    name: str,
    changes: dict[str, Any] | None = None,
    files: dict[str, Any] | None = None,
    tensors: dict[str, NDArray[Any]] | None = None,
) -> Path:
    """A reference model, its config.json with changes, and further files."""
    save_file(TENSORS[name] if tensors is None else tensors, place / "model.safetensors")
    for file, content in {"config.json": {**CONFIGS[name], **(changes or {})}, **(files or {})}.items():
        (place / file).parent.mkdir(exist_ok=True)
        (place / file).write_text(json.dumps(content))
    return place


def read(path: Path, options: Options | None = None) -> Model:
    return read_model(read_tensors(path), options or Options())[1]


def outputs(model: Model, name: str) -> NDArray[np.floating]:
    return model.run(INPUTS[name], FloatEngine())


@cache
def reference(name: str) -> NDArray[np.floating]:
    """Outputs of the reference model as its options have it."""
    file = "torch_norm_first" if name == "torch" else name
    options = Options(**json.loads((REFERENCE / f"{file}.json").read_text()))
    return outputs(read_model(read_tensors(REFERENCE / f"{file}.safetensors"), options)[1], name)
