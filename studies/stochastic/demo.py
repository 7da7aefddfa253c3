"""The shipped digits network with its attention in RTL.

    onespike stochastic demo --images 60

Classifies handwritten digits; every attention spike comes from the generated engine, simulated by
Verilator, and is compared with the golden model's.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from golden.code import check_range
from golden.errors import InputError
from golden.stochastic.network import load_network
from golden.stochastic.plan import RandomPlan
from models import shipped
from sim.cores.stochastic.core import StochasticCore
from studies.data.datasets import load_images
from studies.stochastic.inference import ReplayedAttention, engine_config

WEIGHTS = Path(shipped.__file__).parent / "weights" / "ssa_digits.npz"


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """What a run of the network found.

    Attributes:
        images, right: classified, and classified rightly.
        spikes, wrong: of scores and outputs, compared with the golden model, and different.
        cycles: of the engine for all attention of all images.
        seconds: of the run.
    """

    images: int
    right: int
    spikes: int
    wrong: int
    cycles: int
    seconds: float


def demonstrate(images: int, steps: int, seed: int, weights: Path = WEIGHTS) -> Demonstration:
    """Classify the first images of the test set.

    Args:
        images: 1 to all of them.
        steps: T.
        seed: of the random-number plan.
        weights: a network for the digits with stochastic attention.

    Raises:
        InputError: a number outside its range, a bad network, or there is no C++ compiler.
    """
    network = load_network(weights)
    if network.kind != "ssa":
        raise InputError(f"{weights}: network must be of kind ssa, not {network.kind}")
    config = engine_config(network, steps, RandomPlan(seed=seed))
    data = load_images("digits")
    check_range("images", images, 1, len(data.test))
    began = time.perf_counter()
    core = StochasticCore(config).tapped()
    attention = ReplayedAttention(config, lambda job: core.run(job).integers)
    classes = network.logits(data.test[:images], steps, attention).argmax(axis=1)
    seconds = time.perf_counter() - began
    found = [
        core.compare(job, vars(spikes)) for job, spikes in zip(attention.jobs, attention.spikes, strict=True)
    ]
    return Demonstration(
        images=images,
        right=int((classes == data.test_labels[:images]).sum()),
        spikes=sum(comparison.compared for comparison in found),
        wrong=sum(comparison.different for comparison in found),
        cycles=network.shape.depth * (core.predict(attention.jobs[0]).total + 1),
        seconds=seconds,
    )
