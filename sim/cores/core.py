"""A core as one object: all that those who drive, build, export and measure cores know of the one at hand.

`sim.cores.attention.core`, `sim.cores.network.core` and `sim.cores.stochastic.core` implement it. What a
job and its integers are is the business of the core; nobody else looks at them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from amaranth.lib import wiring
from numpy.typing import NDArray

from golden.code import Spikes
from hw.export.axi import write_axi
from hw.export.verilog import write, write_files
from sim.cores import rtl
from sim.cores.compare import Comparison, compare
from sim.cores.waves import Kind, in_bench, view_files, views_of
from sim.timing.cycles import CycleReport, StageActivity
from sim.verilator.payload import Fields
from sim.verilator.result import Result
from synth.boards import Family
from synth.design import Design
from synth.netlist import Resources

Config = TypeVar("Config")
Job = TypeVar("Job")
Integers = TypeVar("Integers")


@dataclass(frozen=True)
class Core(ABC, Generic[Config, Job, Integers]):
    """A core of one configuration.

    Attributes:
        config: what it is generated from.
        noun: what users call it, with its article.
        module: name of the Verilog module.
        item: what a job holds several of, one after the other.
        places: what the first dimensions of its fields count.
        accumulations: those of its events that are additions of its adders.
        units: names of its submodules in the order of the data, as a waveform shows them; NAME stands for
            NAME_0, NAME_1 and so on too.
        clock: Hz for which it is built unless another clock is asked for; None for that of the board and
            of its budget there.
    """

    noun: ClassVar[str]
    module: ClassVar[str]
    item: ClassVar[str]
    places: ClassVar[tuple[str, ...]]
    accumulations: ClassVar[tuple[str, ...]]
    units: ClassVar[tuple[str, ...]] = ()
    clock: ClassVar[float | None] = None

    config: Config

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

    @property
    def dsp(self) -> bool:
        """Whether its products go to DSP blocks of the device."""
        return False

    @abstractmethod
    def tapped(self) -> Self:
        """The core with taps: ports that show what never leaves it and change neither integers nor cycles."""

    @abstractmethod
    def component(self) -> wiring.Component:
        """A fresh component, as it is exported."""

    def linked(self) -> wiring.Component:
        """A fresh component, as it stands behind the link of a board."""
        return self.component()

    def latency(self, component: Any) -> dict[str, int]:
        """Cycles that the manifest of a `component` states, by the name of what is counted."""
        return {}

    def kinds(self) -> dict[str, Kind]:
        """How its signals with one-spike codes read in a waveform, by the name of the kind."""
        return {}

    def write(self, directory: Path, *, axi: bool = False) -> tuple[Path, ...]:
        """Write Verilog, manifest, and the folder with what to view waveforms with, whose path comes last.

        Args:
            axi: with AXI4-Stream ports, and a FuseSoC core file beside; see `hw.export.axi.write_axi`. The
                waveforms are then those of its bench, see `hw.export.axi_bench`.
        """
        component = self.component()
        files, name = (write_axi, f"{self.module}_axis") if axi else (write, self.module)
        written = files(component, name, directory, self.to_table(), self.latency(component), self.noun)
        verilog, views = written[0].read_text(), views_of(written[0])
        place = in_bench(verilog, name) if axi else None
        write_files(views, view_files(self, verilog, name, place))
        return *written, views

    def design(self, name: str, job: Job | None = None) -> Design:
        """The core as a design for a board.

        Args:
            name: of its preset, its file or its network.
            job: what it is for, to find a smaller form of the core that runs it too; see `Core.smaller`.
        """
        return Design(
            name=name,
            make=self.linked,
            parameters=self.to_table(),
            lanes=self.lanes,
            estimate=self.estimate,
            dsp=self.dsp,
            smaller=None if job is None else self.smaller(job, name),
        )

    def smaller(self, job: Job, name: str) -> tuple[str, Callable[[], Design]] | None:
        """What to ask for to run a job with less of a device, and the design; None where there is nothing."""
        return None

    def estimate(self, family: Family) -> Resources | None:
        """Resources that it is expected to need, link included; None where that is not known."""
        return None

    def check(self, job: Job) -> None:
        """Raise InputError unless the core can hold the job."""

    @abstractmethod
    def input_beats(self, job: Job) -> dict[str, Fields]:
        """Beats of the input streams of the component.

        Raises:
            InputError: the core cannot hold the job.
        """

    def linked_beats(self, job: Job) -> dict[str, Fields]:
        """The same for the component behind a link."""
        return self.input_beats(job)

    def order(self, job: Job, counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        """Streams and numbers of their next beats, in an order in which a link can send them.

        Each part can be taken without anything that comes after it.

        Args:
            counts: beats of each stream, as `linked_beats` makes them.
        """
        return counts.items()

    @abstractmethod
    def output_beats(self, job: Job) -> dict[str, int]:
        """Number of beats that a job brings on every output stream."""

    def linked_output_beats(self, job: Job) -> dict[str, int]:
        """The same for the component behind a link."""
        return self.output_beats(job)

    def greeting(self) -> dict[str, int]:
        """Number of beats that come by themselves when a session of a link begins, of every output stream."""
        return {}

    def told(self, outputs: Mapping[str, Fields], job: Job | None = None) -> Self:
        """The core that is known by what it said at the start of a session, or with a job.

        Raises:
            InputError: it does not hold what a job has sent.
        """
        return self

    @abstractmethod
    def shown(self, job: Job, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        """Those attributes of the integers that the beats of the output streams show."""

    @abstractmethod
    def integers(self, job: Job, outputs: Mapping[str, Fields]) -> Integers:
        """What the core produced; what its ports do not show is golden's."""

    @abstractmethod
    def completion(self, job: Job, result: Result) -> CycleReport:
        """When every row of a job was complete in the RTL."""

    @abstractmethod
    def compute(self, job: Job) -> Integers:
        """Golden's integers."""

    @abstractmethod
    def predict(self, job: Job) -> CycleReport:
        """The cycle model's completion of every row."""

    @abstractmethod
    def activity(self, job: Job, integers: Integers) -> StageActivity:
        """Events, busy cycles and utilisation of a job with these integers."""

    def fields(self, job: Job, shown: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Attributes of the integers that are there, as arrays [*places, ...], masked where undefined."""
        found: dict[str, NDArray[Any]] = {}
        for name, value in shown.items():
            if isinstance(value, Spikes):
                found |= {f"{name}_sign": value.sign, f"{name}_phase": value.phase}
            elif value is not None:
                found[name] = value
        return found

    def compare(self, job: Job, shown: Mapping[str, Any]) -> Comparison:
        """Integers of an engine, by the name of their attribute, beside golden's."""
        expected = self.fields(job, vars(self.compute(job)))
        return compare(expected, self.fields(job, shown), self.places)

    def run_in_turn(self, jobs: Sequence[Job], **how: Any) -> list[rtl.Run[Integers]]:
        """Run jobs back to back through the RTL, compiled by Verilator, from reset on.

        Args:
            how: quick of `sim.verilator.build.build`; pauses, seed, reset_at, progress, waves and others of
                `sim.verilator.simulator.Simulator.run`.

        Raises:
            InputError: the core cannot hold a job, or there is no C++ compiler.
            SimulationError: see `sim.verilator.simulator.Simulator.run`.
        """
        return rtl.run_in_turn(self, jobs, **how)

    def run(self, job: Job, **how: Any) -> rtl.Run[Integers]:
        """Run one job; see `run_in_turn`."""
        return self.run_in_turn([job], **how)[0]

    def write_views(self, waves: Path) -> None:
        """Write what to view a waveform of `run` with into `views_of` beside it."""
        verilog, _ = rtl.exported(self)
        write_files(views_of(waves), view_files(self, verilog, waves.stem))
