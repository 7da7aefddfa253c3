"""Verilog of a network core, sized from a network file or given."""

from pathlib import Path

from golden.network.config import NetworkConfig
from golden.network.file import load_network
from golden.network.program import check_fit, config_for
from hw.export import write
from hw.neuron.network_core import NetworkCore


def write_network_core(network: Path, directory: Path, config: NetworkConfig | None = None) -> NetworkConfig:
    """Write network_core.v and its manifest.

    Args:
        network: file of `golden.network.file.save_network`.
        directory: where to write.
        config: sizes; those that the network needs when absent.

    Returns:
        The sizes.

    Raises:
        InputError: a bad file, or the network does not fit `config`: what it needs and what there is.
    """
    loaded = load_network(network)
    config = config_for(loaded) if config is None else config
    check_fit(loaded, config)
    parameters = {
        name: str(value) if name in ("code", "attention") else value for name, value in vars(config).items()
    }
    write(NetworkCore(config), "network_core", directory, parameters, {})
    return config
