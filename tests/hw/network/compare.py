"""Whole networks in the compiled RTL beside golden and the cycle model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.descriptors import AttentionOp, LinearOp, NormOp
from golden.network.network import Network
from golden.network.program import check_fit
from golden.network.reader import ReaderTiming
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.network.neurons import NetworkIntegers, beside
from sim.cores.rtl import Run

NetworkRun = Run[NetworkIntegers]
Entry = Spikes | NDArray[np.int64]
Tokens = NDArray[np.int64] | None
Reader = ReaderTiming | None


def row_ends(
    measured: NetworkRun, program: Program, config: NetworkConfig, counts: NDArray[np.int64]
) -> dict[str, list[int]]:
    """Cycle of the last neuron of every row that is there, measured at the taps; `counts` tokens an image."""

    def rows(op: LinearOp | NormOp | AttentionOp, number: int, tokens: int) -> range:
        pooled = isinstance(op, LinearOp) and op.pooled
        return range(1 if pooled else number - (program.tokens - tokens) * op.counted)

    ends = {
        "o_potential": [
            int((~beside(op, config)).sum())
            for n in counts
            for op in program.linear
            for _ in rows(op, op.rows, n)
        ],
        "o_norm": [op.width for n in counts for op in program.norm for _ in rows(op, op.rows, n)],
        "o_mixed": [op.features for n in counts for op in program.attention for _ in rows(op, op.tokens, n)],
    }
    return {
        name: measured.result.outputs[name].cycles[np.cumsum(sizes) - 1].tolist()
        for name, sizes in ends.items()
    }


def core_and_job(
    network: Network, config: NetworkConfig, image: Entry, *, taps: bool = True, tokens: Tokens = None,
    reader: Reader = None,
) -> tuple[WholeNetworkCore, NetworkJob]:  # fmt: skip
    job = NetworkJob(network=network, load=True, image=image, tokens=tokens)
    return WholeNetworkCore(config, taps=taps, reader=reader), job


def assert_integers(
    network: Network,
    config: NetworkConfig,
    image: Entry,
    *,
    taps: bool = True,
    tokens: Tokens = None,
    reader: Reader = None,
    **how: Any,
) -> tuple[NetworkRun, int]:
    """Run images through the RTL; every integer of every layer, without taps every score, is golden's.

    Returns:
        The run, and how many integers were compared.
    """
    core, job = core_and_job(network, config, image, taps=taps, tokens=tokens, reader=reader)
    measured = core.run(job, quick=True, **how)
    comparison = core.compare(job, vars(measured.integers))
    assert comparison.first_difference is None
    assert comparison.compared > 0
    return measured, comparison.compared


def assert_cycles(
    network: Network, config: NetworkConfig, image: Entry, measured: NetworkRun, tokens: Tokens = None,
    reader: Reader = None,
) -> int:  # fmt: skip
    """Every image, and every row of every unit where taps show it, of a run at full rate in its predicted
    cycle; returns how many cycles that is."""
    core, job = core_and_job(network, config, image, tokens=tokens, reader=reader)
    predicted = core.times(job)
    count = len(predicted.finished) + len(predicted.begun)
    if "o_issue" in measured.result.outputs:
        ends = row_ends(measured, check_fit(network, config), config, job.counts)
        assert ends["o_potential"] == predicted.potential
        assert ends["o_norm"] == predicted.norm
        assert ends["o_mixed"] == predicted.mixed
        assert len(measured.result.outputs["o_issue"].cycles) == predicted.broadcasts
        count += sum(map(len, ends.values()))
    assert measured.cycles == core.predict(job)
    assert measured.cycles.heads.tolist() == predicted.finished
    first = (np.cumsum(job.counts) - job.counts) * image.shape[-1]
    begun = measured.result.accepted["i_image"][first]
    assert begun.tolist() == predicted.begun
    return count


def assert_integers_and_cycles(
    network: Network,
    config: NetworkConfig,
    image: Entry,
    *,
    reset_at: int | None = None,
    tokens: Tokens = None,
    reader: Reader = None,
) -> int:
    """Integers, and every row of every unit in its predicted cycle; returns how many integers."""
    more = {"tokens": tokens, "reader": reader}
    measured, compared = assert_integers(network, config, image, reset_at=reset_at, **more)
    assert_cycles(network, config, image, measured, **more)
    return compared
