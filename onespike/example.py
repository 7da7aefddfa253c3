"""`onespike example`: random but realistic input for `onespike attention`."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from golden.code import check_range
from onespike.files import whole_or_nothing, write_npz
from onespike.options import SeedOption, whole_number

LOGIT_SPREAD = 2.0


def example_arrays(heads: int, tokens: int, head_dim: int, seed: int) -> dict[str, NDArray[Any]]:
    """q, k, v as a trained layer makes them: tokens in a few groups that attend within the group.

    The standard deviation of the logits is 2, so that a row attends to some keys and not to others.

    Returns:
        float32 [heads, tokens, head_dim] each.
    """
    rng = np.random.default_rng(seed)
    groups = max(1, tokens // 4)
    topics = rng.standard_normal((heads, groups, head_dim))
    member = topics[:, rng.integers(groups, size=tokens)]
    q, k, v = (member + 0.7 * rng.standard_normal(member.shape) for _ in range(3))
    logits = q @ k.swapaxes(-1, -2) / np.sqrt(head_dim)
    gain = np.sqrt(LOGIT_SPREAD / max(float(logits.std()), 1e-3))
    return {name: array.astype(np.float32) for name, array in (("q", gain * q), ("k", gain * k), ("v", v))}


def example(
    target: Annotated[Path, typer.Argument(metavar="OUT.npz", help="File to write.", show_default=False)],
    heads: Annotated[
        int, typer.Option("--heads", metavar="N", parser=whole_number, help="Heads, 1..64.")
    ] = 2,
    tokens: Annotated[
        int, typer.Option("--tokens", metavar="N", parser=whole_number, help="Tokens, 1..1024.")
    ] = 16,
    head_dim: Annotated[
        int, typer.Option("--head-dim", metavar="N", parser=whole_number, help="Features, 1..256.")
    ] = 16,
    seed: SeedOption = 0,
) -> None:
    """Write random but realistic q, k and v, to try `onespike attention` with.

    Examples:

        onespike example in.npz
        onespike example in.npz --heads 4 --tokens 64 --head-dim 32 --seed 7
    """
    check_range("--heads", heads, 1, 64)
    check_range("--tokens", tokens, 1, 1024)
    check_range("--head-dim", head_dim, 1, 256)
    check_range("--seed", seed, 0, 2**63 - 1)
    with whole_or_nothing({"OUT.npz": target}) as places:
        write_npz(places["OUT.npz"], example_arrays(heads, tokens, head_dim, seed))
    typer.echo(f"{target}: q, k, v float32 [{heads}, {tokens}, {head_dim}], seed {seed}")
