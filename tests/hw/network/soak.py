"""Random cores and networks through the RTL for some minutes; see `make soak-network`."""

from dataclasses import replace

import typer

from onespike.options import MinutesOption, SeedOption
from tests.hw.network.random_cores import LARGE, LONG, USUAL, Checked, check_core, random_core
from tests.soaks import soak

# Of sixteen cores one is large and one is long: their compilation takes minutes
SCALES = {15: LARGE, 7: LONG}


def main(minutes: MinutesOption = 30, seed: SeedOption = 1000) -> None:
    """Random networks on random cores in the RTL."""
    checked = Checked()

    def check(number: int) -> None:
        kinds = {"held": 1, "windows": 2, "general": 4, "counts": 8, "streamed": 16}
        scale = SCALES.get(number % 16, USUAL)
        scale = replace(scale, **{kind: bool(number & bit) for kind, bit in kinds.items()})
        check_core(random_core(number, scale), number, checked)

    soak(check, checked, minutes, seed)


if __name__ == "__main__":
    typer.run(main)
