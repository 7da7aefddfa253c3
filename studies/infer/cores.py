"""The core that inferences run on, and what streamed weights take of its time."""

from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from golden.errors import InputError
from golden.memory import WORD_BITS
from golden.network.checks import SizeError
from golden.network.config import NetworkConfig
from golden.network.network import Network
from golden.network.program import check_fit, config_for
from golden.network.reader import SDRAM
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.timing.image_times import ImageTimes
from synth.fit import where_else


def core_with_memory(config: NetworkConfig) -> WholeNetworkCore:
    """A core; streamed weights come from a memory (`golden.network.reader.SDRAM`)."""
    return WholeNetworkCore(config, reader=SDRAM if config.weight_stream else None)


def sized_core(
    network: Network, lanes: int | None, *, streamed: bool, token_counts: bool = False
) -> WholeNetworkCore:
    """The smallest core for a network; `lanes` are those of `config_for` when absent.

    Args:
        streamed: weights come from a memory.
        token_counts: as in `NetworkConfig`.

    Raises:
        InputError: a number out of range, a network that the hardware cannot run.
    """
    size = {} if lanes is None else {"lanes": lanes}
    config = config_for(network, **size, weight_stream=WORD_BITS if streamed else 0)
    return core_with_memory(replace(config, token_counts=token_counts))


def check_board(config: NetworkConfig, network: Network) -> None:
    """Raise InputError unless the core of a board runs a network: what it needs, and which board would do."""
    try:
        check_fit(network, config)
    except SizeError as error:
        core = sized_core(network, None, streamed=False, token_counts=config.token_counts)
        other = where_else(core.design("network", NetworkJob(network=network)))
        raise InputError(f"{error}; for a core of its own {other}") from None


def memory_use(times: ImageTimes) -> dict[str, Any] | None:
    """What the first inference took from the memory, layer by layer; None of weights in the core."""
    count = len(times.fetched) // len(times.finished)
    if not count:
        return None
    cycles = times.finished[0] - times.begun[0] + 1
    layers = []
    for _, group in groupby(times.fetched[:count], lambda layer: layer.what):
        parts = list(group)
        first = parts[0]
        for part in parts[1:]:
            first = first.joined(part)
        layers.append({"bound": first.bound} | asdict(first))
    words = sum(layer["words"] for layer in layers)
    return {"words": words, "words_per_cycle": round(words / cycles, 4), "layers": layers}
