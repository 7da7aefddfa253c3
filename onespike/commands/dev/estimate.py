"""`onespike dev estimate`: the cores that the estimate of resources is fitted to."""

from typing import Annotated, Any

import typer

from onespike.tables import working


def estimate(
    again: Annotated[bool, typer.Option("--again", help="Measure what was measured before, too.")] = False,
) -> None:
    """Synthesise small attention cores in every family and write `synth/figures/estimate.json`.

    The least-squares fit through them says what a core needs before its synthesis takes minutes.

    Example:

        onespike dev estimate --again
    """
    from synth.estimate import measure_samples

    def tell(family: str, configuration: dict[str, Any], need: object) -> None:
        typer.echo(f"{family} {configuration} {need}")

    with working("synthesise"):
        measure_samples(again, tell)
