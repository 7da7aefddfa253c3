"""Networks of LIF neurons and stochastic attention."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from golden.errors import InputError
from golden.memory import WORD_BITS
from golden.stochastic.network import SpikingNetwork, load_network
from golden.stochastic.network_config import read_sizes
from golden.stochastic.program import sized_config
from sim.cores.stochastic.network import StochasticNetworkJob, WholeStochasticCore
from studies.boards.throughput import IMAGES, Throughput, network_throughput
from studies.stochastic.cases import load_case
from studies.stochastic.demo import core_with_memory


def core_of(
    network: SpikingNetwork, config_file: Path | None, lanes: int | None, *, streamed: bool = False
) -> WholeStochasticCore:
    """The core of a network: sizes and random numbers of --config and --lanes, and the smallest for the rest.

    Args:
        streamed: weights come from a board's memory.

    Raises:
        InputError: a bad file or size, or the network does not fit: what it needs and what there is.
    """
    given: dict[str, Any] = {"weight_stream": WORD_BITS} if streamed else {}
    given |= {} if config_file is None else read_sizes(config_file)
    return core_with_memory(sized_config(network, given if lanes is None else given | {"lanes": lanes}))


def throughput(core: WholeStochasticCore, job: StochasticNetworkJob) -> Throughput:
    """What a core does per second."""
    return partial(network_throughput, core, job)


def core_of_file(path: Path, config_file: Path | None, lanes: int | None) -> WholeStochasticCore:
    """The core of a network file, streamed weights at a port of its own; see `core_of`."""
    return replace(core_of(load_network(path), config_file, lanes), reader=None)


def core_and_job(
    name: str,
    data: Path | None,
    config_file: Path | None,
    lanes: int | None,
    tokens: int | None,
    streamed: bool = False,
    pieces: int | None = None,
    beside: int = 1,
) -> tuple[WholeStochasticCore, StochasticNetworkJob]:
    """The core of a network, and the first images for it; see `studies.stochastic.cases.load_case`.

    Raises:
        InputError: what that says, or `core_of`, or tokens or pieces, which these networks have no choice of.
    """
    if pieces is not None:
        raise InputError(f"{name}: has no layers that go into a stream in pieces, --pieces must be absent")
    for option, value in (("--tokens", tokens), ("--side-by-side", None if beside == 1 else beside)):
        if value is not None:
            raise InputError(f"{name}: is no model of sentences, {option} must be absent")
    case = load_case(name, data)
    core = core_of(case.network, config_file, lanes, streamed=streamed)
    job = StochasticNetworkJob(
        network=case.network, steps=core.config.steps, images=case.images.test[:IMAGES]
    )
    core.check_memory(job)
    return core, job
