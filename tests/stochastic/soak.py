"""Random stochastic engines and jobs through the RTL; see `make soak-stochastic`."""

import argparse
import time
from dataclasses import asdict

import numpy as np

from golden.stochastic.table import to_table
from tests.stochastic.random_engines import Checked, check_engine, random_engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="no engine begins after this time")
    parser.add_argument("--jobs", type=int, default=6, help="random jobs per engine")
    parser.add_argument("--seed", type=int, default=1000, help="of the first engine; the next ones follow")
    args = parser.parse_args()
    checked, begin, seed = Checked(), time.monotonic(), args.seed
    while time.monotonic() - begin < 60 * args.minutes:
        rng = np.random.default_rng(seed)
        config = random_engine(rng, checked)
        print(f"seed {seed}: {', '.join(f'{key} {value}' for key, value in to_table(config).items())}")
        check_engine(config, rng, args.jobs, checked)
        counts = ", ".join(f"{count} {name}" for name, count in asdict(checked).items())
        print(f"  so far {counts}; {time.monotonic() - begin:.0f} s", flush=True)
        seed += 1


if __name__ == "__main__":
    main()
