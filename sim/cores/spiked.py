"""What cores for spiked attention share, however scores come about: jobs, integers, codes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig, to_table
from golden.attention.job import AttentionJob, AttentionSpikes, compute, prepare
from golden.errors import InputError
from hw.attention import payloads
from hw.parts.payloads import spike
from sim.cores.attention.driver import completion
from sim.cores.heads import HeadCore
from sim.cores.waves import Kind, spike_kinds
from sim.timing.cycles import CycleReport
from sim.verilator.payload import Fields
from sim.verilator.result import Result

SpikedConfig = TypeVar("SpikedConfig", bound=CoreConfig)


@dataclass(frozen=True)
class SpikedCore(HeadCore[SpikedConfig, AttentionJob, AttentionSpikes]):
    """A core for spiked attention; its job is any number of heads of one size.

    Attributes:
        config_type: the class of its configuration; none of another makes this core, those of its subclasses
            neither.

    Raises:
        InputError: the configuration is of another core.
    """

    places = ("head", "row")
    accumulations = ("synaptic_additions", "context_additions")
    config_type: ClassVar[type[CoreConfig]]

    def __post_init__(self) -> None:
        if type(self.config) is not self.config_type:
            raise InputError(
                f"the configuration of {self.noun} must be a {self.config_type.__name__}, not a "
                f"{type(self.config).__name__}"
            )

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    @property
    def lanes(self) -> int:
        return self.config.lanes

    def tapped(self) -> Self:
        return type(self)(replace(self.config, taps=True))

    def kinds(self) -> dict[str, Kind]:
        code = self.config.code
        return spike_kinds(code, {"spike": spike(code), "attention": payloads.attention(self.config)})

    def integers(self, job: AttentionJob, outputs: Mapping[str, Fields]) -> AttentionSpikes:
        shown = self.shown(job, outputs)
        hidden = {} if len(shown) == len(fields(AttentionSpikes)) else vars(compute(job))
        return AttentionSpikes(**hidden | shown)

    def completion(self, job: AttentionJob, result: Result) -> CycleReport:
        return completion(result, job)

    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> AttentionJob:
        return prepare(q, k, v, self.config.code).job

    def check(self, job: AttentionJob) -> None:
        self.config.check_job(job)

    def compute(self, job: AttentionJob) -> AttentionSpikes:
        return compute(job)

    def fields(self, job: AttentionJob, shown: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Scores of masked keys are undefined."""
        found = super().fields(job, shown)
        if job.allowed is not None and "score" in found:
            found["score"] = np.ma.masked_array(found["score"], ~job.allowed)
        return found
