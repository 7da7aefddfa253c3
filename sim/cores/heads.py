"""Cores whose jobs are attention heads: what golden, cycle model and RTL say of one."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from sim.cores.core import Config, Core, Integers, Job
from sim.timing.cycles import CycleReport, StageActivity
from sim.verilator.simulator import Progress


class HeadCore(Core[Config, Job, Integers]):
    """A core that computes attention heads.

    Attributes:
        scheme: of its attention, as users name it.
        accumulations: those of its events that are additions of its adders.
    """

    scheme: ClassVar[str]
    accumulations: ClassVar[tuple[str, ...]]

    @abstractmethod
    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> Job:
        """A job of arrays [heads, tokens, head_dim] as the scheme takes them."""

    def check(self, job: Job) -> None:
        """Raise InputError unless the core can hold the job."""

    @abstractmethod
    def compute(self, job: Job) -> Integers:
        """Golden's integers."""

    @abstractmethod
    def predict(self, job: Job) -> CycleReport:
        """The cycle model's completion of every row."""

    @abstractmethod
    def activity(self, job: Job, integers: Integers) -> StageActivity:
        """Events, busy cycles and utilisation of a job with these integers."""

    @abstractmethod
    def simulate(
        self, job: Job, *, waves: Path | None = None, progress: Progress | None = None
    ) -> tuple[Integers, CycleReport]:
        """Run a job through the RTL, compiled by Verilator.

        Args:
            waves, progress: see `sim.verilator.simulator.Simulator.run`.

        Raises:
            InputError: the core cannot hold the job, or there is no C++ compiler.
        """
