"""Dense layers: lanes that add weights against lanes that multiply, in the sizes of one network core."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from energy import mac
from energy.ledger import Ledger
from energy.linear import potentials, unit_of
from energy.network import linear_events
from golden.code import Spikes
from golden.integer.config import MULTIPLIERS, IntegerConfig
from golden.network.config import NetworkConfig
from golden.network.layers import Linear
from golden.network.network import Network, run_network
from golden.network.rows import gathered
from golden.network.tensors import IMAGE
from hw.network.neuron_cluster import NeuronCluster
from sim.timing.linear_layer import linear_layer
from studies.rival.mac_cluster import MacCluster
from synth.alone import measure_alone
from synth.figures import DENSE

AREA = ("lut4", "flip_flops", "block_rams", "dsps")
SPIKES = "spikes"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the dense layers of a network are for lanes of one kind.

    Attributes:
        cycles_per_row: mean over the rows of all layers, broadcasts and waits for the way out.
        nanojoule: of all layers for one thing that enters, up to the sums and their scaling.
    """

    cycles_per_row: float
    nanojoule: float


def work(network: Network, config: NetworkConfig, image: Spikes | NDArray[np.int64]) -> tuple[Work, Work]:
    """Of lanes that add where a spike comes, and of lanes that multiply every value.

    Args:
        image: what enters, [images, tokens, width].
    """
    images, unit = image.shape[0], unit_of(config)
    tensors = {IMAGE: image} if isinstance(image, Spikes) else {}
    cycles, rows, ledgers = [0, 0], 0, [Ledger(), Ledger()]
    for layer, output in zip(network.layers, run_network(network, image).outputs, strict=True):
        if isinstance(layer, Linear):
            entering = gathered(tensors[layer.source], layer.gather, network.code.steps)
            fired = np.count_nonzero(entering.sign, axis=-1).ravel()
            every = np.full_like(fired, entering.shape[-1])
            for number, counts in enumerate((fired, every)):
                times = linear_layer(counts, layer.outputs, config.lanes, config.clusters)
                cycles[number] += times.linear
            rows += len(fired)
            events = linear_events(layer, entering)
            ledgers[0] += potentials(events, unit)
            ledgers[1] += mac.linear(events, unit)
        if isinstance(output, Spikes):
            tensors[layer.target] = output
    spiking, dense = (
        Work(cycles_per_row=cycles[n] / rows, nanojoule=ledgers[n].picojoule / 1e3 / images) for n in (0, 1)
    )
    return spiking, dense


def clusters(config: NetworkConfig) -> Iterator[tuple[str, Callable[[], wiring.Component], bool]]:
    """Label, what makes a middle cluster of lanes, and whether it takes DSP blocks."""
    yield SPIKES, partial(NeuronCluster, config, 1), False
    plain = replace(config.code, log2_base=Fraction(1))
    alike = replace(config, code=plain, attention=replace(config.attention, code=plain))
    for multiplier in MULTIPLIERS:
        integers = IntegerConfig(bits=config.weight_bits, multiplier=multiplier, cluster=config.cluster)
        make = partial(MacCluster, alike, 1, integers)
        yield f"{config.weight_bits} bits, {multiplier}", make, multiplier == "dsp"


def measure(config: NetworkConfig, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Label and area of each cluster alone after synthesis; the tools' files stay in the folder.

    Raises:
        InputError: a tool is missing.
        ToolError: a tool failed.
    """
    for label, make, dsp in clusters(config):
        place = folder / label.replace(", ", "-").replace(" ", "-")
        area = measure_alone(make(), {}, place, frequency=None, seed=1, dsp=dsp)
        yield label, {name: area[name] for name in AREA}


def measured() -> dict[str, dict[str, dict[str, Any]]]:
    """Areas by network and label, as `onespike dev dense --synthesise` wrote them."""
    areas: dict[str, dict[str, dict[str, Any]]] = json.loads(DENSE.read_text())
    return areas
