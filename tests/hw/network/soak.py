"""Random cores and networks through the RTL; see `make soak-network`."""

from dataclasses import replace
from typing import Annotated

import typer

from onespike.options import MinutesOption, SeedOption, in_range, whole_number
from tests.hw.network.random_cores import (
    LARGE,
    LONG,
    SMALL,
    USUAL,
    Checked,
    check_core,
    kinds_of,
    random_core,
)
from tests.soaks import soak

# A core is compiled once for all its networks, which takes longer than they do: those of small ones are many.
# Of sixteen cores one is large and one is long, whose compilation takes minutes
SCALES = dict.fromkeys((0, 4, 8, 12), USUAL) | {15: LARGE, 7: LONG}
OTHERS = replace(SMALL, networks=30)


def main(
    networks: Annotated[
        int,
        typer.Option(
            "--networks",
            metavar="N",
            parser=whole_number,
            callback=in_range("--networks", 1, 1 << 20),
            help="No core begins after so many networks.",
        ),
    ] = 300,
    minutes: MinutesOption = None,
    seed: SeedOption = 1000,
) -> None:
    """Random networks on random cores in the RTL."""
    checked = Checked()

    def check(number: int) -> None:
        scale = replace(SCALES.get(number % 16, OTHERS), **kinds_of(number))
        check_core(random_core(number, scale), number, checked)

    soak(check, checked, minutes, seed, lambda: checked.networks >= networks)


if __name__ == "__main__":
    typer.run(main)
