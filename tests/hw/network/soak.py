"""Random cores and networks through the RTL for some minutes; see `make soak-network`."""

from dataclasses import replace

import typer

from onespike.options import MinutesOption, SeedOption
from tests.hw.network.random_cores import LARGE, USUAL, Checked, check_core, random_core
from tests.soaks import soak

# Of so many cores one is large: its compilation takes minutes
LARGE_EVERY = 16


def main(minutes: MinutesOption = 30, seed: SeedOption = 1000) -> None:
    """Random networks on random cores in the RTL."""
    checked = Checked()

    def check(number: int) -> None:
        scale = USUAL if (number + 1) % LARGE_EVERY else LARGE
        scale = replace(scale, held=number % 2 == 1, windows=number % 4 >= 2, general=number % 8 >= 4)
        check_core(random_core(number, scale), number, checked)

    soak(check, checked, minutes, seed)


if __name__ == "__main__":
    typer.run(main)
