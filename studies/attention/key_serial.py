"""SpikedAttention of arrays on the key-serial core: the study of the other one, with this core in it."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from golden.attention.key_serial import KeySerialConfig, preset
from sim.cores.keyserial.core import KeySerialAttentionCore
from studies.attention import spiked
from studies.attention.spiked import AttentionResult


def attend(
    arrays: Mapping[str, NDArray[Any]], *, config: KeySerialConfig | None = None, **how: Any
) -> AttentionResult:
    """Attention of the arrays of a file; see `studies.attention.spiked.attend`."""
    if config is None and how.get("board") is None:
        config = preset("default")
    return spiked.attend(arrays, config=config, kind=KeySerialAttentionCore, **how)
