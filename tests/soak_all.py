"""Random cores of every kind in turn, many jobs each, until enough is compared; see `make soak-all`."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import typer

from onespike.options import MinutesOption, SeedOption
from tests.hw.attention import random_jobs
from tests.hw.integer import random_jobs as integer_jobs
from tests.hw.network import random_cores
from tests.hw.stochastic import random_engines, random_networks
from tests.soaks import soak

# Jobs of a core: to compile it takes longer than to run a few. Those that fill it compare the most integers
RUNS, FULL, NETWORKS, JOBS = 200, 40, 60, 100
MOST_LANES = 16


@dataclass
class Compared:
    """Integers and cycles of all cores, none different."""

    attention: int = 0
    integer: int = 0
    network: int = 0
    stochastic: int = 0
    stochastic_network: int = 0
    integers: int = 0
    cycles: int = 0


def main(
    minutes: MinutesOption = 30,
    seed: SeedOption = 1000,
    integers: Annotated[int, typer.Option(min=1, help="enough of them")] = 10**8,
) -> None:
    """Random cores of every kind in the RTL, for as long as is asked or until enough is compared."""
    heads, words = random_jobs.Checked(), random_jobs.Checked()
    networks, engines = random_cores.Checked(), random_engines.Checked()
    spiking = random_networks.Checked()
    compared = Compared()

    def check(number: int) -> None:
        try:
            random_jobs.check_core(number, RUNS, heads, most_lanes=MOST_LANES, full=FULL)
            integer_jobs.check_core(number, RUNS, words, most_lanes=MOST_LANES, full=FULL)
            scale = replace(random_cores.USUAL, networks=NETWORKS, **random_cores.kinds_of(number))
            random_cores.check_core(random_cores.random_core(number, scale), number, networks)
            rng = np.random.default_rng(number)
            random_engines.check_engine(random_engines.random_engine(rng, engines), rng, JOBS, engines)
            random_networks.check_core(*random_networks.random_core(rng, spiking), rng, spiking)
        finally:
            parts = (heads, words, networks, engines, spiking)
            (
                compared.attention,
                compared.integer,
                compared.network,
                compared.stochastic,
                compared.stochastic_network,
            ) = (part.integers for part in parts)
            compared.integers = sum(part.integers for part in parts)
            compared.cycles = sum(part.cycles for part in parts)

    soak(check, compared, minutes, seed, enough=lambda: compared.integers >= integers)


if __name__ == "__main__":
    typer.run(main)
