"""What a run of `infer` leaves in its folder, of images or of sentences."""

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from energy.ledger import Ledger
from energy.network import whole
from golden.network.config import NetworkConfig
from golden.network.file import save_network
from golden.network.network import Network
from sim.timing.network import NetworkTimes
from studies.attention.report import tool_versions
from studies.infer import timeline
from studies.infer.cores import memory_use
from studies.infer.hardware import RtlImages

REPORT, TIMELINE_TEXT, TIMELINE_PICTURE, NETWORK = (
    "report.json",
    "timeline.txt",
    "timeline.png",
    "network.npz",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Found(ABC):
    """What a run found: a network on a core, and the times of the first inference.

    Attributes:
        seed: what chose images or sentences.
        config: of the network core.
        rtl: None when nothing went through it.
        counted: how many inferences the events are the mean of.
        layers: see `energy.network.account_by_layer`; of all that was counted.
        times: of the first inference, by the cycle model.
        throughput: by the cycle model at a clock; None without one.
    """

    seed: int
    config: NetworkConfig
    rtl: RtlImages | None
    counted: int
    layers: list[tuple[Ledger, Ledger]]
    times: NetworkTimes
    throughput: dict[str, Any] | None
    # What enters an inference, in the plural
    noun: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the network."""

    @property
    @abstractmethod
    def network(self) -> Network:
        """That ran."""

    @property
    @abstractmethod
    def first(self) -> str:
        """What the first inference was of."""

    @property
    def ledgers(self) -> tuple[Ledger, Ledger]:
        """Per inference, of the spiking network and in multiply-accumulates."""
        return whole(self.layers, self.counted)

    @property
    def failures(self) -> list[str]:
        """One line per difference to golden and to the cycle model; empty when the run passed."""
        return [] if self.rtl is None else self.rtl.failures

    def to_json(self) -> dict[str, Any]:
        """The report, as plain values."""
        network, (spiking, dense) = self.network, self.ledgers
        origin = self.times.begun[0]
        return {
            "seed": self.seed,
            "passed": not self.failures,
            "tools": tool_versions(),
            "network": {
                "name": self.name,
                "layers": len(network.layers),
                "tokens": network.tokens,
                "weight_bits": network.weight_bits,
            },
            "configuration": plain(asdict(self.config)),
            "throughput": self.throughput,
            "memory": memory_use(self.times),
            "energy": {
                self.noun: self.counted,
                "spiking": spiking.to_json(),
                "multiply_accumulate": dense.to_json(),
                "layers": [
                    {
                        "name": f"{number} {layer.target}",
                        "spiking": ours.mean(self.counted).microjoule,
                        "multiply_accumulate": theirs.mean(self.counted).microjoule,
                    }
                    for number, (layer, (ours, theirs)) in enumerate(
                        zip(network.layers, self.layers, strict=True)
                    )
                ],
            },
            "timeline": [
                {"unit": s.unit, "what": s.what, "first": s.first - origin, "last": s.last - origin}
                for s in timeline.segments_of(self.times, 0)
            ],
        }


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
