"""The designs whose mutants are judged, each with the tests that can see it.

A trial is a test of the project, or one case of it, on a compiled design; it raises where it fails. Those
that are fast and see much come first.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from golden.network.reader import ReaderTiming
from golden.stochastic.network import SpikingNetwork
from golden.stochastic.network_config import StochasticNetworkConfig
from golden.stochastic.plan import RandomPlan
from golden.stochastic.program import compile_network
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.integer.core import IntegerAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from sim.cores.network.core import WholeNetworkCore
from sim.cores.stochastic.core import StochasticCore
from sim.cores.stochastic.network import WholeStochasticCore
from tests.hw.attention import random_jobs, test_core_rtl
from tests.hw.attention.core_cases import CORES
from tests.hw.integer import random_jobs as integer_jobs
from tests.hw.integer import test_integer_core
from tests.hw.keyserial import test_key_serial_core
from tests.hw.network import listed, random_cores
from tests.hw.stochastic import random_engines, random_networks, test_stochastic_core
from tests.mutation import contracts, units
from tests.mutation.subject import Subject, of_core


def attention(name: str) -> Subject:
    """A core of `tests.hw.attention.core_cases`."""
    config = replace(CORES[name], taps=True)
    tests: dict[str, Callable[[], object]] = {
        f"{test.__name__}[{name}]": partial(test, name)
        for test in (
            test_core_rtl.test_integers_and_cycles,
            test_core_rtl.test_heads_of_different_size_back_to_back,
            test_core_rtl.test_pauses,
            test_core_rtl.test_standstill,
            test_core_rtl.test_reset_in_the_middle,
            test_core_rtl.test_reset_in_a_search,
            test_core_rtl.test_every_pair_of_codes,
        )
    }
    tests |= {
        f"random heads {seed}": partial(
            random_jobs.check_runs, config, seed, 10, random_jobs.Checked(), full=int(seed < 2)
        )
        for seed in range(16)
    }
    return of_core("attention", SpikedAttentionCore(config), tests, contracts.attention(config))


def integer(name: str) -> Subject:
    """A core of `tests.hw.integer.test_integer_core`."""
    config = test_integer_core.CORES[name]
    tests: dict[str, Callable[[], object]] = {
        f"{test.__name__}[{name}]": partial(test, name)
        for test in (
            test_integer_core.test_integers_and_cycles,
            test_integer_core.test_pauses,
            test_integer_core.test_standstill,
            test_integer_core.test_reset_in_the_middle,
            test_integer_core.test_reset_in_any_cycle,
        )
    }
    tests |= {
        f"random heads {seed}": partial(
            integer_jobs.check_runs, config, seed, 10, random_jobs.Checked(), full=2
        )
        for seed in range(8)
    }
    if name == "squares":
        tests |= {"test_every_pair_of_codes": test_integer_core.test_every_pair_of_codes}
    return of_core("integer", IntegerAttentionCore(config), tests, contracts.integer(config))


def key_serial(name: str) -> Subject:
    """A core of `tests.hw.keyserial.test_key_serial_core`."""
    config = test_key_serial_core.CORES[name]
    tests: dict[str, Callable[[], object]] = {
        f"{test.__name__}[{name}]": partial(test, name)
        for test in (
            test_key_serial_core.test_integers_and_cycles,
            test_key_serial_core.test_pauses,
            test_key_serial_core.test_standstill,
            test_key_serial_core.test_reset_in_the_middle,
            test_key_serial_core.test_reset_in_any_cycle,
            test_key_serial_core.test_steep_ramps,
        )
    }
    if config == test_key_serial_core.SMALL:
        (corners,) = (
            mark.args[1]
            for mark in test_key_serial_core.test_corners.pytestmark
            if mark.name == "parametrize"
        )
        tests |= {
            f"test_corners[{case.id}]": partial(test_key_serial_core.test_corners, *case.values)
            for case in corners
        }
    tests |= {
        f"random heads {seed}": partial(
            random_jobs.check_runs,
            config,
            seed,
            10,
            random_jobs.Checked(),
            full=2,
            kind=random_jobs.KEY_SERIAL,
        )
        for seed in range(8)
    }
    return of_core("keyserial", KeySerialAttentionCore(config), tests, contracts.key_serial())


FILLED = replace(random_cores.FILLED, further=100)
STREAMED = replace(FILLED, tokens=8, features=12, networks=24, streamed=True)

# Units of a network core that are designs of their own
ALONE = ("octave_encoder", "falling_threshold", "feeders", "terms_feeder", "weight_loader", "spike_list")


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
    compiled = WholeNetworkCore(core.config, taps=True, reader=core.reader)
    whole = of_core("network", compiled, tests, contracts.network(core.config))
    return replace(whole, apart=tuple(f"network/{unit}.py" for unit in ALONE))


def stochastic(shape: tuple[Any, ...]) -> Subject:
    """An engine of `tests.hw.stochastic.test_stochastic_core`."""
    config = test_stochastic_core.config_of(*shape)
    tests: dict[str, Callable[[], object]] = {
        test.__name__: partial(test, shape)
        for test in (
            test_stochastic_core.test_spikes_and_cycles,
            test_stochastic_core.test_reset_in_the_middle,
            test_stochastic_core.test_many_draws,
        )
    }

    def random_jobs_of(seed: int) -> None:
        random_engines.check_engine(config, np.random.default_rng(seed), 6, random_engines.Checked())

    tests |= {f"random jobs {seed}": partial(random_jobs_of, seed) for seed in range(12)}
    tests |= {
        f"test_pauses_change_no_spike[{pauses}]": partial(
            test_stochastic_core.test_pauses_change_no_spike, shape, pauses
        )
        for pauses in test_stochastic_core.PAUSES
    }
    return of_core("stochastic", StochasticCore(config).tapped(), tests)


# Of a core for stochastic networks; memories are not larger, and most of each is used
TOKENS_SIDE, HEAD_DIM, STOCHASTIC_LANES = 3, 4, 8
MEMORIES = {"spikes": 512, "stream": 64, "weights": 256, "biases": 32}
# Of passes of streamed weights and of rows by index, what more than one network needs
PASSES = {"weights": 72, "maps": 180}


def stochastic_network(seed: int, wide: int = 0, reader: ReaderTiming | None = None) -> Subject:
    """A core with many networks: each of its sizes is what one of the first 120 needs.

    Args:
        wide, reader: of streamed weights.
    """
    rng = np.random.default_rng(seed)

    def drawn(count: int, room: Mapping[str, int]) -> Iterator[tuple[SpikingNetwork, int, Mapping[str, int]]]:
        """So many networks, with their time steps, that need no more than there is room for."""
        while count:
            network, steps = random_networks.random_network(rng, HEAD_DIM, most=20), int(rng.integers(1, 6))
            if network.shape.tokens == TOKENS_SIDE**2:
                needs = compile_network(network, STOCHASTIC_LANES, steps, streamed=wide > 0).needs
                if all(needs[name] <= most for name, most in room.items()):
                    yield network, steps, needs
                    count -= 1

    first = [*drawn(120, MEMORIES | PASSES if wide else MEMORIES)]
    sizes = {name: max(needs[name] for *_, needs in first) for name in first[0][-1]}
    config = StochasticNetworkConfig(
        tokens=TOKENS_SIDE**2, head_dim=HEAD_DIM, lanes=STOCHASTIC_LANES, plan=RandomPlan(seed=seed),
        weight_stream=wide, **sizes,
    )  # fmt: skip
    core = WholeStochasticCore(config, reader=reader)
    networks = [(network, steps) for network, steps, _ in (*first, *drawn(120, sizes))]

    def images_of(number: int) -> None:
        images, checked = np.random.default_rng(number), random_networks.Checked()
        random_networks.check_core(core, *networks[number], images, checked)

    tests = {f"random network {seed}.{number}": partial(images_of, number) for number in range(len(networks))}
    return of_core("stochastic/network", core.tapped(), tests)


SUBJECTS: Mapping[str, Callable[[], Subject]] = {
    "attention, memory": partial(attention, "two-groups"),
    "attention, logic": partial(attention, "sixteen-groups"),
    "attention, stored scores": partial(attention, "eleven-groups"),
    "integer, squares": partial(integer, "squares"),
    "integer, partial products": partial(integer, "partial products"),
    "key-serial, context": partial(key_serial, "both signs and no room for silence"),
    "key-serial, codes": partial(key_serial, "silence of each spike"),
    "network 417": partial(network, 417),
    "network 419": partial(network, 419),
    "network, streamed 81": partial(network, 81, replace(STREAMED, held=True, counts=True)),
    "network, streamed 90": partial(network, 90, replace(STREAMED, windows=True, general=True, beside=True)),
    "load reader": units.load_reader,
    "octave encoder": units.octave_encoder,
    "falling threshold": units.falling_threshold,
    "terms feeder": partial(units.feeder, "terms"),
    "query feeder": partial(units.feeder, "query"),
    "trace feeder": partial(units.feeder, "trace"),
    "weight loader": units.weight_loader,
    **{f"spike list, {kind}": partial(units.spike_list, kind) for kind in listed.KINDS},
    "memory": units.memory,
    "link": units.link,
    "stochastic network": partial(stochastic_network, 1),
    "stochastic network, streamed": partial(
        stochastic_network, 2, 16, ReaderTiming(latency=20, interval=2, period=90, gap=15)
    ),
    "stochastic, encoders": partial(stochastic, (9, 10, 4, True, "none", "unit", "serial")),
    "stochastic, rows": partial(stochastic, (9, 10, 4, False, "none", "row", "lane")),
    "stochastic, two tokens": partial(stochastic, (2, 2, 2, False, "none", "row-broadcast", "lane")),
    "stochastic, causal": partial(stochastic, (9, 6, 9, False, "causal", "row-broadcast", "lane")),
}
