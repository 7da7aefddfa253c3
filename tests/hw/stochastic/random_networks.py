"""Random stochastic networks on random cores from the whole accepted space: golden, RTL and cycle model
beside each other.

Only what a simulator can hold in reasonable time bounds the space: an engine's units, a core's lanes, and the
neurons and time steps of a network.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.convolution import Convolution
from golden.errors import InputError
from golden.stochastic.network import NetworkShape, SpikingNetwork
from golden.stochastic.network_config import (
    BIAS_STORES,
    MAX_WEIGHT_PORTS,
    MEMORIES,
    WEIGHT_STREAMS,
    StochasticNetworkConfig,
)
from golden.stochastic.plan import LANE_SHARINGS, SCORE_SHARINGS, RandomPlan
from golden.stochastic.program import compile_network, config_for
from golden.widths import bits_for
from sim.cores.stochastic.network import StochasticNetworkJob, WholeStochasticCore
from tests.hw.network.random_cores import random_reader
from tests.hw.stochastic.random_engines import log_uniform

MOST_TOKENS_SIDE, MOST_LANES, MOST_NEURONS, MOST_STEPS, MOST_DEPTH = 4, 64, 70, 12, 3
MOST_CONVOLUTIONS, MOST_SIDE = 3, 12
WIDTHS = ("accumulator_bits", "stream_bits", "bias_bits")


@dataclass
class Checked:
    """What was compared."""

    cores: int = 0
    networks: int = 0
    integers: int = 0
    cycles: int = 0
    different: int = 0
    refused: int = 0


def random_network(rng: np.random.Generator, head_dim: int, most: int = MOST_NEURONS) -> SpikingNetwork:
    """A network with heads of so many features; weights and biases small, or at their limits."""
    across = int(rng.integers(1, MOST_TOKENS_SIDE + 1))
    patch, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    heads = log_uniform(rng, max(1, most // head_dim))
    stem, side = random_stem(rng, patch + stride * (across - 1), most)
    shape = NetworkShape(
        side=side, channels=int(rng.integers(1, 4)), patch=patch, stride=stride, stem=stem,
        padding=int(rng.integers(0, patch)) if stem else 0, width=heads * head_dim, heads=heads,
        depth=int(rng.integers(1, MOST_DEPTH + 1)),
        hidden=log_uniform(rng, most), classes=log_uniform(rng, most),
    )  # fmt: skip
    extreme = rng.random() < 0.15
    # Between silence and a spike at every step, whatever the number of inputs
    scale = float(rng.choice([8.0, 30.0, 90.0]))

    def drawn(name: str, kind: type, size: tuple[int, ...]) -> NDArray[np.integer]:
        limits = np.iinfo(kind)
        if extreme and rng.random() < 0.5:
            return rng.choice([limits.min, limits.max], size).astype(kind)
        values = rng.normal(rng.normal(0, scale / 4), scale, size)
        return np.clip(np.rint(values), limits.min, limits.max).astype(kind)

    arrays = {name: drawn(name, kind, size) for name, (kind, size) in shape.arrays.items()}
    return SpikingNetwork(shape=shape, kind="ssa", arrays=arrays)


def random_stem(rng: np.random.Generator, side: int, most: int) -> tuple[tuple[Convolution, ...], int]:
    """Convolutions, half the time none, that leave a map of `side` pixels along an edge, and the edge of
    their input."""
    layers: list[Convolution] = []
    for _ in range(int(rng.integers(1, MOST_CONVOLUTIONS + 1)) if rng.random() < 0.5 else 0):
        kernel, stride = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        padding = int(rng.integers(0, kernel))
        before = (side - 1) * stride + kernel - 2 * padding
        if not 1 <= before <= MOST_SIDE:
            break
        layers.append(
            Convolution(outputs=log_uniform(rng, most), kernel=kernel, stride=stride, padding=padding)
        )
        side = before
    return tuple(reversed(layers)), side


def random_core(
    rng: np.random.Generator, checked: Checked, most_lanes: int = MOST_LANES, most: int = MOST_NEURONS
) -> tuple[WholeStochasticCore, SpikingNetwork, int]:
    """A core, a network that it holds, and T; what is refused on the way is counted."""
    while True:
        lanes = 1 << int(rng.integers(0, most_lanes.bit_length()))
        head_dim = 1 << int(rng.integers(0, min(lanes, most).bit_length()))
        network = random_network(rng, head_dim, most)
        steps = log_uniform(rng, MOST_STEPS)
        try:
            plan = RandomPlan(
                seed=int(rng.integers(1, 1 << 32)), score=rng.choice(SCORE_SHARINGS),
                output=rng.choice(LANE_SHARINGS), draw_bits=int(rng.integers(8, 17)),
                leap=int(rng.integers(1, 33)),
            )  # fmt: skip
            config = config_for(network, steps, lanes, plan)
        except InputError:
            checked.refused += 1
            continue
        config = replace(
            config,
            weight_ports=int(rng.integers(1, MAX_WEIGHT_PORTS + 1)),
            bias_store=str(rng.choice(BIAS_STORES)),
        )
        if rng.random() < 0.5:  # a larger core gives the same integers
            more, wider = log_uniform(rng, 50), int(rng.integers(0, 3))
            larger = {name: getattr(config, name) + more for name in (*MEMORIES, "steps", "rows", "maps")}
            larger |= {name: getattr(config, name) + wider for name in WIDTHS}
            config = replace(config, **larger)
        return with_weights(rng, config, network), network, steps


def with_weights(
    rng: np.random.Generator, config: StochasticNetworkConfig, network: SpikingNetwork
) -> WholeStochasticCore:
    """The core, or as often one of as much room to which a reader of any timing brings the weights."""
    program = compile_network(network, config.lanes, config.steps, streamed=True)
    weights = program.needs["weights"] + int(rng.integers(0, 4))
    widths = [wide for wide in WEIGHT_STREAMS if wide >= bits_for(weights)]
    if rng.random() < 0.5:
        return WholeStochasticCore(config)
    streamed = replace(config, weights=weights, weight_stream=int(rng.choice(widths)))
    return WholeStochasticCore(streamed, reader=random_reader(rng))


def check_core(
    core: WholeStochasticCore,
    network: SpikingNetwork,
    steps: int,
    rng: np.random.Generator,
    checked: Checked,
    images: int = 3,
) -> None:
    """Every spike and score of images in the RTL, and every cycle at full rate; then with pauses or a reset.

    Raises:
        AssertionError: an integer or a cycle differs.
    """
    checked.cores += 1
    core, shape = core.tapped(), network.shape
    pixels = rng.integers(0, 256, (images, shape.side, shape.side, shape.channels))
    pixels *= rng.random(pixels.shape) < rng.choice([0.1, 0.5, 1.0], (images, 1, 1, 1))
    job = StochasticNetworkJob(network=network, steps=steps, load=True, images=pixels.astype(np.uint8))
    ran = core.run(job, quick=True)
    compare(core, job, ran.integers, checked)
    assert ran.cycles == core.predict(job), f"cycles {ran.cycles} are not {core.predict(job)}"
    checked.cycles += ran.cycles.rows.size
    how: dict[str, Any] = {"seed": int(rng.integers(1 << 16)), "quick": True}
    names = ("i_load", "i_image", "o_score", *(["i_weights"] if core.streamed else []))
    how["pauses"] = {name: float(rng.random()) * 0.9 for name in names}
    if rng.random() < 0.5:
        how["reset_at"] = int(rng.integers(ran.result.cycles))
    compare(core, job, core.run(job, **how).integers, checked)
    checked.networks += 1


def compare(core: WholeStochasticCore, job: StochasticNetworkJob, integers: Any, checked: Checked) -> None:
    """Spikes and scores of a run with golden's.

    Raises:
        AssertionError: some differ.
    """
    comparison = core.compare(job, vars(integers))
    checked.integers += comparison.compared
    checked.different += comparison.different
    assert comparison.different == 0, f"{comparison.different} differ: {comparison.first_difference}"
