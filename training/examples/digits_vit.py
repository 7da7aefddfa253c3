"""A model as users write them: a small vision transformer of timm on handwritten digits.

    python training/examples/digits_vit.py build/digits-vit

A class token and 16 patches of 2 x 2 pixels. Knows nothing of this project; needs timm and scikit-learn. The
folder receives what timm saves, model.safetensors and config.json, data/samples.npz with 300 of the images
that trained it, and data/test.npz with those that did not.
"""

import argparse
from pathlib import Path

import numpy as np
import timm
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from timm.models import save_for_hf
from torch import Tensor
from torch.nn import functional

SIDE = 8
# Where the network differs from timm's
ARGUMENTS = {
    **{"img_size": SIDE, "patch_size": 2, "in_chans": 1, "num_classes": 10},
    **{"embed_dim": 48, "depth": 2, "num_heads": 4, "mlp_ratio": 2.0},
}


def moved(images: Tensor) -> Tensor:
    """Each image by up to one pixel along both axes."""
    padded = functional.pad(images, (1, 1, 1, 1))
    places = [padded[..., y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3)]
    return torch.stack(places)[torch.randint(0, 9, (len(images),)), torch.arange(len(images))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=300)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = load_digits()
    pixels = (data.images / 16).astype(np.float32)[:, None]
    train, test, train_labels, test_labels = train_test_split(
        pixels, data.target, test_size=450, stratify=data.target, random_state=0
    )
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False, **ARGUMENTS)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    batches = len(train) // 64
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=args.epochs * batches)
    images, labels = torch.tensor(train), torch.tensor(train_labels)
    for epoch in range(args.epochs):
        for index in torch.randperm(len(images))[: 64 * batches].split(64):
            logits = model(moved(images[index]))
            loss = functional.cross_entropy(logits, labels[index], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        if (epoch + 1) % 20 == 0:
            print(f"epoch {epoch + 1}: loss {loss.item():.4f}", flush=True)
    model.eval()
    with torch.no_grad():
        right = (model(torch.tensor(test)).argmax(1).numpy() == test_labels).mean()
    prepared = {"mean": (0.0,), "std": (1.0,), "crop_pct": 1.0}
    save_for_hf(model, args.folder, model_args=ARGUMENTS, safe_serialization=True, data_config=prepared)
    samples = args.folder / "data"
    samples.mkdir(exist_ok=True)
    np.savez_compressed(samples / "samples.npz", inputs=train[:300])
    np.savez_compressed(samples / "test.npz", inputs=test, labels=test_labels)
    print(f"{100 * right:.2f} % of {len(test)} test images")


if __name__ == "__main__":
    main()
