"""The network core as `sim.cores.core.Core`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.errors import InputError
from golden.memory import WORD_BITS
from golden.network.checks import check_integers
from golden.network.config import NetworkConfig
from golden.network.counts import counted_layers
from golden.network.network import Network, run_network
from golden.network.program import check_fit, config_for
from golden.network.sizes import from_table, to_table
from golden.network.weights import pass_words, weight_words
from hw.memory.paced_reader import PacedNetwork
from hw.memory.stored_network import StoredNetwork
from hw.network.core import NetworkCore
from hw.network.linked_network import LinkedNetwork
from hw.parts.payloads import spike
from sim.cores.attention.driver import read_spikes
from sim.cores.marks import check_ends
from sim.cores.network.beats import image_beats, load_beats, load_pieces
from sim.cores.network.neurons import NetworkIntegers, all_beside, golden_neurons, in_rows, there
from sim.cores.rtl import Run, count_of
from sim.cores.streamed import StreamedCore
from sim.cores.waves import Kind, spike_kinds
from sim.timing.cycles import CycleReport, StageActivity
from sim.timing.network import NetworkTimes, predict
from sim.verilator.payload import Fields
from sim.verilator.result import Result
from synth.design import Design

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
    def inferences(self) -> int:
        return 0 if self.image is None else self.image.shape[0]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Tokens of each image."""
        return np.full(self.inferences, self.network.tokens) if self.tokens is None else self.tokens

    @property
    def scores(self) -> tuple[int, ...]:
        """Shape of the class scores of an image."""
        return self.network.shapes().scores


@dataclass(frozen=True)
class WholeNetworkCore(StreamedCore[NetworkConfig, NetworkJob, NetworkIntegers]):
    """A network core.

    Attributes:
        taps: with ports that show the neurons of every layer.
    """

    noun = "a network core"
    module = "network_core"
    item = "inference"
    places = ("image",)
    accumulations = ("weight_additions",)
    clock = 50e6
    units = ("loader", "image", "issue", "cluster", "drain", "norm", "attention")

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
        """Weights that it can add in a cycle."""
        return self.config.lanes

    def tapped(self) -> Self:
        return replace(self, taps=True)

    def kinds(self) -> dict[str, Kind]:
        return spike_kinds(self.config.code, {"spike": spike(self.config.code)})

    def component(self) -> NetworkCore | PacedNetwork:
        core = NetworkCore(self.config, taps=self.taps)
        return core if self.reader is None else PacedNetwork(core, self.reader)

    def linked(self) -> LinkedNetwork | StoredNetwork:
        linked = LinkedNetwork(self.config)
        return StoredNetwork(linked) if self.streamed else linked

    def smaller(self, job: NetworkJob, name: str) -> tuple[str, Callable[[], Design]] | None:
        config = self.config

        def streamed() -> Design:
            least = config_for(job.network, config.lanes, config.cluster, WORD_BITS)
            return type(self)(replace(least, token_counts=config.token_counts)).design(name)

        if config.weight_stream:
            return None
        return "with --streamed", streamed

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
        beats = self._beats(job, partial(load_pieces, stored=self.stores(job)))
        beats.pop("i_weights", None)  # the board's memory brings them
        return beats

    def pass_words(self, job: NetworkJob) -> list[int]:
        return pass_words(program_of(job.network, self.config), self.config).tolist()

    def streamed_words(self, job: NetworkJob) -> NDArray[np.uint64]:
        return weight_words(program_of(job.network, self.config), self.config)

    def _beats(self, job: NetworkJob, loading: Any) -> dict[str, Fields]:
        beats: dict[str, Fields] = {}
        if job.load:
            beats["i_load"] = loading(program_of(job.network, self.config), self.config)
        if job.image is not None:
            beats["i_image"] = image_beats(job.image, job.tokens)
        if self.config.weight_stream:
            # not those that would come for one more inference
            beats["i_weights"] = np.tile(self.streamed_words(job), len(job.counts))
        return beats

    def output_beats(self, job: NetworkJob) -> dict[str, int]:
        expected = {"o_score": self._there(job, "scores")}
        if self.taps:
            names = {"o_potential": "potential", "o_norm": "norm", "o_mixed": "mixed"}
            expected |= {port: self._there(job, name) for port, name in names.items()}
            if self.config.drains > 1:
                second = all_beside(program_of(job.network, self.config), self.config)
                expected["o_potential_1"] = expected["o_potential"] & second
                expected["o_potential"] = expected["o_potential"] & ~second
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

        check_ends(outputs, self._there(job, "scores").sum(axis=1))
        scores = in_rows(program_of(job.network, self.config), placed(outputs["o_score"]["value"], "scores"))
        shown: dict[str, Any] = {"scores": scores.reshape(-1, *job.scores)}
        if self.taps:
            shown["potential"] = placed(self._potentials(job, outputs), "potential")
            code = job.network.code
            for name in ("norm", "mixed"):
                spikes = read_spikes(outputs[f"o_{name}"]["entry"]["spike"], code, (-1,))
                shown[name] = Spikes(placed(spikes.sign, name), placed(spikes.phase, name, code.steps))
        return shown

    def _potentials(self, job: NetworkJob, outputs: Mapping[str, Fields]) -> NDArray[np.int64]:
        """Those of both drains, in their order."""
        if self.config.drains == 1:
            return outputs["o_potential"]
        computed = self._there(job, "potential")
        second = np.broadcast_to(
            all_beside(program_of(job.network, self.config), self.config), computed.shape
        )
        found = np.zeros(int(computed.sum()), np.int64)
        found[second[computed]] = outputs["o_potential_1"]
        found[~second[computed]] = outputs["o_potential"]
        return found

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
        return self.times(job).report()

    def activity(self, job: NetworkJob, integers: NetworkIntegers) -> StageActivity:
        return self.times(job).activity(self.adders)

    def run_in_turn(self, jobs: Sequence[NetworkJob], **how: Any) -> list[Run[NetworkIntegers]]:
        assert [job.load for job in jobs] == [True] + [False] * (len(jobs) - 1), "loaded once, from reset on"
        return super().run_in_turn(jobs, **({} if self.taps else {"stall": LONG_STALL}) | how)
