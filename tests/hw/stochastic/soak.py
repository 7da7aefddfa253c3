"""Random stochastic engines and jobs through the RTL; see `make soak-stochastic`."""

import numpy as np
import typer

from golden.stochastic.table import to_table
from onespike.options import MinutesOption, SeedOption
from tests.hw.stochastic.random_engines import Checked, check_engine, random_engine
from tests.soaks import soak

JOBS = 6


def main(minutes: MinutesOption = 30, seed: SeedOption = 1000) -> None:
    """Random stochastic engines with random jobs in the RTL."""
    checked = Checked()

    def check(number: int) -> None:
        rng = np.random.default_rng(number)
        config = random_engine(rng, checked)
        print(f"seed {number}: {', '.join(f'{key} {value}' for key, value in to_table(config).items())}")
        check_engine(config, rng, JOBS, checked)

    soak(check, checked, minutes, seed)


if __name__ == "__main__":
    typer.run(main)
