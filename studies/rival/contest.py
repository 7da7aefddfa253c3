"""The contest: cores for the same heads, and what each makes of them.

All have the sizes of the preset `lean`: 64 lanes, 128 tokens, 64 features, no bias and no mask, output codes.
Areas are those of a core alone, its streams being pins.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from energy.attention import spiking_attention
from energy.events import attention_events
from energy.integer import integer_attention
from energy.key_serial import key_serial_attention
from energy.ledger import Ledger
from golden.attention import config as spiked
from golden.attention.config import CoreConfig
from golden.attention.key_serial import KeySerialConfig, key_serial
from golden.code import PhaseCode
from golden.integer import config as integer
from golden.integer.config import MULTIPLIERS, IntegerConfig
from hw.attention.cluster import Cluster
from hw.integer.cluster import VectorCluster
from hw.integer.payloads import key_address, value_address
from hw.integer.product import Factors
from hw.keyserial.trace_points import SpikeFactors
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.heads import HeadCore
from sim.cores.integer.core import IntegerAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from studies.attention import integer as integer_study
from studies.attention import key_serial as key_serial_study
from studies.attention import spiked as spiked_study
from studies.attention.integer import IntegerResult
from studies.attention.spiked import AttentionResult
from synth.alone import BOARD, measure_alone, route, synthesise
from synth.figures import RIVALS
from synth.tools import find_tools

CODES = (
    PhaseCode(steps=8, log2_base=Fraction(3, 4), trace_bits=10),
    PhaseCode(),
    PhaseCode(steps=24, log2_base=Fraction(2, 7)),
)
# Fewer bits of the trace, which every lane adds up, are as accurate; lane-parallel cores have 10 and 12
KEY_SERIAL_CODES = tuple(replace(code, trace_bits=7) for code in CODES)
BITS = (8, 4)
# All are compared at one clock, and each at its own where that was measured
CLOCK_HZ = 100e6
AREA = ("lut4", "flip_flops", "block_rams", "dsps")


@dataclass(frozen=True)
class Contender:
    """A core in the contest.

    Attributes:
        label: for people, and of its measured area.
        core: that is built.
        lanes: makes what computes in a cluster of its lanes, memories included.
        attend: its attention of arrays by name, an `AttentionResult` or the like of another scheme.
        ledger: what it spends for the job of such a result.
    """

    label: str
    core: HeadCore[Any, Any, Any]
    lanes: Callable[[], tuple[wiring.Component, ...]]
    attend: Callable[..., Any]
    ledger: Callable[[Any], Ledger]


def contenders() -> Iterator[Contender]:
    """Spikes by the steps of their code, then integers by bits and multiplier."""
    for code in CODES:
        config = replace(spiked.preset("lean"), code=code)
        yield Contender(
            label=f"spikes, T = {code.steps}",
            core=SpikedAttentionCore(config),
            lanes=partial(_spiking_lanes, config),
            attend=spiked_study.attend,
            ledger=_spikes_ledger,
        )
    for code in KEY_SERIAL_CODES:
        serial = key_serial(replace(spiked.preset("lean"), code=code))
        yield Contender(
            label=f"key-serial spikes, T = {code.steps}",
            core=KeySerialAttentionCore(serial),
            lanes=partial(_key_serial_lanes, serial),
            attend=key_serial_study.attend,
            ledger=_key_serial_ledger,
        )
    for bits, multiplier in product(BITS, MULTIPLIERS):
        integers = replace(integer.preset("lean"), bits=bits, multiplier=multiplier)
        yield Contender(
            label=f"{bits} bits, {multiplier}",
            core=IntegerAttentionCore(integers),
            lanes=partial(_integer_lanes, integers),
            attend=integer_study.attend,
            ledger=_integers_ledger,
        )


def _spiking_lanes(config: CoreConfig) -> tuple[wiring.Component, ...]:
    return (Cluster(config, 1),)


def _key_serial_lanes(config: KeySerialConfig) -> tuple[wiring.Component, ...]:
    """Lanes that add points of queries and keys, and as many of attention spikes and values."""
    scores, contexts = (SpikeFactors.of(config, signed_left=signed) for signed in (True, False))
    return (
        VectorCluster(config, scores, key_address(config).size, config.head_dim, 1),
        VectorCluster(config, contexts, value_address(config).size, config.lanes, 1),
    )


def _integer_lanes(config: IntegerConfig) -> tuple[wiring.Component, ...]:
    """Lanes that multiply keys, and as many that multiply values."""
    return (
        VectorCluster(config, Factors.of_scores(config), key_address(config).size, config.head_dim, 1),
        VectorCluster(config, Factors.of_context(config), value_address(config).size, config.lanes, 1),
    )


def _spikes_ledger(result: AttentionResult) -> Ledger:
    return spiking_attention(attention_events(result.job, result.config), result.config)


def _key_serial_ledger(result: AttentionResult) -> Ledger:
    assert isinstance(result.config, KeySerialConfig)
    return key_serial_attention(result.job, result.config)


def _integers_ledger(result: IntegerResult) -> Ledger:
    job = result.job
    return integer_attention(job.heads, job.tokens, job.head_dim, result.config)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a core makes of heads.

    Attributes:
        label: see `Contender`.
        cosine, relative_rmse: of its output codes against exact softmax attention.
        cycles_per_row: mean, once the core is busy.
        cycles_per_head: of heads that follow each other.
        nanojoule: of one head, by the ledger of counted events.
        area: measured, see `measured`.
    """

    label: str
    cosine: float
    relative_rmse: float
    cycles_per_row: float
    cycles_per_head: int
    nanojoule: float
    area: Mapping[str, Mapping[str, Any]]

    @cached_property
    def heads_per_second(self) -> float:
        """At `CLOCK_HZ`."""
        return CLOCK_HZ / self.cycles_per_head

    @cached_property
    def heads_per_kilo_lut(self) -> float | None:
        """Heads per second and 1,000 LUT4-equivalents at `CLOCK_HZ`, where the core was measured."""
        return 1000 * self.heads_per_second / self.area["core"]["lut4"] if "core" in self.area else None

    @cached_property
    def mhz(self) -> float | None:
        """Median of what the core reached with each seed, where it was placed and routed."""
        by_seed = self.area.get("core", {}).get("mhz_by_seed")
        return median(by_seed.values()) if by_seed else None

    @cached_property
    def own_heads_per_second(self) -> float | None:
        """At the core's own clock, `mhz`."""
        return None if self.mhz is None else self.mhz * 1e6 / self.cycles_per_head

    @cached_property
    def own_heads_per_kilo_lut(self) -> float | None:
        """Heads per second and 1,000 LUT4-equivalents, likewise."""
        each = self.own_heads_per_second
        return None if each is None else 1000 * each / self.area["core"]["lut4"]

    def to_json(self) -> dict[str, Any]:
        at_one_clock = ("heads_per_second", "heads_per_kilo_lut")
        derived = (*at_one_clock, "mhz", "own_heads_per_second", "own_heads_per_kilo_lut")
        return dict(vars(self)) | {name: getattr(self, name) for name in derived}


