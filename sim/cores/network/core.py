"""The network core as `sim.cores.core.Core`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.network import Network
from golden.network.program import check_fit
from golden.network.sizes import from_table, to_table
from hw.network.core import NetworkCore
from hw.network.linked_network import LinkedNetwork
from sim.cores.core import Core
from sim.cores.network.engine import image_beats
from sim.cores.network.loading import load_pieces
from sim.verilator.payload import Fields


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
    """What a network core is given.

    Attributes:
        network: that runs.
        load: send its weights and descriptors; a core keeps those of the last network loaded.
        image: spikes [images, tokens, pixels], after that; None for no image.
    """

    network: Network
    load: bool = False
    image: Spikes | None = None


class WholeNetworkCore(Core[NetworkConfig, NetworkJob, NDArray[np.int64]]):
    """A network core; its integers are class scores [images, classes]."""

    noun = "a network core"
    module = "network_core"
    clock = 50e6

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    @property
    def lanes(self) -> int:
        return self.config.lanes

    def component(self) -> NetworkCore:
        return NetworkCore(self.config)

    def linked(self) -> LinkedNetwork:
        return LinkedNetwork(self.config)

    def input_beats(self, job: NetworkJob) -> dict[str, Fields]:
        beats: dict[str, Fields] = {}
        if job.load:
            beats["i_load"] = load_pieces(check_fit(job.network, self.config), self.config)
        if job.image is not None:
            beats["i_image"] = image_beats(job.image)
        return beats

    def output_beats(self, job: NetworkJob) -> dict[str, int]:
        return {"o_score": 0 if job.image is None else job.image.shape[0] * job.network.classes}

    def integers(self, job: NetworkJob, outputs: Mapping[str, Fields]) -> NDArray[np.int64]:
        return np.asarray(outputs["o_score"]["value"], np.int64).reshape(-1, job.network.classes)
