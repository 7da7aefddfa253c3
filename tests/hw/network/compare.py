"""Whole networks in the compiled RTL beside golden and the cycle model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.network import Network
from golden.network.program import check_fit
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers
from sim.cores.rtl import Run

NetworkRun = Run[NetworkIntegers]
Entry = Spikes | NDArray[np.int64]


def row_ends(measured: NetworkRun, program: Program) -> dict[str, list[int]]:
    """Cycle of the last neuron of every row, measured at the taps."""
    images = len(measured.integers.scores)
    ends = {
        "o_potential": [op.outputs for op in program.linear for _ in range(1 if op.pooled else op.rows)],
        "o_norm": [op.width for op in program.norm for _ in range(op.rows)],
        "o_mixed": [op.features for op in program.attention for _ in range(op.tokens)],
    }
    return {
        name: measured.result.outputs[name]
        .cycles.reshape(images, -1)[:, np.cumsum(sizes) - 1]
        .reshape(-1)
        .tolist()
        for name, sizes in ends.items()
    }


def core_and_job(
    network: Network, config: NetworkConfig, image: Entry, *, taps: bool = True
) -> tuple[WholeNetworkCore, NetworkJob]:
    return WholeNetworkCore(config, taps=taps), NetworkJob(network=network, load=True, image=image)


def assert_integers(
    network: Network, config: NetworkConfig, image: Entry, *, taps: bool = True, **how: Any
) -> tuple[NetworkRun, int]:
    """Run images through the RTL; every integer of every layer, without taps every score, is golden's.

    Returns:
        The run, and how many integers were compared.
    """
    core, job = core_and_job(network, config, image, taps=taps)
    measured = core.run(job, quick=True, **how)
    comparison = core.compare(job, vars(measured.integers))
    assert comparison.first_difference is None
    assert comparison.compared > 0
    return measured, comparison.compared


def assert_cycles(network: Network, config: NetworkConfig, image: Entry, measured: NetworkRun) -> int:
    """Every image, and every row of every unit where taps show it, of a run at full rate in its predicted
    cycle; returns how many cycles that is."""
    core, job = core_and_job(network, config, image)
    predicted = core.times(job)
    count = len(predicted.finished) + len(predicted.begun)
    if "o_issue" in measured.result.outputs:
        ends = row_ends(measured, check_fit(network, config))
        assert ends["o_potential"] == predicted.potential
        assert ends["o_norm"] == predicted.norm
        assert ends["o_mixed"] == predicted.mixed
        assert len(measured.result.outputs["o_issue"].cycles) == predicted.broadcasts
        count += sum(map(len, ends.values()))
    assert measured.cycles == core.predict(job)
    assert measured.cycles.heads.tolist() == predicted.finished
    begun = measured.result.accepted["i_image"].reshape(image.shape[0], -1)[:, 0]
    assert begun.tolist() == predicted.begun
    return count


def assert_integers_and_cycles(
    network: Network, config: NetworkConfig, image: Entry, *, reset_at: int | None = None
) -> int:
    """Integers, and every row of every unit in its predicted cycle; returns how many integers."""
    measured, compared = assert_integers(network, config, image, reset_at=reset_at)
    assert_cycles(network, config, image, measured)
    return compared
