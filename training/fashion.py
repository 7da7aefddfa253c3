"""Train the Fashion-MNIST vision transformers of the project.

    python training/fashion.py --data DIR --out models/shipped/weights/fashion.npz [--norm rms] [--epochs 28]

DIR holds the standard idx files (gz). Needs torch (`pip install -e .[train]`); the trained weights are
shipped, so only who wants to train again runs this. Shapes and names of the arrays that it writes are
those of `models.shipped.vit_file`.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.shipped.vit_file import save_vit
from studies.data.idx import read_part

SIDE = 28
CLASSES = 10


class RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


class TokenBatchNorm(nn.BatchNorm1d):
    """BatchNorm over images and tokens."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, 1)).view_as(x)


NORMS = {"rms": RmsNorm, "layer": nn.LayerNorm, "batch": TokenBatchNorm}
ACTIVATIONS = {"relu": functional.relu, "gelu": functional.gelu}


class Block(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, norm: str, activation: str) -> None:
        super().__init__()
        self.heads = heads
        self.activation = ACTIVATIONS[activation]
        self.norm1, self.norm2 = NORMS[norm](width), NORMS[norm](width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
        x = x + self.proj((attention @ v).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(self.activation(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__()
        self.patch, self.stride = args.patch, args.stride
        tokens = ((SIDE - args.patch) // args.stride + 1) ** 2
        self.embed = nn.Linear(args.patch**2, args.width)
        self.position = nn.Parameter(0.02 * torch.randn(tokens, args.width))
        self.blocks = nn.ModuleList(
            Block(args.width, args.heads, args.hidden, args.norm, args.activation) for _ in range(args.layers)
        )
        self.norm = NORMS[args.norm](args.width)
        self.head = nn.Linear(args.width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        patches = functional.unfold(images[:, None], self.patch, stride=self.stride).transpose(1, 2)
        x = self.embed(patches) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


def augment(images: Tensor) -> Tensor:
    """Random shift by up to 2 pixels and mirror image."""
    count, device = len(images), images.device
    padded = functional.pad(images, (2, 2, 2, 2))
    shift = torch.randint(0, 5, (2, count, 1), device=device)
    rows = shift[0] + torch.arange(SIDE, device=device)
    columns = shift[1] + torch.arange(SIDE, device=device)
    columns = torch.where(torch.rand(count, 1, device=device) < 0.5, columns, columns.flip(1))
    return padded[torch.arange(count, device=device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        hits = sum(
            int((model(x).argmax(-1) == y).sum())
            for x, y in zip(images.split(1000), labels.split(1000), strict=True)
        )
    model.train()
    return hits / len(images)


def arrays(model: nn.Module) -> dict[str, np.ndarray]:
    """State with the eval-mode affine of every BatchNorm in place of its statistics."""
    state = {key: value.detach().cpu().double().numpy() for key, value in model.state_dict().items()}
    for key in [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]:
        gain = state[f"{key}.weight"] / np.sqrt(state.pop(f"{key}.running_var") + 1e-5)
        state[f"{key}.bias"] = state[f"{key}.bias"] - gain * state.pop(f"{key}.running_mean")
        state[f"{key}.weight"] = gain
        state.pop(f"{key}.num_batches_tracked")
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--norm", choices=NORMS, default="rms")
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    for name, default in {
        "patch": 10,
        "stride": 6,
        "width": 64,
        "layers": 3,
        "heads": 4,
        "hidden": 128,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--epochs", type=int, default=28)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"seed {args.seed}, torch {torch.__version__}, {device}", flush=True)
    data = {}
    for part in ("train", "t10k"):
        pixels, classes = read_part(args.data, part, CLASSES)
        data[part] = torch.tensor(pixels).to(device).float() / 255, torch.tensor(classes).to(device)
    images, labels = data["train"]
    model = Transformer(args).to(device)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, fused=device.type == "cuda")
    steps_per_epoch = len(images) // args.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, args.rate, total_steps=args.epochs * steps_per_epoch, pct_start=0.05
    )
    began = time.monotonic()
    for epoch in range(args.epochs):
        order = torch.randperm(len(images), device=device)
        for step in range(steps_per_epoch):
            chosen = order[step * args.batch : (step + 1) * args.batch]
            logits = model(augment(images[chosen]))
            loss = functional.cross_entropy(logits, labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        if epoch % 5 == 0 or epoch == args.epochs - 1:
            seconds = time.monotonic() - began
            print(f"epoch {epoch + 1}: loss {loss.item():.4f}, {seconds:.0f} s", file=sys.stderr, flush=True)
    # the test images are looked at once, after training
    result = accuracy(model, *data["t10k"])
    print(
        f"test accuracy {100 * result:.2f} %, train {100 * accuracy(model, images, labels):.2f} %", flush=True
    )
    facts = {"side": SIDE, "norm_kind": args.norm, "activation": args.activation}
    facts |= {key: getattr(args, key) for key in ("patch", "stride", "heads")}
    save_vit(args.out, arrays(model), **facts)


if __name__ == "__main__":
    main()
