"""What the training scripts share on their command lines."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch

from golden.errors import InputError


def at_least(low: int) -> Callable[[str], int]:
    """Type of an option: a whole number, `low` or more."""

    def whole(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or int(text[:9]) < low or len(text) > 9:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, not {text:.40}")
        return int(text)

    return whole


def positive(text: str) -> float:
    """Type of an option: a finite number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text:.40}")
    return value


def add_common(parser: argparse.ArgumentParser, batch: int, every: int, rate: float) -> None:
    """Options of every script that trains on images, with its defaults."""
    parser.add_argument("--steps", type=at_least(1), default=4, help="T of the first phase")
    parser.add_argument("--quantised-steps", type=at_least(1), default=10, help="T of the second phase")
    parser.add_argument("--rate", type=positive, default=rate)
    parser.add_argument("--batch", type=at_least(1), default=batch)
    parser.add_argument("--teacher", type=Path, help="a trained network's file: its outputs are targets too")
    parser.add_argument("--seed", type=at_least(0), default=0)
    parser.add_argument("--every", type=at_least(1), default=every, help="epochs between two test results")
    parser.add_argument("--threads", type=at_least(1), default=2)


def start(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace, torch.device], None]) -> None:
    """Parse, seed and run on the accelerator if there is one; bad input is one line and status 2."""
    args = parser.parse_args()
    print(vars(args), flush=True)
    torch.manual_seed(getattr(args, "seed", 0))
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False
    try:
        run(args, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
