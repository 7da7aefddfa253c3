"""Whole networks in the compiled RTL beside golden and the cycle model."""

import numpy as np

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.network import Network
from golden.network.program import Program, check_fit
from sim.cores.network.engine import NetworkRun, run
from sim.timing.network import predict


def row_ends(measured: NetworkRun, program: Program) -> dict[str, list[int]]:
    """Cycle of the last neuron of every row, measured at the taps."""
    images = len(measured.finished)
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


def assert_integers(
    network: Network,
    config: NetworkConfig,
    image: Spikes,
    *,
    pauses: float = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    taps: bool = True,
) -> NetworkRun:
    """Run images through the RTL; every integer of every layer, without taps every score, is golden's."""
    measured = run(network, config, image, pauses=pauses, seed=seed, reset_at=reset_at, quick=True, taps=taps)
    assert measured.first_difference == ""
    assert measured.different == 0
    assert measured.compared > 0
    return measured


def assert_cycles(network: Network, config: NetworkConfig, image: Spikes, measured: NetworkRun) -> int:
    """Every image, and every row of every unit where taps show it, of a run at full rate in its predicted
    cycle; returns how many cycles that is."""
    predicted = predict(network, config, image, len(measured.result.accepted["i_load"]))
    count = len(predicted.finished) + len(predicted.begun)
    if "o_issue" in measured.result.outputs:
        ends = row_ends(measured, check_fit(network, config))
        assert ends["o_potential"] == predicted.potential
        assert ends["o_norm"] == predicted.norm
        assert ends["o_mixed"] == predicted.mixed
        assert len(measured.result.outputs["o_issue"].cycles) == predicted.broadcasts
        count += sum(map(len, ends.values()))
    assert measured.finished.tolist() == predicted.finished
    assert measured.begun.tolist() == predicted.begun
    return count


def assert_integers_and_cycles(
    network: Network, config: NetworkConfig, image: Spikes, *, reset_at: int | None = None
) -> NetworkRun:
    """Integers, and every row of every unit in its predicted cycle."""
    measured = assert_integers(network, config, image, reset_at=reset_at)
    assert_cycles(network, config, image, measured)
    return measured
