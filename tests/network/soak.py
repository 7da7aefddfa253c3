"""Random cores and networks through the RTL for some minutes; see `make soak-network`."""

import argparse
import sys
import time
from dataclasses import asdict, replace

from sim.verilator.result import SimulationError
from tests.network.random_cores import LARGE, USUAL, Checked, check_core, random_core

# Of so many cores one is large: its compilation takes minutes
LARGE_EVERY = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="no core begins after this time")
    parser.add_argument("--seed", type=int, default=1000, help="of the first core; the next ones follow")
    args = parser.parse_args()
    checked, begin, seed = Checked(), time.monotonic(), args.seed
    wrong: list[int] = []
    while time.monotonic() - begin < 60 * args.minutes:
        try:
            scale = replace(USUAL if (seed + 1) % LARGE_EVERY else LARGE, held=seed % 2 == 1)
            check_core(random_core(seed, scale), seed, checked)
        except (AssertionError, SimulationError) as error:
            wrong.append(seed)
            print(f"seed {seed} is wrong: {str(error).splitlines()[0]}", flush=True)
        counts = ", ".join(f"{count} {name}" for name, count in asdict(checked).items())
        print(f"seed {seed}: {counts}; {time.monotonic() - begin:.0f} s", flush=True)
        seed += 1
    if wrong:
        sys.exit(f"wrong are the cores of the seeds {', '.join(map(str, wrong))}")
    print(f"0 integers different, every cycle as predicted, in {counts}")


if __name__ == "__main__":
    main()
