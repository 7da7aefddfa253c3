"""Rows of an inference of fewer tokens than a network is made for: the last ones are missing.

Without `NetworkConfig.token_counts` there is nothing of it in a core.
"""

from amaranth.hdl import Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from hw.network.payloads import row_width


def members(config: NetworkConfig) -> dict[str, wiring.Member]:
    """Of a unit. `missing`: rows that are not there, of layers that follow the number of tokens; `short`: the
    row that is done is the last of such a layer that is there."""
    return {"missing": In(row_width(config)), "short": Out(1)} if config.token_counts else {}


def missing_of(unit: wiring.Component, op: data.View, config: NetworkConfig) -> Value | int:
    """Rows of a descriptor that are not there."""
    return Mux(op.counted, unit.missing, 0) if config.token_counts else 0


def there(unit: wiring.Component, op: data.View, rows: Value, config: NetworkConfig) -> Value:
    """Of so many rows of a descriptor, those that are."""
    return rows - missing_of(unit, op, config) if config.token_counts else rows
