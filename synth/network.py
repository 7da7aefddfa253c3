"""A network core as a design for a board."""

from golden.network.config import NetworkConfig
from golden.network.sizes import to_table
from hw.network.linked_network import LinkedNetwork
from synth.design import Design

# Hz for which a network's core is built unless another clock is asked for
NETWORK_CLOCK = 50e6


def network_design(config: NetworkConfig, name: str) -> Design:
    """A network core; `name` is that of the network it was sized for."""
    return Design(
        name=name,
        make=lambda: LinkedNetwork(config),
        parameters=to_table(config),
        lanes=config.lanes,
    )
