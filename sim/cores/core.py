"""A core as one object: all that those who drive, build, export and measure cores know of the one at hand.

`sim.cores.attention.core`, `sim.cores.network.core` and `sim.cores.stochastic.core` implement it. What a
job and its integers are is the business of the core; nobody else looks at them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from amaranth.lib import wiring

from hw.export.axi import write_axi
from hw.export.verilog import write
from sim.verilator.payload import Fields
from synth.design import Design

Config = TypeVar("Config")
Job = TypeVar("Job")
Integers = TypeVar("Integers")


class Core(ABC, Generic[Config, Job, Integers]):
    """A core of one configuration.

    Args:
        config: what it is generated from.

    Attributes:
        noun: what users call it, with its article.
        module: name of the Verilog module.
        clock: Hz for which it is built unless another clock is asked for; None for that of the board and
            of its budget there.
    """

    noun: ClassVar[str]
    module: ClassVar[str]
    clock: ClassVar[float | None] = None

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    @abstractmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        """Inverse of `to_table`.

        Args:
            source: what to call the table in an error.

        Raises:
            InputError: an unknown key, or a value out of range.
        """

    @abstractmethod
    def to_table(self) -> dict[str, Any]:
        """The configuration as plain values: what a manifest and a board state."""

    @property
    def lanes(self) -> int:
        """Lanes, to report resources per lane; 0 where there are none."""
        return 0

    @abstractmethod
    def component(self) -> wiring.Component:
        """A fresh component, as it is exported."""

    def linked(self) -> wiring.Component:
        """A fresh component, as it stands behind the link of a board."""
        return self.component()

    def latency(self, component: Any) -> dict[str, int]:
        """Cycles that the manifest of a `component` states, by the name of what is counted."""
        return {}

    def write(self, directory: Path, *, axi: bool = False) -> tuple[Path, ...]:
        """Write Verilog and manifest.

        Args:
            axi: with AXI4-Stream ports, and a FuseSoC core file beside; see `hw.export.axi.write_axi`.
        """
        component = self.component()
        files, name = (write_axi, f"{self.module}_axis") if axi else (write, self.module)
        return files(component, name, directory, self.to_table(), self.latency(component))

    def design(self, name: str) -> Design:
        """The core as a design for a board; `name` is that of its preset, its file or its network."""
        return Design(name=name, make=self.linked, parameters=self.to_table(), lanes=self.lanes)

    @abstractmethod
    def input_beats(self, job: Job) -> dict[str, Fields]:
        """Beats of the input streams of the linked component.

        Raises:
            InputError: the core cannot hold the job.
        """

    def order(self, job: Job, counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        """Streams and numbers of their next beats, in an order in which a link can send them.

        Each part can be taken without anything that comes after it.

        Args:
            counts: beats of each stream, as `input_beats` makes them.
        """
        return counts.items()

    @abstractmethod
    def output_beats(self, job: Job) -> dict[str, int]:
        """Number of beats that a job brings on every output stream of the linked component."""

    @abstractmethod
    def integers(self, job: Job, outputs: Mapping[str, Fields]) -> Integers:
        """What the core produced; what its ports do not show is golden's.

        Args:
            outputs: beats of the output streams, of the component as linked or with its taps.
        """
