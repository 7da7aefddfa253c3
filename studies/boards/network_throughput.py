"""Inferences per second of a network core at a clock: the cycle model's word, not a measurement.

python -m studies.boards.network_throughput --network fashion --data DIR --lanes 16 32 64
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.network.config import NetworkConfig
from golden.network.program import config_for
from sim.timing.network import predict
from studies.infer.cases import NETWORKS, Case, load_case

IMAGES = 40


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Inferences that follow each other without waiting for the host.

    Attributes:
        lanes: neurons at work at once.
        images: the first held-out ones.
        clock_mhz: as given.
        cycles_per_inference: from an image's last score to the next one's, mean.
        inferences_per_second: at the clock.
        lanes_in_linear_layers: share of the lane-cycles of linear layers in which a weight is added.
    """

    lanes: int
    images: int
    clock_mhz: float
    cycles_per_inference: float
    inferences_per_second: float
    lanes_in_linear_layers: float


def throughput(case: Case, config: NetworkConfig, clock_mhz: float, images: int = IMAGES) -> Throughput:
    """Predict a core at a clock.

    Raises:
        InputError: the network does not fit the core.
    """
    spikes = case.spikes(case.images[:images])
    times = predict(case.network, config, spikes, 0)
    ends = [times.begun[0], *times.finished] if spikes.shape[0] == 1 else times.finished
    cycles = float(np.diff(ends).mean())
    return Throughput(
        lanes=config.lanes,
        images=spikes.shape[0],
        clock_mhz=clock_mhz,
        cycles_per_inference=round(cycles, 1),
        inferences_per_second=round(clock_mhz * 1e6 / cycles, 1),
        lanes_in_linear_layers=round(times.additions / times.linear / config.lanes, 4),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="digits", help=f"{', '.join(NETWORKS)} or a file")
    parser.add_argument("--data", type=Path, help="folder with idx files")
    parser.add_argument("--lanes", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--clock", type=float, default=50.0, help="MHz")
    args = parser.parse_args()
    case = load_case(args.network, args.data, None, None)
    print(f"{args.network}, first {args.images} held-out images, {args.clock:g} MHz")
    print("lanes  cycles per inference  inferences per second  lanes at work in linear layers")
    for lanes in args.lanes:
        found = throughput(case, config_for(case.network, lanes), args.clock, args.images)
        print(
            f"{lanes:5d}  {found.cycles_per_inference:20,.1f}  {found.inferences_per_second:21,.1f}"
            f"  {found.lanes_in_linear_layers:30.1%}"
        )


if __name__ == "__main__":
    main()
