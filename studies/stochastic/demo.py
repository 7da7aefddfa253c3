"""Whole stochastic networks in RTL, or on a board, beside golden; or what the cycle model says of them.

    onespike stochastic demo --images 60

Classifies held-out images; every spike of every layer, and of attention, comes from the generated core.
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from energy.ledger import Ledger
from energy.stochastic_network import account
from golden.code import check_range
from golden.memory import WORD_BITS
from golden.network.reader import SDRAM
from golden.stochastic.network_config import StochasticNetworkConfig
from golden.stochastic.plan import RandomPlan
from golden.stochastic.program import config_for
from sim.board.board import Board
from sim.cores.compare import Comparison
from sim.cores.core import Core
from sim.cores.stochastic.network import StochasticNetworkJob, WholeStochasticCore
from studies.infer.cores import memory_use
from studies.stochastic.cases import Case

# Images whose spikes are priced
COUNTED_IMAGES = 40


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """What a run of a network found.

    Attributes:
        images, right: classified, and classified rightly.
        comparison: of spikes and scores with golden; a board shows scores alone. None with the cycle model,
            whose integers are golden's.
        cycles: of an inference, the mean; None on a board, which does not tell.
        wrong_cycles: inferences that did not end in the cycle that the cycle model says, where that is known.
        spiking, dense: energy of an inference, and of the same network in 8-bit multiply-accumulates.
        memory: of streamed weights, what the first inference took from the memory; None on a board, too.
        seconds: of the run.
    """

    images: int
    right: int
    comparison: Comparison | None
    cycles: float | None
    wrong_cycles: int
    spiking: Ledger
    dense: Ledger
    memory: dict[str, Any] | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain values; energy line by line."""
        ledgers = {name: getattr(self, name).to_json() for name in ("spiking", "dense")}
        compared = None if self.comparison is None else asdict(self.comparison)
        return vars(self) | ledgers | {"comparison": compared}


def core_with_memory(config: StochasticNetworkConfig) -> WholeStochasticCore:
    """A core; streamed weights come from a memory (`golden.network.reader.SDRAM`)."""
    return WholeStochasticCore(config, reader=SDRAM if config.weight_stream else None)


def demonstrate(
    case: Case,
    images: int,
    steps: int,
    seed: int,
    lanes: int,
    board: Board[Any, Any, Any] | None = None,
    *,
    modelled: bool = False,
    streamed: bool = False,
) -> Demonstration:
    """Classify the first images of the test set.

    Args:
        images: 1 to all of them.
        steps: T.
        seed, lanes: of the random-number plan and of the simulated core.
        board: that runs it instead.
        modelled: the cycle model does.
        streamed: weights of the simulated core come from a memory.

    Raises:
        InputError: a number outside its range, a network that does not fit, or there is no C++ compiler.
        LinkError: the board stopped answering.
    """
    check_range("images", images, 1, len(case.images.test))
    job = StochasticNetworkJob(network=case.network, steps=steps, load=True, images=case.images.test[:images])
    began = time.perf_counter()
    if board is None:
        wide = WORD_BITS if streamed else 0
        simulated = core_with_memory(config_for(case.network, steps, lanes, RandomPlan(seed=seed), wide))
        core: Core[Any, Any, Any] = simulated if modelled else simulated.tapped()
        times = simulated.times(job)
        predicted = times.report()
        if modelled:
            integers, report, wrong = core.compute(job), predicted, 0
        else:
            run = core.run(job)
            integers, report = run.integers, run.cycles
            wrong = int(np.count_nonzero(report.rows != predicted.rows))
        cycles, memory = float(report.durations.mean()), memory_use(times)
    else:
        core = board.core
        board.require(replace(core.config, plan=replace(core.config.plan, seed=seed)))
        integers, cycles, wrong, memory = board.run(job), None, 0, None
    seconds = time.perf_counter() - began
    spiking, dense = account(case.network, core.config, job.images[:COUNTED_IMAGES], steps)
    return Demonstration(
        images=images,
        right=int((integers.scores.argmax(axis=1) == case.images.test_labels[:images]).sum()),
        comparison=None if modelled else core.compare(job, vars(integers)),
        cycles=cycles,
        wrong_cycles=wrong,
        spiking=spiking,
        dense=dense,
        memory=memory,
        seconds=seconds,
    )
