"""Random attention cores with random heads in the RTL, for as long as is asked; see `make soak-attention`."""

import argparse
import time
from dataclasses import asdict
from itertools import count

from tests.hw.attention.random_jobs import Checked, check_core

RUNS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="no core is begun later")
    parser.add_argument("--lanes", type=int, default=64, help="of the largest core")
    parser.add_argument("--seed", type=int, default=1000, help="of the first core; the next ones follow")
    args = parser.parse_args()
    checked, begin = Checked(), time.monotonic()
    for seed in count(args.seed):
        if time.monotonic() - begin > 60 * args.minutes:
            break
        check_core(seed, RUNS, checked, most_lanes=args.lanes)
        counts = ", ".join(f"{number} {name}" for name, number in asdict(checked).items())
        print(f"seed {seed}: 0 different in {counts}; {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
