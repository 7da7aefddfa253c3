"""Low-rank adapters and a classifier that turn a sentence encoder into a judge of film reviews (SST-2).

    python -m training.sst2 --model DIR --data DIR --out build/sst2 --seeds 0 1 2

`--model` holds all-MiniLM-L6-v2 (config.json, tokenizer.json, model.safetensors), `--data` the files
train.tsv.gz and dev.tsv.gz. Needs PyTorch, transformers, tokenizers and safetensors. The encoder stays
as it is: every linear layer of it gets B @ A of rank `--rank` (LoRA, Hu et al., ICLR 2022), the mean of
the tokens a linear classifier. Adapters are written as float16 and merged as `models.files.adapters` does
it, the same on every machine. What is measured at the end is the file. Run again after an interruption,
it goes on from the last epoch.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from golden.errors import InputError
from models.files.adapters import merged
from models.files.text import load_tokenizer, tokenise
from studies.data.phrases import Phrases as Labelled
from studies.data.phrases import read_phrases
from training.loop import Phase, Progress, load, restore_random
from training.loop import save as save_checkpoint
from training.options import at_least, positive, start

# Phrases of the training set that choose among seeds
HELD_OUT = 2000
ALPHA = 16
DROPOUT = 0.1
LONGEST = 128
# Do not change the weights
HARMLESS = ("model", "data", "out", "seeds")
# Batches among which phrases are sorted by length
BUCKET = 50


class LowRank(nn.Module):
    """A frozen linear layer and its adapter, scaled by ALPHA / rank."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = ALPHA / rank
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        low = functional.linear(self.dropout(x), self.a)
        return self.base(x) + functional.linear(low, self.b) * self.scale


