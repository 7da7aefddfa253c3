"""`onespike stochastic demo`: a trained network with its attention in RTL."""

from typing import Annotated

import typer

from golden.code import check_range
from golden.errors import OutsideError
from golden.stochastic.config import MAX_STEPS
from onespike.options import MAX_SEED, whole_number


def demo(
    images: Annotated[
        int,
        typer.Option("--images", metavar="N", parser=whole_number, help="Of the held-out images, 1..450."),
    ] = 60,
    steps: Annotated[int, typer.Option("--steps", metavar="T", parser=whole_number, help="Time steps.")] = 10,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", parser=whole_number, help="Of the random-number plan.")
    ] = 1,
) -> None:
    """Classify handwritten digits with all attention in RTL, and compare every spike with golden.

    Example:

        onespike stochastic demo --images 450

    Exit status 1 says that a spike differed.
    """
    from studies.data.handwritten_digits import HELD_OUT
    from studies.stochastic.demo import demonstrate

    check_range("--images", images, 1, HELD_OUT)
    check_range("--steps", steps, 1, MAX_STEPS)
    check_range("--seed", seed, 1, MAX_SEED)
    typer.echo(f"{images} digits, T={steps}, seed {seed}")
    found = demonstrate(images, steps, seed)
    typer.echo(f"spikes: {found.spikes} compared with the golden model, {found.wrong} differ")
    share = 100 * found.right / found.images
    typer.echo(f"classes: {found.right} of {found.images} right ({share:.2f} %)")
    typer.echo(
        f"engine: {found.cycles // found.images} cycles per image for all attention; "
        f"{found.seconds:.1f} s in all"
    )
    if found.wrong:
        raise OutsideError(f"spikes of the RTL must equal the golden model's, {found.wrong} do not")
