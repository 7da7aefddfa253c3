"""Makes the reference vectors of this folder: small random models by their original libraries.

Needs torch, transformers and timm (versions are printed); run once:

    python tests/models/reference/make.py

Per model, NAME.safetensors holds the state dict, NAME.json what the layout needs to know, and
NAME.npz the inputs and the float32 outputs of the original code.
"""

import json
from pathlib import Path

import numpy as np
import timm
import torch
import transformers
from safetensors.torch import save_file

HERE = Path(__file__).parent


def write(name: str, state: dict, options: dict, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
    tensors = {key: value.detach().clone().contiguous() for key, value in state.items()}
    save_file(tensors, HERE / f"{name}.safetensors")
    (HERE / f"{name}.json").write_text(json.dumps(options) + "\n")
    np.savez_compressed(HERE / f"{name}.npz", inputs=inputs.numpy(), outputs=outputs.detach().numpy())


def spread(model: torch.nn.Module) -> torch.nn.Module:
    """Weights large enough that attention and norms matter; no parameter keeps a special value."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.15 * torch.randn_like(parameter))
    return model.eval()


@torch.no_grad()
def main() -> None:
    print("torch", torch.__version__, "transformers", transformers.__version__, "timm", timm.__version__)
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
    )
    bert = spread(transformers.BertModel(config))
    tokens = torch.randint(0, 40, (3, 9))
    options = {"architecture": "bert", "heads": 2}
    write("bert", bert.state_dict(), options, tokens, bert(tokens).last_hidden_state)

    images = torch.randn(2, 3, 16, 16)
    vit = spread(
        timm.models.VisionTransformer(
            img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2, num_classes=5
        )
    )
    options = {"heads": 2, "activation": "gelu", "epsilon": 1e-6, "pooling": "cls"}
    write("vit", vit.state_dict(), options, images, vit(images))

    images = torch.randn(2, 3, 64, 64)
    swin = spread(
        timm.models.SwinTransformer(
            img_size=64,
            patch_size=4,
            embed_dim=8,
            depths=(2, 2),
            num_heads=(1, 2),
            window_size=4,
            mlp_ratio=2,
            num_classes=5,
        )
    )
    write("swin", swin.state_dict(), {"activation": "gelu", "epsilon": 1e-5}, images, swin(images))

    for name, norm_first in (("torch_norm_last", False), ("torch_norm_first", True)):
        layer = torch.nn.TransformerEncoderLayer(
            16, 2, dim_feedforward=32, batch_first=True, norm_first=norm_first, activation="gelu"
        )
        final = torch.nn.LayerNorm(16) if norm_first else None
        encoder = spread(torch.nn.TransformerEncoder(layer, 2, norm=final, enable_nested_tensor=False))
        vectors = torch.randn(3, 7, 16)
        options = {
            "heads": 2,
            "norm_first": norm_first,
            "activation": "gelu",
            "epsilon": 1e-5,
            "mask": "none",
        }
        write(name, encoder.state_dict(), options, vectors, encoder(vectors))


if __name__ == "__main__":
    main()
