"""Many random networks through the RTL; see `make soak-network`."""

import argparse
import time
from dataclasses import asdict

from tests.network.random_cores import Checked, check_core, random_core


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=30, help="random cores, each compiled once")
    parser.add_argument("--networks", type=int, default=10, help="random networks per core")
    parser.add_argument("--seed", type=int, default=1000, help="of the first core; the next ones follow")
    args = parser.parse_args()
    checked, begin = Checked(), time.monotonic()
    for seed in range(args.seed, args.seed + args.cores):
        print(f"seed {seed}", end=": ", flush=True)
        check_core(random_core(seed, args.networks), seed, checked)
        counts = ", ".join(f"{count} {name}" for name, count in asdict(checked).items())
        print(f"0 different in {counts}; {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
