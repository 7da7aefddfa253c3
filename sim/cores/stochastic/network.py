"""The core for stochastic networks as `sim.cores.core.Core`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.memory import WORD_BITS
from golden.stochastic.inference import infer
from golden.stochastic.network import SpikingNetwork, Trains
from golden.stochastic.network_config import StochasticNetworkConfig, from_table, to_table
from golden.stochastic.program import Program, bit_planes, check_fit, config_for
from golden.stochastic.weights import pass_words, weight_words
from hw.memory.paced_reader import PacedNetwork
from hw.memory.stored_network import StoredNetwork
from hw.stochastic.network.core import StochasticNetworkCore
from sim.cores.marks import check_ends
from sim.cores.rtl import Run
from sim.cores.stochastic.network_beats import image_beats, load_pieces, read_counts, written_words
from sim.cores.streamed import StreamedCore
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.image_times import ImageTimes
from sim.timing.stochastic_network import predict
from sim.verilator.payload import Fields
from sim.verilator.result import Result
from synth.design import Design

# Cycles without a transfer after which a run without taps is given up; a whole inference may pass
LONG_STALL = 1 << 22


@dataclass(frozen=True, eq=False, kw_only=True)
class StochasticNetworkJob:
    """What a core for stochastic networks is given.

    Attributes:
        network: that runs.
        steps: T.
        load: send its weights and descriptors; a core keeps those of the last network loaded.
        images: uint8 [images, side, side, channels].
    """

    network: SpikingNetwork
    steps: int
    load: bool = False
    images: NDArray[np.uint8]

    @property
    def inferences(self) -> int:
        return len(self.images)


@dataclass(frozen=True, kw_only=True)
class StochasticNetworkIntegers:
    """What a core for stochastic networks computes.

    Attributes:
        spikes: bool [images, words, lanes], every word that neurons and attention write, in their order; None
            without taps.
        scores: int64 [images, classes].
    """

    spikes: NDArray[np.bool_] | None = None
    scores: NDArray[np.int64]


# A job asks for the same program, and for golden's integers, several times
program_of = lru_cache(maxsize=2)(check_fit)


@lru_cache(maxsize=2)
def computed(
    job: StochasticNetworkJob, config: StochasticNetworkConfig
) -> tuple[StochasticNetworkIntegers, list[list[NDArray[np.int64]]]]:
    """Golden's integers of a job, and the spikes in the words that its layers read (`read_counts`)."""
    trains: dict[str, Trains] = {}
    scores = infer(job.network, job.images, job.steps, config.plan, trains.__setitem__)
    program = program_of(job.network, job.steps, config)
    spikes = written_words(program, trains, config.lanes)
    counts = read_counts(program, bit_planes(job.network, job.images), trains)
    return StochasticNetworkIntegers(spikes=spikes, scores=scores), counts


