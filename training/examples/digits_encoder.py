"""A model as users write them: torch.nn.TransformerEncoder between two dense layers, on handwritten digits.

    python training/examples/digits_encoder.py build/digits-encoder [--norm-first]

The eight rows of an image are its tokens. Knows nothing of this project; needs torch and scikit-learn. The
folder receives model.pt, data/samples.npz with 300 of the images that trained it, and data/test.npz with
those that did not.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, HIDDEN, LAYERS, ROWS, CLASSES = 32, 4, 64, 2, 8, 10


class Classifier(nn.Module):
    def __init__(self, norm_first: bool) -> None:
        super().__init__()
        self.embedding = nn.Linear(ROWS, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(ROWS, WIDTH))
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, HIDDEN, dropout=0.0, batch_first=True, norm_first=norm_first
        )
        norm = nn.LayerNorm(WIDTH) if norm_first else None
        self.encoder = nn.TransformerEncoder(layer, LAYERS, norm=norm, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images [batch, rows, columns]."""
        x = self.embedding(images) + self.positions
        return self.head(self.encoder(x).mean(dim=1))


def moved(images: Tensor) -> Tensor:
    """Each image by up to one pixel along both axes."""
    padded = functional.pad(images, (1, 1, 1, 1))
    places = [padded[:, y : y + ROWS, x : x + ROWS] for y in range(3) for x in range(3)]
    return torch.stack(places)[torch.randint(0, 9, (len(images),)), torch.arange(len(images))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--norm-first", action="store_true")
    parser.add_argument("--epochs", type=int, default=150)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = load_digits()
    pixels = (data.images / 16).astype(np.float32)
    train, test, train_labels, test_labels = train_test_split(
        pixels, data.target, test_size=450, stratify=data.target, random_state=0
    )
    model = Classifier(args.norm_first)
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
    samples = args.folder / "data"
    samples.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), args.folder / "model.pt")
    np.savez_compressed(samples / "samples.npz", inputs=train[:300])
    np.savez_compressed(samples / "test.npz", inputs=test, labels=test_labels)
    print(f"{100 * right:.2f} % of {len(test)} test images")


if __name__ == "__main__":
    main()
