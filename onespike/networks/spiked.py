"""Networks of one-spike codes."""

from pathlib import Path

from golden.network.file import load_network
from golden.network.network import Network
from golden.network.sizes import read_sizes, sized_config
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from studies.boards.throughput import IMAGES
from studies.infer.cases import load_case


def core_of(network: Network, config_file: Path | None, lanes: int | None) -> WholeNetworkCore:
    """The core of a network: sizes of --config and --lanes, and the smallest for the rest.

    Raises:
        InputError: a bad file or size, or the network does not fit: what it needs and what there is.
    """
    given = {} if config_file is None else read_sizes(config_file)
    return WholeNetworkCore(sized_config(network, given if lanes is None else given | {"lanes": lanes}))


def core_of_file(path: Path, config_file: Path | None, lanes: int | None) -> WholeNetworkCore:
    """The core of a network file; see `core_of`."""
    return core_of(load_network(path), config_file, lanes)


def core_and_job(
    name: str, data: Path | None, config_file: Path | None, lanes: int | None
) -> tuple[WholeNetworkCore, NetworkJob]:
    """The core of a network, and the first images for it; see `studies.infer.cases.load_case`."""
    case = load_case(name, data, None, None)
    job = NetworkJob(network=case.network, image=case.spikes(case.images[:IMAGES]))
    return core_of(case.network, config_file, lanes), job
