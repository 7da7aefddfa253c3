"""The network core as `sim.cores.core.Core`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.errors import InputError
from golden.network.checks import check_integers
from golden.network.config import NetworkConfig
from golden.network.counts import counted_layers
from golden.network.network import Network, run_network
from golden.network.program import check_fit
from golden.network.reader import ReaderTiming
from golden.network.sizes import from_table, to_table
from golden.network.weights import weight_words
from hw.network.core import NetworkCore
from hw.network.linked_network import LinkedNetwork
from hw.network.paced_reader import PacedNetwork
from sim.cores.attention.driver import read_spikes
from sim.cores.core import Core
from sim.cores.network.beats import image_beats, load_beats, load_pieces
from sim.cores.network.neurons import NetworkIntegers, golden_neurons, in_rows, there
from sim.cores.rtl import Run, count_of
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.network import NetworkTimes, predict
from sim.verilator.payload import Fields
from sim.verilator.result import Result

# A job asks for the same program several times
program_of = lru_cache(maxsize=2)(check_fit)
# Cycles without a transfer after which a run without taps is given up; a whole inference may pass
LONG_STALL = 1 << 22


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
    """What a network core is given.

    Attributes:
        network: that runs.
        load: send its weights and descriptors; a core keeps those of the last network loaded.
        image: what enters after that, [images, tokens, width], spikes or integers of the stream; None for no
            image.
        tokens: [images], the first rows of each that enter (`golden.network.counts`); None for all.
    """

    network: Network
    load: bool = False
    image: Spikes | NDArray[np.int64] | None = None
    tokens: NDArray[np.int64] | None = None

    @property
    def counts(self) -> NDArray[np.int64]:
        """Tokens of each image."""
        images = 0 if self.image is None else self.image.shape[0]
        return np.full(images, self.network.tokens) if self.tokens is None else self.tokens

    @property
    def scores(self) -> tuple[int, ...]:
        """Shape of the class scores of an image."""
        return self.network.shapes().scores


@dataclass(frozen=True)
class WholeNetworkCore(Core[NetworkConfig, NetworkJob, NetworkIntegers]):
    """A network core.

    Attributes:
        taps: with ports that show the neurons of every layer.
        reader: of streamed weights; None where they come at full rate.
    """

    noun = "a network core"
    module = "network_core"
    item = "inference"
    places = ("image",)
    accumulations = ("weight_additions",)
    clock = 50e6

    taps: bool = False
    reader: ReaderTiming | None = None

    def __post_init__(self) -> None:
        assert self.reader is None or self.config.weight_stream, "a reader brings streamed weights"

    @classmethod
    def from_table(cls, table: dict[str, Any], source: str) -> Self:
        return cls(from_table(table, source))

    def to_table(self) -> dict[str, Any]:
        return to_table(self.config)

    @property
    def lanes(self) -> int:
        return self.config.lanes

    def tapped(self) -> Self:
        return replace(self, taps=True)

    def component(self) -> NetworkCore | PacedNetwork:
        core = NetworkCore(self.config, taps=self.taps)
        return core if self.reader is None else PacedNetwork(core, self.reader)

    def linked(self) -> LinkedNetwork:
        return LinkedNetwork(self.config)

    def check(self, job: NetworkJob) -> None:
        program_of(job.network, self.config)
        if job.tokens is not None:
            if not self.config.token_counts:
                raise InputError("this core takes whole images only (NetworkConfig.token_counts)")
            check_integers("tokens", job.tokens, [(len(job.counts),)], job.network.tokens, 1)
            counted_layers(job.network)

    def input_beats(self, job: NetworkJob) -> dict[str, Fields]:
        return self._beats(job, load_beats)

    def linked_beats(self, job: NetworkJob) -> dict[str, Fields]:
        return self._beats(job, load_pieces)

    def _beats(self, job: NetworkJob, loading: Any) -> dict[str, Fields]:
        beats: dict[str, Fields] = {}
        if job.load:
            beats["i_load"] = loading(program_of(job.network, self.config), self.config)
        if job.image is not None:
            beats["i_image"] = image_beats(job.image, job.tokens)
        if self.config.weight_stream:
            # not those that would come for one more inference
            program = program_of(job.network, self.config)
            beats["i_weights"] = np.tile(weight_words(program, self.config), len(job.counts))
        return beats

    def output_beats(self, job: NetworkJob) -> dict[str, int]:
        expected = {"o_score": self._there(job, "scores")}
        if self.taps:
            names = {"o_potential": "potential", "o_norm": "norm", "o_mixed": "mixed"}
            expected |= {port: self._there(job, name) for port, name in names.items()}
        beats = {port: int(there.sum()) for port, there in expected.items()}
        return beats | ({"o_issue": int(self._neurons(job)[1].sum())} if self.taps else {})

    def _there(self, job: NetworkJob, name: str) -> NDArray[np.bool_]:
        return there(program_of(job.network, self.config), job.counts, name)

    def _neurons(self, job: NetworkJob) -> tuple[NetworkIntegers, NDArray[np.int64]]:
        assert job.image is not None, "taps show images"
        return golden_neurons(job.network, program_of(job.network, self.config), job.image, job.tokens)

    def shown(self, job: NetworkJob, outputs: Mapping[str, Fields]) -> dict[str, Any]:
        def placed(values: NDArray[Any], name: str, nothing: int = 0) -> NDArray[Any]:
            """Integers of all images in their places."""
            computed = self._there(job, name)
            full = np.full(computed.shape, nothing, values.dtype)
            full[computed] = values
            return full

        scores = in_rows(program_of(job.network, self.config), placed(outputs["o_score"]["value"], "scores"))
        shown: dict[str, Any] = {"scores": scores.reshape(-1, *job.scores)}
        if self.taps:
            shown["potential"] = placed(outputs["o_potential"], "potential")
            code = job.network.code
            for name in ("norm", "mixed"):
                spikes = read_spikes(outputs[f"o_{name}"]["entry"]["spike"], code, (-1,))
                shown[name] = Spikes(placed(spikes.sign, name), placed(spikes.phase, name, code.steps))
        return shown

    def integers(self, job: NetworkJob, outputs: Mapping[str, Fields]) -> NetworkIntegers:
        return NetworkIntegers(**self.shown(job, outputs))

    def completion(self, job: NetworkJob, result: Result) -> CycleReport:
        """A row per image, its scores; the first duration counts from the first pixel on."""
        last = np.cumsum(self._there(job, "scores").sum(axis=1)) - 1
        return CycleReport(
            result.outputs["o_score"].cycles[last][:, None], since=int(result.accepted["i_image"][0])
        )

    def compute(self, job: NetworkJob) -> NetworkIntegers:
        if self.taps:
            return self._neurons(job)[0]
        assert job.image is not None, "scores are of images"
        return NetworkIntegers(scores=run_network(job.network, job.image, tokens=job.tokens).scores)

    def times(self, job: NetworkJob) -> NetworkTimes:
        """Everything that the cycle model says; without loading, images come from the first cycle on."""
        assert job.image is not None, "times are of images"
        loads = count_of(self.input_beats(replace(job, image=None, tokens=None))["i_load"]) if job.load else 0
        return predict(job.network, self.config, job.image, loads, job.tokens, self.reader)

    def predict(self, job: NetworkJob) -> CycleReport:
        times = self.times(job)
        return CycleReport(np.array(times.finished)[:, None], since=times.begun[0])

    def activity(self, job: NetworkJob, integers: NetworkIntegers) -> StageActivity:
        """Of the neuron lanes: additions of weights; cycles at work of every unit; loading is left out."""
        times = self.times(job)
        busy: dict[str, int] = {}
        for segment in times.timeline:
            busy[segment.unit] = busy.get(segment.unit, 0) + segment.last - segment.first + 1
        cycles = times.finished[-1] - times.begun[0] + 1
        return StageActivity(
            events={"spikes_broadcast": times.broadcasts, "weight_additions": times.additions},
            busy=busy,
            lane_utilisation=times.additions / (self.lanes * cycles),
        )

    def run_in_turn(self, jobs: Sequence[NetworkJob], **how: Any) -> list[Run[NetworkIntegers]]:
        assert [job.load for job in jobs] == [True] + [False] * (len(jobs) - 1), "loaded once, from reset on"
        return super().run_in_turn(jobs, **({} if self.taps else {"stall": LONG_STALL}) | how)
