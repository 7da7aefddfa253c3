"""Random integer cores with random heads in the RTL, for as long as is asked; see `make soak-integer`."""

import typer

from onespike.options import MinutesOption, SeedOption
from tests.hw.attention.random_jobs import Checked
from tests.hw.integer.random_jobs import check_core
from tests.soaks import LargestLanesOption, soak

RUNS = 20


def main(minutes: MinutesOption = 30, lanes: LargestLanesOption = 64, seed: SeedOption = 1000) -> None:
    """Random integer cores with random heads in the RTL."""
    checked = Checked()
    soak(lambda number: check_core(number, RUNS, checked, most_lanes=lanes), checked, minutes, seed)


if __name__ == "__main__":
    typer.run(main)
