"""Trains the vision transformer of the main job on handwritten digits.

    .venv/bin/pip install -e '.[train]'
    .venv/bin/python -m training.digits                # writes models/shipped/weights/digits.npz
    .venv/bin/python -m training.digits --cross-validate

The recipe was chosen on folds of the training images; the held-out images are looked
at once, after the last epoch, to print and record the accuracy. The same seed on the same machine
and version of torch gives the same weights.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn
from torch.nn import functional

from models.floating.engine import FloatEngine
from models.floating.vit import Vit as FloatVit
from models.shipped.vit_file import FOLDER, NORMS, load_vit, save_vit, vit_of
from studies.data import handwritten_digits as dataset

WEIGHTS = FOLDER / "digits.npz"
SIDE, PATCH, WIDTH, HEADS, LAYERS, HIDDEN, CLASSES = 8, 2, 64, 4, 2, 128, 10
# What a file of weights says beside the arrays
FACTS: dict[str, int | str] = {
    **{"side": SIDE, "patch": PATCH, "stride": PATCH, "heads": HEADS},
    **{"norm_kind": "rms", "activation": "relu"},
}
Arrays = dict[str, NDArray[np.float32]]
NORM_EPSILON = NORMS["rms"][1]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train.

    Attributes:
        seed: of initial weights, order of images and augmentation.
        epochs, batch: passes over the training images, images per step.
        learning_rate: peak; it rises for a tenth of the steps and falls along a cosine.
        weight_decay: of AdamW, decoupled.
        label_smoothing: share of the target spread over all classes.
        shift: largest shift of an image, pixels.
        rotation: largest rotation, radians.
        scale: largest relative change of size.
        shear: largest shear.
    """

    seed: int = 0
    epochs: int = 300
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    shift: float = 0.7
    rotation: float = 0.15
    scale: float = 0.1
    shear: float = 0.2


class Block(nn.Module):
    """Pre-norm transformer block; twin of `models.floating.encoder.run_block`."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.RMSNorm(WIDTH, eps=NORM_EPSILON)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.norm2 = nn.RMSNorm(WIDTH, eps=NORM_EPSILON)
        self.up = nn.Linear(WIDTH, HIDDEN)
        self.down = nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(n, tokens, 3, HEADS, width // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(mixed.transpose(1, 2).reshape(n, tokens, width))
        return x + self.down(functional.relu(self.up(self.norm2(x))))


class Vit(nn.Module):
    """Twin of `models.floating.vit.Vit`; names of parameters as in a file of weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(PATCH**2, WIDTH)
        self.position = nn.Parameter(0.1 * torch.randn((SIDE // PATCH) ** 2, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH, eps=NORM_EPSILON)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        n, across = len(images), SIDE // PATCH
        patches = images.reshape(n, across, PATCH, across, PATCH).transpose(2, 3).reshape(n, -1, PATCH**2)
        x = self.embed(patches) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


def augment(images: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """A random shift, rotation, change of size and shear of each image [n, side, side]."""
    n, side = images.shape[:2]

    def uniform(largest: float) -> Tensor:
        return (2 * torch.rand(n, generator=random) - 1) * largest

    angle, size, shear = uniform(recipe.rotation), 1 + uniform(recipe.scale), uniform(recipe.shear)
    x, y = uniform(2 * recipe.shift / side), uniform(2 * recipe.shift / side)
    cos, sin = size * torch.cos(angle), size * torch.sin(angle)
    matrix = torch.stack([cos, shear - sin, x, sin, cos, y], dim=1).reshape(n, 2, 3)
    grid = functional.affine_grid(matrix, [n, 1, side, side], align_corners=False)
    return functional.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def train(images: NDArray[np.float32], labels: NDArray[np.int64], recipe: Recipe) -> Arrays:
    """Weights of a network trained on `images` and `labels` for all epochs of `recipe`."""
    torch.manual_seed(recipe.seed)
    random = torch.Generator().manual_seed(recipe.seed)
    network = Vit()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = len(images) // recipe.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.epochs * steps, pct_start=0.1
    )
    inputs, targets = torch.from_numpy(images), torch.from_numpy(labels)
    for epoch in range(recipe.epochs):
        order, total = torch.randperm(len(images), generator=random), 0.0
        for batch in order[: steps * recipe.batch].split(recipe.batch):
            loss = functional.cross_entropy(
                network(augment(inputs[batch], recipe, random)),
                targets[batch],
                label_smoothing=recipe.label_smoothing,
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        if (epoch + 1) % 50 == 0:
            print(f"epoch {epoch + 1} of {recipe.epochs}, loss {total / steps:.4f}", flush=True)
    return {name: value.detach().numpy() for name, value in network.state_dict().items()}


def network_of(arrays: Arrays) -> FloatVit:
    """The NumPy network of trained arrays."""
    return vit_of(arrays | {name: np.array(value) for name, value in FACTS.items()})


def accuracy(network: FloatVit, images: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Fraction of images that the NumPy network classifies correctly."""
    return float((network.run(images[:, None], FloatEngine()).argmax(axis=1) == labels).mean())


def cross_validate(digits: dataset.Digits, recipe: Recipe, folds: int) -> None:
    """Print the accuracy on each fold of the training images, trained on the others."""
    splitter = StratifiedKFold(folds, shuffle=True, random_state=recipe.seed)
    images, labels = digits.train_images, digits.train_labels
    results = []
    for fold, (kept, left_out) in enumerate(splitter.split(images, labels)):
        network = network_of(train(images[kept], labels[kept], recipe))
        results.append(accuracy(network, images[left_out], labels[left_out]))
        print(f"fold {fold}: accuracy {results[-1]:.4f}", flush=True)
    print(f"mean of {folds} folds: {np.mean(results):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the vision transformer of the main job.")
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="file to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=Recipe.seed, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs, help="default: %(default)s")
    parser.add_argument("--cross-validate", action="store_true", help="judge the recipe, write nothing")
    arguments = parser.parse_args()

    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)  # sums in one order
    recipe = Recipe(seed=arguments.seed, epochs=arguments.epochs)
    digits = dataset.load()
    print(f"seed {recipe.seed}, {len(digits.train_images)} training images, {recipe}")
    if arguments.cross_validate:
        cross_validate(digits, recipe, folds=5)
        return

    arrays = train(digits.train_images, digits.train_labels, recipe)
    network = network_of(arrays)
    training = {
        "train_accuracy": accuracy(network, digits.train_images, digits.train_labels),
        "test_accuracy": accuracy(network, digits.test_images, digits.test_labels),
        "split_seed": dataset.SPLIT_SEED,
        "held_out": dataset.HELD_OUT,
        "recipe": asdict(recipe),
        "torch": torch.__version__,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_vit(arguments.output, arrays, training=training, **FACTS)
    written = load_vit(arguments.output)
    print(
        f"test accuracy {accuracy(written, digits.test_images, digits.test_labels):.4f}, "
        f"training accuracy {training['train_accuracy']:.4f}, "
        f"{arguments.output.stat().st_size} bytes in {arguments.output}"
    )


if __name__ == "__main__":
    main()
