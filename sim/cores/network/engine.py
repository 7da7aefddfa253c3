"""Runs whole networks through the generated RTL, compiled by Verilator, beside golden."""

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.descriptors import feature_of
from golden.network.layers import Attention, Linear
from golden.network.network import Network, run_network
from golden.network.program import Program, check_fit
from golden.network.tensors import IMAGE
from hw.network.core import NetworkCore
from sim.cores.attention.driver import spike_beats
from sim.cores.network.loading import load_beats
from sim.verilator.build import build
from sim.verilator.payload import Fields
from sim.verilator.simulator import Pauses, Result, Simulator

# Cycles without a transfer after which a run is given up; without taps a whole inference may pass
STALL, LONG_STALL = 100_000, 1 << 22


@cache
def simulator(config: NetworkConfig, quick: bool = False, taps: bool = True) -> Simulator:
    """Simulator of a network core, with its taps or without; `quick` as in `sim.verilator.build.build`."""
    parameters = {name: str(value) for name, value in asdict(config).items()}

    def core() -> NetworkCore:
        return NetworkCore(config, taps=taps)

    return build(core, "network_core", parameters=parameters | {"taps": taps}, quick=quick)


def image_beats(image: Spikes) -> Fields:
    """Beats of i_image of spikes [images, tokens, pixels]."""
    last, end = np.zeros(image.shape, np.int64), np.zeros(image.shape, np.int64)
    last[..., -1] = 1
    end[:, -1, -1] = 1
    flat = Spikes(image.sign.reshape(-1), image.phase.reshape(-1))
    return {"spike": spike_beats(flat), "last": last.reshape(-1), "end": end.reshape(-1)}


@dataclass(frozen=True)
class Neurons:
    """Every integer that the taps show for some images, in the order of the hardware, per image.

    Attributes:
        potential: int64 [images, n], every neuron of the linear layers.
        norm, mixed: spikes [images, n], of norms and attention.
        broadcasts: int64 [images], cycles in which a spike (or a silent row) is broadcast.
    """

    potential: NDArray[np.int64]
    norm: Spikes
    mixed: Spikes
    broadcasts: NDArray[np.int64]


def golden_neurons(network: Network, program: Program, image: Spikes) -> Neurons:
    """What golden says the taps show."""
    outputs = run_network(network, image).outputs
    tensors: dict[str, Spikes] = {IMAGE: image}
    ops = iter(program.linear)
    images = image.shape[0]
    broadcasts = np.zeros(images, np.int64)
    shown: list[NDArray[np.int64]] = []
    norms: list[Spikes] = []
    mixed: list[Spikes] = []
    for layer, output in zip(network.layers, outputs, strict=True):
        if isinstance(layer, Linear):
            value = layer.potentials(tensors[layer.source], network.code)
            left = layer.outputs
            while left:
                op = next(ops)
                slot = program.table[op.table : op.table + op.outputs, 2]
                part, feature = feature_of(slot)
                shown.append(value[..., part * (layer.outputs // 3) + feature].reshape(images, -1))
                left -= op.outputs
                spikes = np.count_nonzero(tensors[layer.source].sign, axis=-1)
                broadcasts += op.passes * np.maximum(spikes, 1).sum(axis=-1)
        elif isinstance(layer, Attention):
            assert isinstance(output, Spikes)
            split = (images, network.tokens, layer.heads, -1)
            arrays = (
                a.reshape(split).swapaxes(1, 2).reshape(images, -1) for a in (output.sign, output.phase)
            )
            mixed.append(Spikes(*arrays))
        else:
            assert isinstance(output, Spikes)
            norms.append(Spikes(output.sign.reshape(images, -1), output.phase.reshape(images, -1)))
        if isinstance(output, Spikes):
            tensors[layer.target] = output
    return Neurons(np.concatenate(shown, axis=1), joined(norms), joined(mixed), broadcasts)


def joined(parts: list[Spikes]) -> Spikes:
    return Spikes(
        np.concatenate([p.sign for p in parts], axis=1), np.concatenate([p.phase for p in parts], axis=1)
    )


@dataclass(frozen=True)
class NetworkRun:
    """Integers and times of images that went through the RTL.

    Attributes:
        scores: int64 [images, classes].
        compared, different: integers of all layers, beside golden.
        first_difference: where they part, one line, or "".
        begun: cycle in which the first pixel of each image was accepted, int64 [images].
        finished: cycle in which the last score of each image left, int64 [images].
        result: beats and cycles of all streams.
    """

    scores: NDArray[np.int64]
    compared: int
    different: int
    first_difference: str
    begun: NDArray[np.int64]
    finished: NDArray[np.int64]
    result: Result


def run(
    network: Network,
    config: NetworkConfig,
    image: Spikes,
    *,
    pauses: Pauses = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    quick: bool = False,
    taps: bool = True,
) -> NetworkRun:
    """Load a network and run images [images, tokens, pixels] one after the other.

    Args:
        pauses, seed, reset_at: see `sim.verilator.simulator.Simulator.run`.
        quick: see `sim.verilator.build.build`.
        taps: without, the core is the one that is exported, and class scores are all that is seen.

    Raises:
        InputError: the network does not fit the core.
    """
    program = check_fit(network, config)
    want = golden_neurons(network, program, image)
    images = image.shape[0]
    expect = {
        "o_score": images * network.classes,
        "o_potential": want.potential.size,
        "o_norm": want.norm.sign.size,
        "o_mixed": want.mixed.sign.size,
        "o_issue": int(want.broadcasts.sum()),
    }
    if not taps:
        expect = {"o_score": expect["o_score"]}
    inputs = {"i_load": load_beats(program, config), "i_image": image_beats(image)}
    result = simulator(config, quick, taps).run(
        inputs,
        expect,
        pauses=pauses,
        seed=seed,
        reset_at=reset_at,
        stall=STALL if taps else LONG_STALL,
    )
    compared = different = 0
    first = ""

    def compare(name: str, got: NDArray[np.int64], wanted: NDArray[np.integer]) -> None:
        nonlocal compared, different, first
        unequal = np.flatnonzero(got.reshape(-1) != wanted.reshape(-1))
        if len(unequal) and not first:
            at = int(unequal[0])
            place, inside = divmod(at, wanted.size // images)
            cycle = result.outputs[name].cycles[at]
            first = (
                f"cycle {cycle}, {name}, image {place}, neuron {inside}: "
                f"{got.reshape(-1)[at]} instead of {wanted.reshape(-1)[at]}"
            )
        compared += wanted.size
        different += len(unequal)

    if taps:
        compare("o_potential", result["o_potential"], want.potential)
    for name, spikes in (("o_norm", want.norm), ("o_mixed", want.mixed)) if taps else ():
        spike = result[name]["entry"]["spike"]
        active = spike["active"] == 1
        compare(name, np.where(active, 1 - 2 * spike["negative"], 0), spikes.sign)
        compare(name, np.where(active, spike["phase"], network.code.steps), spikes.phase)
    scores = result["o_score"]["value"].reshape(images, -1)
    compare("o_score", scores, want.potential[:, -network.classes :])
    return NetworkRun(
        scores=scores,
        compared=compared,
        different=different,
        first_difference=first,
        begun=result.accepted["i_image"].reshape(images, -1)[:, 0],
        finished=result.outputs["o_score"].cycles.reshape(images, -1)[:, -1],
        result=result,
    )
