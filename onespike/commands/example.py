"""`onespike example`: random but realistic input for `onespike attention`."""

from pathlib import Path
from typing import Annotated

import typer

from onespike.files import whole_or_nothing, write_npz
from onespike.options import HeadDimOption, HeadsOption, SeedOption, TokensOption
from studies.data.random import random_heads, random_rates


def example(
    target: Annotated[Path, typer.Argument(metavar="OUT.npz", help="File to write.", show_default=False)],
    heads: HeadsOption = 2,
    tokens: TokensOption = 16,
    head_dim: HeadDimOption = 16,
    rates: Annotated[
        bool, typer.Option("--rates", help="Uniform in 0..1: input for both schemes of attention.")
    ] = False,
    seed: SeedOption = 0,
) -> None:
    """Write random but realistic q, k and v, to try `onespike attention` with.

    Examples:

        onespike example in.npz
        onespike example in.npz --heads 4 --tokens 64 --head-dim 32 --seed 7
        onespike example rates.npz --rates

    The arrays depend on sizes and seed alone.
    """
    make = random_rates if rates else random_heads
    with whole_or_nothing({"OUT.npz": target}) as places:
        write_npz(places["OUT.npz"], make(heads, tokens, head_dim, seed))
    typer.echo(f"{target}: q, k, v float32 [{heads}, {tokens}, {head_dim}], seed {seed}")
