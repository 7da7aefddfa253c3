"""A core for stochastic networks: every word of spikes and every score, with pauses and a reset."""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np

from golden.convolution import Convolution
from golden.stochastic.network import NetworkShape, SpikingNetwork
from golden.stochastic.network_config import MAX_WEIGHT_PORTS, StochasticNetworkConfig
from golden.stochastic.program import config_for
from hw.stochastic.network.core import StochasticNetworkCore
from sim.cores.stochastic.network import StochasticNetworkJob, WholeStochasticCore
from tests.hw.cocotb.streams import PACES, Bench

STEPS = 3
# Nothing is a whole number of words but a head; more classes than lanes
SIZES: dict[str, Any] = {"channels": 2, "width": 6, "heads": 3, "hidden": 7, "classes": 5}
STEM = (
    Convolution(outputs=5, kernel=3, stride=1, padding=1),
    Convolution(outputs=6, kernel=2, stride=2, padding=0),
)
# Patches of the pixels, and of what a stem of convolutions makes of them
SHAPES = {
    "patches": NetworkShape(side=5, patch=3, stride=2, depth=2, **SIZES),
    "stem": NetworkShape(side=4, stem=STEM, patch=2, stride=2, padding=1, depth=1, **SIZES),
}
# Ports of the weight memory; bits of the words that bring weights, if they are streamed
CASES: dict[str, dict[str, Any]] = {
    "patches": {"shape": "patches", "ports": 1},
    "stem": {"shape": "stem", "ports": 2},
    "streamed": {"shape": "stem", "ports": 2, "wide": 16},
}


def small_network(
    shape: str = "patches", ports: int = MAX_WEIGHT_PORTS, wide: int = 0
) -> tuple[StochasticNetworkConfig, StochasticNetworkJob]:
    """A network, a core of four lanes for it, and two images."""
    rng, sizes = np.random.default_rng(3), SHAPES[shape]
    arrays = {
        name: np.clip(rng.normal(8, 40, size), -128, 127).astype(kind)
        for name, (kind, size) in sizes.arrays.items()
    }
    network = SpikingNetwork(shape=sizes, kind="ssa", arrays=arrays)
    images = rng.integers(0, 256, (2, sizes.side, sizes.side, sizes.channels)).astype(np.uint8)
    job = StochasticNetworkJob(network=network, steps=STEPS, load=True, images=images)
    return replace(config_for(network, STEPS, lanes=4, weight_stream=wide), weight_ports=ports), job


def core(parameters: dict[str, Any]) -> StochasticNetworkCore:
    return StochasticNetworkCore(small_network(**parameters)[0], taps=True)


async def play(bench: Bench) -> None:
    config, job = small_network(**bench.manifest.parameters)
    whole = WholeStochasticCore(config).tapped()
    for name, fields in whole.input_beats(job).items():
        bench.send(name, fields)
    integers = whole.compute(job)
    last = np.zeros(integers.scores.shape, bool)
    last[:, -1] = True
    bench.expect("o_score", {"value": integers.scores.reshape(-1), "last": last.reshape(-1)})
    bench.expect("o_spikes", integers.spikes.reshape(-1, config.lanes))


@cocotb.test()
@PACES
async def equals_golden(dut: Any, idle: float, backpressure: float) -> None:
    async with Bench(dut, idle=idle, backpressure=backpressure) as bench:
        await play(bench)


@cocotb.test()
async def loads_again_after_a_reset(dut: Any) -> None:
    async with Bench(dut, idle=0.0, backpressure=0.0) as bench:
        await play(bench)
        await bench.run(3000)
        await bench.reset()
        await play(bench)