@dataclass(frozen=True)
class WholeStochasticCore(
    StreamedCore[StochasticNetworkConfig, StochasticNetworkJob, StochasticNetworkIntegers]
):
    """A core for stochastic networks.

    Attributes:
        taps: with a port that shows every spike.
    """

    noun = "a core for stochastic networks"
    module = "stochastic_network_core"
    item = "inference"
    places = ("image",)
    accumulations = ("weight_additions",)
    clock = 50e6

    taps: bool = False

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    @property
    def lanes(self) -> int:
        return self.config.lanes

    @property
    def adders(self) -> int:
        """Weights that it can add in a cycle: those of so many spikes in every lane."""
        return self.config.lanes * self.config.weight_ports

    def tapped(self) -> Self:
        return replace(self, taps=True)

    def component(self) -> StochasticNetworkCore | PacedNetwork:
        core = StochasticNetworkCore(self.config, taps=self.taps)
        return core if self.reader is None else PacedNetwork(core, self.reader)

    def linked(self) -> StochasticNetworkCore | StoredNetwork:
        core = StochasticNetworkCore(self.config)
        return StoredNetwork(core) if self.streamed else core

    def smaller(self, job: StochasticNetworkJob, name: str) -> tuple[str, Callable[[], Design]] | None:
        def streamed() -> Design:
            config = self.config
            least = config_for(job.network, config.steps, config.lanes, config.plan, WORD_BITS)
            return type(self)(least).design(name)

        return None if self.streamed else ("with --streamed", streamed)

    def check(self, job: StochasticNetworkJob) -> None:
        self._program(job)

    def _program(self, job: StochasticNetworkJob) -> Program:
        return program_of(job.network, job.steps, self.config)

    def pass_words(self, job: StochasticNetworkJob) -> list[int]:
        return pass_words(self._program(job), self.config)

    def streamed_words(self, job: StochasticNetworkJob) -> NDArray[np.uint64]:
        return weight_words(self._program(job), self.config)

    def input_beats(self, job: StochasticNetworkJob) -> dict[str, Fields]:
        beats = self._beats(job, stored=False)
        if self.streamed:
            # not those that would come for one more image
            beats["i_weights"] = np.tile(self.streamed_words(job), len(job.images))
        return beats

    def linked_beats(self, job: StochasticNetworkJob) -> dict[str, Fields]:
        return self._beats(job, stored=self.stores(job))

    def _beats(self, job: StochasticNetworkJob, *, stored: bool) -> dict[str, Fields]:
        loading = {"i_load": load_pieces(self._program(job), self.config, stored)} if job.load else {}
        return loading | {"i_image": image_beats(job.network, job.images, self.lanes)}

    def output_beats(self, job: StochasticNetworkJob) -> dict[str, int]:
        expected = {"o_score": len(job.images) * job.network.shape.classes}
        if self.streamed:
            expected["o_store"] = 0
        if self.taps:
            integers, _ = computed(job, self.config)
            assert integers.spikes is not None
            images, words, _ = integers.spikes.shape
            expected["o_spikes"] = images * words
        return expected

    def linked_output_beats(self, job: StochasticNetworkJob) -> dict[str, int]:
        beats = super().linked_output_beats(job)
        beats.pop("o_store", None)  # it ends in the board's memory
        return beats

    def shown(self, job: StochasticNetworkJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        check_ends(outputs, np.full(len(job.images), job.network.shape.classes))
        shown: dict[str, Any] = {"scores": outputs["o_score"]["value"].reshape(len(job.images), -1)}
        if self.taps:
            spikes = outputs["o_spikes"].reshape(len(job.images), -1, self.lanes)
            shown["spikes"] = spikes.astype(np.bool_)
        return shown

    def integers(self, job: StochasticNetworkJob, outputs: Mapping[str, Fields]) -> StochasticNetworkIntegers:
        return StochasticNetworkIntegers(**self.shown(job, outputs))

    def completion(self, job: StochasticNetworkJob, result: Result) -> CycleReport:
        """A row per image, its scores; the first duration counts from the first bits on."""
        cycles = result.outputs["o_score"].cycles.reshape(len(job.images), -1)
        return CycleReport(cycles[:, -1:], since=int(result.accepted["i_image"][0]))

    def compute(self, job: StochasticNetworkJob) -> StochasticNetworkIntegers:
        integers, _ = computed(job, self.config)
        return integers if self.taps else replace(integers, spikes=None)

    def times(self, job: StochasticNetworkJob) -> ImageTimes:
        """Everything that the cycle model says; without loading, images come from the first cycle on."""
        program = self._program(job)
        loads = len(load_pieces(program, self.config, stored=False)) if job.load else 0
        words = self.pass_words(job) if self.streamed else []
        counts = computed(job, self.config)[1]
        return predict(program.layers, program.heads, self.config, counts, loads, words, self.reader)

    def predict(self, job: StochasticNetworkJob) -> CycleReport:
        return self.times(job).report()

    def activity(self, job: StochasticNetworkJob, integers: StochasticNetworkIntegers) -> StageActivity:
        return self.times(job).activity(self.adders)

    def run_in_turn(
        self, jobs: Sequence[StochasticNetworkJob], **how: Any
    ) -> list[Run[StochasticNetworkIntegers]]:
        assert [job.load for job in jobs] == [True] + [False] * (len(jobs) - 1), "loaded once, from reset on"
        return super().run_in_turn(jobs, **({} if self.taps else {"stall": LONG_STALL}) | how)
