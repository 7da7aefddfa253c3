"""Random stochastic engines, and networks on random cores, through the RTL; see `make soak-stochastic`."""

from dataclasses import dataclass

import numpy as np
import typer

from golden.stochastic.table import to_table
from onespike.options import MinutesOption, SeedOption
from tests.hw.stochastic import random_networks
from tests.hw.stochastic.random_engines import Checked, check_engine, random_engine
from tests.soaks import soak

JOBS = 6


@dataclass
class Both:
    """What was compared, of engines and of networks."""

    engines: Checked
    networks: random_networks.Checked


def main(minutes: MinutesOption = 30, seed: SeedOption = 1000) -> None:
    """Random stochastic engines with random jobs, and random networks on random cores, in the RTL."""
    checked = Checked()
    of_networks = random_networks.Checked()

    def check(number: int) -> None:
        rng = np.random.default_rng(number)
        config = random_engine(rng, checked)
        print(f"seed {number}: {', '.join(f'{key} {value}' for key, value in to_table(config).items())}")
        check_engine(config, rng, JOBS, checked)
        core, network, steps = random_networks.random_core(rng, of_networks)
        print(f"seed {number}: {core.to_table()}, {network.shape}, T = {steps}")
        random_networks.check_core(core, network, steps, rng, of_networks)

    soak(check, Both(checked, of_networks), minutes, seed)


if __name__ == "__main__":
    typer.run(main)
