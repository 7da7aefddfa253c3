"""The designs whose mutants are judged, each with the tests that can see it.

A trial is a test of the project, or one case of it, on a compiled design; it raises where it fails. Those
that are fast and see much come first.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from amaranth.lib import wiring

from golden.network.limits import MAX_OFFSET
from golden.network.octave import fire, octave_code, resolution
from hw.network.falling_threshold import FallingThreshold
from hw.network.octave_encoder import OctaveEncoder
from sim.cores import rtl
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.core import Core
from sim.cores.integer.core import IntegerAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.stochastic.core import StochasticCore
from sim.cores.stochastic.network import WholeStochasticCore
from sim.verilator.simulator import Simulator
from tests.hw.attention import random_jobs, test_core_rtl
from tests.hw.attention.core_cases import CORES
from tests.hw.attention.wrappers import Vectors
from tests.hw.integer import test_integer_core
from tests.hw.keyserial import test_key_serial_core
from tests.hw.link import line, test_link_line
from tests.hw.memory import chip, sessions
from tests.hw.network import random_cores, test_components, test_streamed
from tests.hw.stochastic import random_engines, random_networks, test_stochastic_core
from tests.hw.stochastic.bench_stochastic_network import small_network

Trial = Callable[[Simulator], None]


@dataclass(frozen=True)
class Subject:
    """A design under mutation.

    Attributes:
        folder: of hw/, or the start of a file's name; only components of such files are mutated here.
        design: all that decides what `make` makes, beside hw/ and golden/.
        make: a fresh component.
        module: name of its Verilog module.
        trials: tests by name.
        apart: files of that folder that have a design of their own here, and are not mutated in this one.
        finish: makes what is simulated of the Verilog.
    """

    folder: str
    design: str
    make: Callable[[], wiring.Component]
    module: str
    trials: Mapping[str, Trial] = field(repr=False)
    apart: tuple[str, ...] = ()
    finish: Callable[[str], str] = str


@contextmanager
def standing_in(core: Core[Any, Any, Any], simulator: Simulator) -> Iterator[None]:
    """While this lasts, tests that run this core get the simulator."""

    def build(component: object, name: str, *, parameters: Mapping[str, Any], quick: bool) -> Simulator:
        assert parameters == {"core": repr(core)}, "a trial runs its subject"
        return simulator

    rtl.compiled.cache_clear()
    try:
        with patch.object(rtl, "build", build):
            yield
    finally:
        rtl.compiled.cache_clear()


def of_core(folder: str, core: Core[Any, Any, Any], tests: Mapping[str, Callable[[], object]]) -> Subject:
    """A core with tests that run it through `sim.cores.rtl`."""

    def trial(test: Callable[[], object], simulator: Simulator) -> None:
        with standing_in(core, simulator):
            test()

    trials = {name: partial(trial, test) for name, test in tests.items()}
    return Subject(folder, repr(core), core.component, core.module, trials)


def attention(name: str) -> Subject:
    """A core of `tests.hw.attention.core_cases`."""
    config = replace(CORES[name], taps=True)
    tests: dict[str, Callable[[], object]] = {
        f"{test.__name__}[{name}]": partial(test, name)
        for test in (
            test_core_rtl.test_integers_and_cycles,
            test_core_rtl.test_heads_of_different_size_back_to_back,
            test_core_rtl.test_pauses,
            test_core_rtl.test_reset_in_the_middle,
            test_core_rtl.test_every_pair_of_codes,
        )
    }
    tests |= {
        f"random heads {seed}": partial(random_jobs.check_runs, config, seed, 10, random_jobs.Checked())
        for seed in range(4)
    }
    return of_core("attention", SpikedAttentionCore(config), tests)


def integer(name: str) -> Subject:
    """A core of `tests.hw.integer.test_integer_core`."""
    config = test_integer_core.CORES[name]
    tests: dict[str, Callable[[], object]] = {
        f"{test.__name__}[{name}]": partial(test, name)
        for test in (
            test_integer_core.test_integers_and_cycles,
            test_integer_core.test_pauses,
            test_integer_core.test_reset_in_the_middle,
        )
    }
    if name == "squares":
        tests |= {"test_every_pair_of_codes": test_integer_core.test_every_pair_of_codes}
    return of_core("integer", IntegerAttentionCore(config), tests)


def key_serial(name: str) -> Subject:
    """A core of `tests.hw.keyserial.test_key_serial_core`."""
    config = test_key_serial_core.CORES[name]
    tests: dict[str, Callable[[], object]] = {
        f"{test.__name__}[{name}]": partial(test, name)
        for test in (test_key_serial_core.test_integers_and_cycles, test_key_serial_core.test_pauses)
    }
    if config == test_key_serial_core.SMALL:
        tests |= {"test_reset_in_the_middle": test_key_serial_core.test_reset_in_the_middle}
        (corners,) = (
            mark.args[1]
            for mark in test_key_serial_core.test_corners.pytestmark
            if mark.name == "parametrize"
        )
        tests |= {
            f"test_corners[{case.id}]": partial(test_key_serial_core.test_corners, *case.values)
            for case in corners
        }
    return of_core("keyserial", KeySerialAttentionCore(config), tests)


# Cores that have no more room than some of so many networks need: what these leave unused, no test can see
FILLED = replace(random_cores.SMALL, lanes=4, networks=16)


def network(seed: int, scale: random_cores.Scale = FILLED) -> Subject:
    """A random core with many networks."""
    core = random_cores.random_core(seed, scale)
    assert core.taps
    tests = {
        f"random network {seed}.{number}": partial(
            random_cores.check_core, replace(core, networks=[one]), number, random_cores.Checked()
        )
        for number, one in enumerate(core.networks)
    }
    whole = of_core("network", WholeNetworkCore(core.config, taps=True, reader=core.reader), tests)
    return replace(whole, apart=("network/octave_encoder.py", "network/falling_threshold.py"))


def alone(unit: Callable[[], Any]) -> Callable[[], Vectors]:
    """A unit without streams, one beat per cycle."""

    def made() -> Vectors:
        one = unit()
        return Vectors(one, one.latency)

    return made


def octave_encoder() -> Subject:
    """The encoder alone, of every value of 12 bits."""
    code, bits = test_components.CODES[0], 12
    unit = partial(OctaveEncoder, test_components.config(code), bits)
    values = np.arange(-(1 << bits - 1), 1 << bits - 1)
    places = octave_code(values, resolution(code.log2_base))

    def trial(simulator: Simulator) -> None:
        found = simulator.run({"i": {"value": values}}, {"o": len(values)})["o"]
        np.testing.assert_array_equal(found["place"], places)
        np.testing.assert_array_equal(found["negative"], values < 0)
        octave, residue = np.divmod(places[values != 0], resolution(code.log2_base))
        np.testing.assert_array_equal(found["some"], values != 0)
        np.testing.assert_array_equal(found["octave"][values != 0], octave)
        np.testing.assert_array_equal(found["residue"][values != 0], residue)

    return Subject(
        "network/octave_encoder", f"{code} {bits}", alone(unit), "octave_encoder", {"every value": trial}
    )


def falling_threshold() -> Subject:
    """The threshold alone: lists of any steepness, values that lie close to a level, and far from all."""
    code, count = test_components.CODES[1], 4000
    unit = partial(FallingThreshold, test_components.config(code))

    def trial(spread: int, simulator: Simulator) -> None:
        rng = np.random.default_rng(spread)
        levels = -np.append(0, np.sort(rng.choice(np.arange(1, spread), code.steps - 1, replace=False)))
        values = rng.integers(-(1 << 16), 1 << 16, count) >> rng.integers(0, 17, count)
        place = octave_code(values, resolution(code.log2_base))
        shift = rng.integers(0, 1 << 8, count) * rng.integers(0, 2, count)
        close = place - rng.choice(levels, count) + rng.integers(-2, 3, count)
        far = shift + rng.integers(-MAX_OFFSET, MAX_OFFSET + 1, count)
        total = np.where(values == 0, shift, np.where(rng.random(count) < 0.5, close, far))
        offset = np.clip(total - shift, -MAX_OFFSET, MAX_OFFSET)
        both = rng.integers(0, 2, count)
        one, two = (fire(values, levels, offset + shift, code, signed=kind) for kind in (False, True))
        sign, phase = np.where(both, two.sign, one.sign), np.where(both, two.phase, one.phase)
        inputs = {"place": place, "negative": values < 0, "offset": offset, "shift": shift, "both": both}
        # the last beat is not looked at: its levels would have to stay a cycle longer
        beats = {name: np.append(part, 0) for name, part in inputs.items()}
        held = {"levels": np.tile(levels, (count + 1, 1))}
        spikes = simulator.run({"i": beats | held}, {"o": count + 1})["o"]["spike"]
        spikes = {name: part[:-1] for name, part in spikes.items()}
        np.testing.assert_array_equal(spikes["active"], sign != 0)
        np.testing.assert_array_equal(spikes["negative"][sign != 0], sign[sign != 0] < 0)
        np.testing.assert_array_equal(spikes["phase"][sign != 0], phase[sign != 0])

    trials = {f"levels over {spread} places": partial(trial, spread) for spread in (20, 200, MAX_OFFSET)}
    return Subject("network/falling_threshold", str(code), alone(unit), "falling_threshold", trials)


def stochastic(shape: tuple[Any, ...]) -> Subject:
    """An engine of `tests.hw.stochastic.test_stochastic_core`."""
    config = test_stochastic_core.config_of(*shape)
    tests: dict[str, Callable[[], object]] = {
        "test_spikes_and_cycles": partial(test_stochastic_core.test_spikes_and_cycles, shape)
    }

    def random_jobs_of(seed: int) -> None:
        random_engines.check_engine(config, np.random.default_rng(seed), 6, random_engines.Checked())

    tests |= {f"random jobs {seed}": partial(random_jobs_of, seed) for seed in range(6)}
    tests |= {
        f"test_pauses_change_no_spike[{pauses}]": partial(
            test_stochastic_core.test_pauses_change_no_spike, shape, pauses
        )
        for pauses in test_stochastic_core.PAUSES
    }
    return of_core("stochastic", StochasticCore(config).tapped(), tests)


def stochastic_network() -> Subject:
    """The core of the cocotb bench, with many images."""
    config, job = small_network()

    def images_of(seed: int) -> None:
        rng, checked = np.random.default_rng(seed), random_networks.Checked()
        random_networks.check_core(config, job.network, job.steps, rng, checked)

    tests = {f"random images {seed}": partial(images_of, seed) for seed in range(6)}
    return of_core("stochastic/network", WholeStochasticCore(config).tapped(), tests)


def linked_network(seed: int) -> Subject:
    """A network core as it stands behind the link, loaded in pieces; only what loads is mutated."""
    drawn = random_cores.random_core(seed, random_cores.SMALL)
    core = WholeNetworkCore(drawn.config)

    def trial(job: NetworkJob, pauses: float, simulator: Simulator) -> None:
        result = simulator.run(core.linked_beats(job), core.output_beats(job), pauses=pauses)
        assert core.compare(job, core.shown(job, result)).first_difference is None

    jobs = [NetworkJob(network=network, load=True, image=image) for network, image in drawn.networks]
    trials = {
        f"linked network {seed}.{number}, pauses {pauses}": partial(trial, job, pauses)
        for pauses in (0.0, 0.3)
        for number, job in enumerate(jobs)
    }
    return Subject("parts/load_reader", f"linked {core}", core.linked, "linked_network", trials)


def memory() -> Subject:
    """A memory of weights at the model of its chip."""
    trials = {
        f"sessions of {count} words, pauses {pauses}": partial(
            sessions.check, seed=count, count=count, pauses=pauses
        )
        for count in (45, 8, 530, 1)
        for pauses in (0.0, 0.5)
    }
    made = sessions.SteppedWeights
    design = inspect.getsource(sessions) + inspect.getsource(chip)
    return Subject("memory", design, made, "stepped_weights", trials, finish=chip.with_model)


def link() -> Subject:
    """A component behind the link, from line to line."""

    def trial(seed: int, steps: int, simulator: Simulator) -> None:
        line.run(test_link_line.random_session(seed, steps), simulator)

    # Short ones first; the sessions of seeds 0, 4, ... begin with the board as reset left it
    sessions = [(1, 2), (0, 2), *((seed, test_link_line.STEPS) for seed in range(2, 16))]
    trials = {
        f"random session {seed}, {steps} bodies": partial(trial, seed, steps) for seed, steps in sessions
    }
    return Subject("link", inspect.getsource(line), line.Line, "line", trials)


SUBJECTS: Mapping[str, Callable[[], Subject]] = {
    "attention, memory": partial(attention, "two-groups"),
    "attention, logic": partial(attention, "sixteen-groups"),
    "integer, squares": partial(integer, "squares"),
    "integer, partial products": partial(integer, "partial products"),
    "key-serial, context": partial(key_serial, "both signs and no room for silence"),
    "key-serial, codes": partial(key_serial, "silence of each spike"),
    "network 37": partial(network, 37),
    "network 85": partial(network, 85),
    **{f"network, streamed {seed}": partial(network, seed, scale) for seed, scale in test_streamed.DRAWN},
    "linked network": partial(linked_network, 18),
    "octave encoder": octave_encoder,
    "falling threshold": falling_threshold,
    "memory": memory,
    "link": link,
    "stochastic network": stochastic_network,
    "stochastic, encoders": partial(stochastic, (9, 10, 4, True, "none", "unit", "serial")),
    "stochastic, rows": partial(stochastic, (9, 10, 4, False, "none", "row", "lane")),
    "stochastic, two tokens": partial(stochastic, (2, 2, 2, False, "none", "row-broadcast", "lane")),
    "stochastic, causal": partial(stochastic, (9, 6, 9, False, "causal", "row-broadcast", "lane")),
}
