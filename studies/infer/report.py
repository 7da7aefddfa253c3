"""What a run of `infer` leaves in its folder, of images or of sentences."""

import json
from pathlib import Path
from typing import Any, Protocol

from golden.network.config import NetworkConfig
from golden.network.file import save_network
from golden.network.network import Network
from sim.timing.network import NetworkTimes
from studies.infer import timeline

REPORT, TIMELINE_TEXT, TIMELINE_PICTURE, NETWORK = (
    "report.json",
    "timeline.txt",
    "timeline.png",
    "network.npz",
)


class Found(Protocol):
    """What a run found: a network on a core, and the times of the first inference."""

    @property
    def name(self) -> str:
        """Of the network."""

    @property
    def network(self) -> Network:
        """That ran."""

    @property
    def config(self) -> NetworkConfig:
        """Of the core."""

    @property
    def times(self) -> NetworkTimes:
        """Of the first inference, by the cycle model."""

    @property
    def first(self) -> str:
        """What that was of."""

    def to_json(self) -> dict[str, Any]:
        """The report, as plain values."""


def plain(value: Any) -> Any:
    """Dictionaries, lists, numbers and text."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    return value if isinstance(value, int | float | str | None) else str(value)


def captions(result: Found) -> tuple[str, str]:
    """Title and remark of the timeline: the network, the core, and what of its time is shown."""
    network, config = result.network, result.config
    code = network.code
    title = (
        f"One inference of the network {result.name}: "
        f"{result.times.finished[0] - result.times.begun[0]:,} cycles by the cycle model"
    )
    remark = (
        f"{result.first}; {config.lanes} neuron lanes, "
        f"{config.attention.lanes} attention lanes; T = {code.steps}, B = 2^({code.log2_base})"
    )
    return title, remark


def write_results(result: Found, folder: Path) -> None:
    """Write the report, the timeline as text and picture, and the network file into a folder."""
    (folder / REPORT).write_text(json.dumps(result.to_json(), indent=2, allow_nan=False) + "\n")
    (folder / TIMELINE_TEXT).write_text(timeline.text(result.times) + "\n")
    timeline.picture(result.times, folder / TIMELINE_PICTURE, *captions(result))
    save_network(folder / NETWORK, result.network)
