"""The core that the options of a command name."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from golden.errors import InputError
from golden.network.network import Network
from onespike.schemes import SCHEMES

if TYPE_CHECKING:
    from sim.cores.heads import HeadCore
    from sim.cores.network.core import WholeNetworkCore


def head_core(scheme: str, preset_name: str | None, config_file: Path | None) -> "HeadCore[Any, Any, Any]":
    """The core that computes attention heads in a scheme, as --preset or --config describe it.

    Raises:
        InputError: see `onespike.schemes.AttentionScheme.config`.
    """
    config = SCHEMES[scheme].config(preset_name, config_file)
    return SCHEMES[scheme].core()(config)


def check_network_options(scheme: str, preset_name: str | None) -> None:
    """Raise InputError unless --scheme and --preset go with --network."""
    SCHEMES[scheme].check_options({"--network": True})
    if preset_name is not None:
        raise InputError("--network sizes the core itself, it excludes --preset")


def network_core(
    network: Network, config_file: Path | None, lanes: int | None, *, token_counts: bool = False
) -> "WholeNetworkCore":
    """The core of a whole network: sizes of --config and --lanes, and the smallest for the rest.

    Args:
        token_counts: an inference has a number of tokens, where the file says nothing else.

    Raises:
        InputError: a bad file or size, or the network does not fit: what it needs and what there is.
    """
    from golden.network.sizes import read_sizes, sized_config
    from sim.cores.network.core import WholeNetworkCore

    given: dict[str, int] = {"token_counts": True} if token_counts else {}
    given |= {} if config_file is None else read_sizes(config_file)
    return WholeNetworkCore(sized_config(network, given if lanes is None else given | {"lanes": lanes}))
