"""Verilog of a network core, sized from a network file or given."""

from pathlib import Path

from golden.network.file import load_network
from golden.network.sizes import sized_config, to_table
from hw.export.verilog import write
from hw.network.core import NetworkCore


def write_network_core(network: Path, directory: Path, given: dict[str, int]) -> tuple[Path, Path]:
    """Write network_core.v and its manifest.

    Args:
        network: file of `golden.network.file.save_network`.
        directory: where to write.
        given: sizes of the core (`golden.network.sizes.GIVEN`); those that the network needs where absent.

    Returns:
        The two files.

    Raises:
        InputError: a bad file or size, or the network does not fit: what it needs and what there is.
    """
    config = sized_config(load_network(network), given)
    return write(NetworkCore(config), "network_core", directory, to_table(config), {})