def stand(contender: Contender, arrays: Mapping[str, NDArray[Any]]) -> Standing:
    """What a core makes of heads, at least two of them.

    Raises:
        InputError: it cannot hold them.
    """
    result = contender.attend(arrays, engine="model", config=contender.core.config)
    error, cycles = result.report()["error"]["out"], result.cycles
    assert cycles is not None, "the engine is the model"
    return Standing(
        label=contender.label,
        cosine=error["cosine"],
        relative_rmse=error["relative_rmse"],
        cycles_per_row=float(np.diff(cycles.rows[-1]).mean()),
        cycles_per_head=int(cycles.durations[-1]),
        nanojoule=contender.ledger(result).picojoule / 1e3 / result.job.heads,
        area=measured().get(contender.label, {}),
    )


def measured() -> dict[str, dict[str, dict[str, Any]]]:
    """Areas by label: of `lanes` and, where it was measured, of the whole `core`.

    Each holds lut4 (LUT4-equivalents after synthesis), flip_flops, block_rams, dsps and, after place and
    route, mhz_by_seed and the target_mhz that was asked for.
    """
    areas: dict[str, dict[str, dict[str, Any]]] = json.loads(RIVALS.read_text())
    return areas


def measure_lanes(contender: Contender, folder: Path) -> dict[str, Any]:
    """Area of its lanes alone after synthesis; the files of the tools stay in the folder.

    Raises:
        InputError: a tool is missing.
        ToolError: a tool failed.
    """
    core, total = contender.core, Counter[str]()
    for number, lanes in enumerate(contender.lanes()):
        place = folder / f"lanes-{number}"
        found = measure_alone(lanes, core.to_table(), place, frequency=None, seed=1, dsp=core.dsp)
        total.update({name: found[name] for name in AREA})
    return {name: total[name] for name in AREA}


def measure_core(contender: Contender, folder: Path, frequency: float | None, seeds: int) -> dict[str, Any]:
    """Area of its core alone after synthesis, likewise, and its clock with each seed.

    Args:
        frequency: target of place and route in MHz; None to leave that out.
        seeds: place and route with seeds 1 to this.

    Raises:
        InputError: a tool is missing.
        ToolError: a tool failed.
    """
    core, place, nextpnr = contender.core, folder / "core", BOARD.family.place_and_route
    tools = find_tools(("yosys", nextpnr))
    found = synthesise(core.component(), core.to_table(), place, tools["yosys"], core.dsp)
    area = {name: found[name] for name in AREA}
    if frequency is None:
        return area
    by_seed = {
        str(seed): route(place, seed, frequency, tools[nextpnr])["fmax_mhz"] for seed in range(1, seeds + 1)
    }
    return area | {"target_mhz": frequency, "mhz_by_seed": by_seed}