class Judge(nn.Module):
    """Encoder, mean over the tokens, two classes."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        try:
            self.encoder = BertModel.from_pretrained(
                folder, add_pooling_layer=False, dtype=torch.float32, local_files_only=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(f"{folder}: must hold a BERT encoder ({reason:.80})") from None
        self.classifier = nn.Linear(self.encoder.config.hidden_size, 2)

    def adapt(self, rank: int) -> dict[str, LowRank]:
        """Freeze the encoder and give each of its linear layers an adapter."""
        self.encoder.requires_grad_(False)
        adapters = {}
        for name, module in list(self.encoder.named_modules()):
            for child, layer in list(module.named_children()):
                if isinstance(layer, nn.Linear):
                    adapters[f"{name}.{child}"] = LowRank(layer, rank)
                    setattr(module, child, adapters[f"{name}.{child}"])
        return adapters

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        weight = mask[..., None].to(states.dtype)
        return self.classifier(((states * weight).sum(1) / weight.sum(1)).float())


class Phrases:
    """Token lists and labels, cut into padded batches on a device."""

    def __init__(self, tokens: list[list[int]], labels: list[int], device: torch.device) -> None:
        self.lengths = np.array([len(t) for t in tokens])
        padded = np.zeros((len(tokens), self.lengths.max()), dtype=np.int64)
        for row, phrase in zip(padded, tokens, strict=True):
            row[: len(phrase)] = phrase
        self.tokens = torch.tensor(padded, device=device)
        self.labels = torch.tensor(labels, device=device)
        self.places = torch.arange(padded.shape[1], device=device)
        self.device_lengths = torch.tensor(self.lengths, device=device)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, index: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """(tokens, mask, labels); padded to a multiple of 8."""
        longest = min(-(-int(self.lengths[index].max()) // 8) * 8, self.tokens.shape[1])
        where = torch.tensor(index, device=self.tokens.device)
        mask = (self.places[:longest] < self.device_lengths[where][:, None]).long()
        return self.tokens[where, :longest], mask, self.labels[where]

    def shuffled(self, rng: np.random.Generator, size: int) -> list[NDArray[np.int64]]:
        """Batches of phrases of similar lengths, in random order."""
        order = rng.permutation(len(self))
        batches = []
        for low in range(0, len(order), size * BUCKET):
            part = order[low : low + size * BUCKET]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [part[n : n + size] for n in range(0, len(part), size)]
        return [batches[n] for n in rng.permutation(len(batches))]


@torch.no_grad()
def accuracy(judge: Judge, phrases: Phrases) -> float:
    """In %, in float32."""
    judge.eval()
    hits = 0
    for low in range(0, len(phrases), 218):
        tokens, mask, labels = phrases.batch(np.arange(low, min(low + 218, len(phrases))))
        hits += int((judge(tokens, mask).argmax(1) == labels).sum())
    return 100 * hits / len(phrases)


def train(judge: Judge, phrases: Phrases, args: argparse.Namespace, seed: int, checkpoint: Path) -> None:
    rng = np.random.default_rng(seed)
    arguments = {name: str(value) for name, value in vars(args).items() if name not in HARMLESS}
    phase = Phase(name=f"seed {seed}", rate=args.rate, steps=1, constant=0, falling=args.epochs)
    progress = Progress(phases=[phase], arguments=arguments)
    parameters = [p for p in judge.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=args.rate, weight_decay=0.01)
    steps = args.epochs * (-(-len(phrases) // args.batch))
    device = phrases.tokens.device
    if checkpoint.exists():
        saved = load(checkpoint, progress, device)
        try:
            judge.load_state_dict(saved["network"])
        except RuntimeError:
            raise InputError(f"{checkpoint}: is of a network of another shape") from None
        optimiser.load_state_dict(saved["optimiser"])
        restore_random(saved["random"])
    # As many shuffles as there were epochs
    step = sum(len(phrases.shuffled(rng, args.batch)) for _ in progress.seconds)
    for epoch in range(len(progress.seconds), args.epochs):
        judge.train()
        began, total, batches = time.monotonic(), torch.zeros((), device=device), 0
        for index in phrases.shuffled(rng, args.batch):
            for group in optimiser.param_groups:
                group["lr"] = args.rate * min((step + 1) / (0.06 * steps), max(0.0, 1 - step / steps))
            tokens, mask, labels = phrases.batch(index)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                logits = judge(tokens, mask)
            loss = functional.cross_entropy(logits.float(), labels)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            total += loss.detach()
            step, batches = step + 1, batches + 1
        progress.seconds.append(time.monotonic() - began)
        print(
            f"{phase.name} epoch {epoch + 1}/{args.epochs} loss {float(total) / batches:.4f} "
            f"{progress.seconds[-1]:.1f} s",
            flush=True,
        )
        save_checkpoint(checkpoint, progress, judge, optimiser)


def write(judge: Judge, adapters: dict[str, LowRank], path: Path, seed: int) -> None:
    """The adapters `LAYER.a` [rank, inputs] and `LAYER.b` [outputs, rank], scale included, as float16."""
    tensors = {"classifier.weight": judge.classifier.weight, "classifier.bias": judge.classifier.bias}
    for name, layer in adapters.items():
        tensors[f"{name}.a"] = layer.a.half()
        tensors[f"{name}.b"] = (layer.b * layer.scale).half()
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(whole, path, metadata={"task": "SST-2", "base": "all-MiniLM-L6-v2", "seed": str(seed)})


def read(folder: Path, path: Path) -> Judge:
    """The encoder with the adapters of a file merged into it."""
    judge, tensors = Judge(folder), load_file(path)
    with torch.no_grad():
        judge.classifier.weight.copy_(tensors["classifier.weight"])
        judge.classifier.bias.copy_(tensors["classifier.bias"])
        layers = dict(judge.encoder.named_modules())
        for name in {n.removesuffix(".a") for n in tensors if n.endswith(".a")}:
            a, b = (tensors[f"{name}.{part}"].numpy() for part in "ab")
            layers[name].weight.copy_(torch.tensor(merged(layers[name].weight.numpy(), a, b)))
    return judge


def read_reviews(path: Path) -> Labelled:
    """Phrases that are bad (0) or good (1).

    Raises:
        InputError: unreadable, or other classes.
    """
    phrases = read_phrases(path)
    if phrases.labels.max() > 1:
        raise InputError(f"{path}: labels must be 0 or 1, not {phrases.labels.max()}")
    return phrases


def run(args: argparse.Namespace, device: torch.device) -> None:
    began = time.monotonic()
    tokenizer = load_tokenizer(args.model / "tokenizer.json")

    def phrases_of(source: Labelled, which: NDArray[np.int64]) -> Phrases:
        tokens = tokenise(tokenizer, [source.texts[n] for n in which], LONGEST)
        return Phrases(tokens, source.labels[which].tolist(), device)

    source, dev_source = (read_reviews(args.data / f"{part}.tsv.gz") for part in ("train", "dev"))
    dev = phrases_of(dev_source, np.arange(len(dev_source.texts)))
    order = np.random.default_rng(0).permutation(len(source.texts))
    if len(order) <= HELD_OUT:
        raise InputError(f"{args.data}: must hold more than {HELD_OUT} phrases to train on, not {len(order)}")
    held_out = phrases_of(source, order[:HELD_OUT])
    train_set = phrases_of(source, order[HELD_OUT:][: args.phrases])
    print(f"{len(train_set)} phrases on {device} after {time.monotonic() - began:.1f} s", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"arguments": {k: str(v) for k, v in vars(args).items()}, "seeds": {}}
    for seed in args.seeds:
        torch.manual_seed(seed)
        judge = Judge(args.model)
        adapters = judge.adapt(args.rank)
        judge.to(device)
        path = args.out / f"sst2_seed{seed}.safetensors"
        train(judge, train_set, args, seed, path.with_suffix(".checkpoint"))
        write(judge, adapters, path, seed)
        whole = read(args.model, path).to(device)
        result = {"dev": accuracy(whole, dev), "held_out": accuracy(whole, held_out)}
        result["bytes"] = path.stat().st_size
        report["seeds"][seed] = result
        report["seconds"] = time.monotonic() - began
        if device.type == "cuda":
            report["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
        (args.out / "sst2.json").write_text(json.dumps(report, indent=1) + "\n")
        print(f"seed {seed}: {result}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("build/sst2"))
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[0])
    parser.add_argument("--rank", type=at_least(1), default=8)
    parser.add_argument("--epochs", type=at_least(1), default=8)
    parser.add_argument("--batch", type=at_least(1), default=256)
    parser.add_argument("--rate", type=positive, default=1e-3)
    parser.add_argument("--phrases", type=at_least(1), default=1 << 20, help="train on at most so many")
    parser.add_argument("--threads", type=at_least(1), default=2)
    start(parser, run)


if __name__ == "__main__":
    main()
