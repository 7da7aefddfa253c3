"""Trained stochastic networks with the images that they classify."""

from dataclasses import dataclass
from pathlib import Path

from golden.errors import InputError
from golden.stochastic.network import SpikingNetwork, load_network
from golden.stochastic.program import check_network
from models import shipped
from studies.data.datasets import Images, load_images

WEIGHTS = Path(shipped.__file__).parent / "weights"
# Those that come with the project and that the core runs, by their data set
NETWORKS = ("digits", "fashion-mnist", "cifar10", "cifar10-small")
# Data sets by the size of their images
SIZES = {(8, 8, 1): "digits", (28, 28, 1): "fashion-mnist", (32, 32, 3): "cifar10"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A network with images.

    Attributes:
        name: one of `NETWORKS`, or that of a file.
        network: of stochastic attention.
        images: of the data set that has such images.
    """

    name: str
    network: SpikingNetwork
    images: Images


def load_case(name: str, data: Path | None) -> Case:
    """One of `NETWORKS`, or the file of a network.

    Args:
        data: folder of the data sets; the digits need none.

    Raises:
        InputError: a bad file or data set, or a network that the core cannot run.
    """
    path = WEIGHTS / f"ssa_{name}.npz" if name in NETWORKS else Path(name)
    network = load_network(path)
    try:
        check_network(network)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    size = (network.shape.side, network.shape.side, network.shape.channels)
    if size not in SIZES:
        raise InputError(f"{path}: network must be for images of a data set, not {list(size)}")
    return Case(name=path.stem, network=network, images=load_images(SIZES[size], data, train=1))
