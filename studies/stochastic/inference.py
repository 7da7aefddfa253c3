"""Trained networks with their stochastic attention on an engine.

One engine serves all attention of a network: block after block, in each the images in order, in
each the heads. Its generators run on throughout, so a result belongs to a number of images.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.attention import StochasticJob, StochasticSpikes, compute
from golden.stochastic.config import StochasticConfig
from golden.stochastic.network import SpikingNetwork, Trains
from golden.stochastic.plan import RandomPlan

# Bounds of what goes through a network together: images, and numbers that a layer sees
BATCH = 250
VALUES = 1 << 24

Engine = Callable[[StochasticJob], StochasticSpikes]


def engine_config(network: SpikingNetwork, steps: int, plan: RandomPlan) -> StochasticConfig:
    """The full array for a network."""
    tokens = network.shape.tokens
    return StochasticConfig(
        tokens=tokens, head_dim=network.shape.head_dim, rows=tokens, steps=steps, plan=plan
    )


def classify(
    network: SpikingNetwork, images: NDArray[np.uint8], steps: int, plan: RandomPlan | None = None
) -> NDArray[np.int64]:
    """Classes int64 [images], all attention by the golden engine.

    Args:
        network: of either kind; the plan means nothing to LIF attention.
        images: uint8 [images, side, side, channels].
        steps: T.
        plan: random numbers; the default plan when absent.
    """
    config = engine_config(network, steps, plan or RandomPlan())
    batch = max(1, min(BATCH, VALUES // (steps * network.shape.widest)))
    classes = []
    for first in range(0, len(images), batch):

        def attend(block: int, q: Trains, k: Trains, v: Trains, first: int = first) -> Trains:
            served = (block * len(images) + first) * network.shape.heads
            return compute(StochasticJob(config=config, q=q, k=k, v=v, first_head=served)).out

        logits = network.logits(images[first : first + batch], steps, attend)
        classes.append(logits.argmax(axis=1))
    return np.concatenate(classes)


@dataclass
class ReplayedAttention:
    """Attention on an engine that can only start from reset, such as the RTL.

    Every block runs all heads of the blocks before it again, so that the generators stand where
    they would in one long run.

    Attributes:
        config: the engine.
        engine: computes a job whose first_head is 0.
        jobs, spikes: what each block gave and got, for comparison.
    """

    config: StochasticConfig
    engine: Engine
    jobs: list[StochasticJob] = field(default_factory=list)
    spikes: list[StochasticSpikes] = field(default_factory=list)

    def __call__(self, block: int, q: Trains, k: Trains, v: Trains) -> Trains:
        served = sum(job.heads for job in self.jobs)
        self.jobs.append(StochasticJob(config=self.config, q=q, k=k, v=v, first_head=served))
        q, k, v = (np.concatenate([getattr(job, n) for job in self.jobs], axis=1) for n in "qkv")
        spikes = self.engine(StochasticJob(config=self.config, q=q, k=k, v=v))
        self.spikes.append(StochasticSpikes(score=spikes.score[:, served:], out=spikes.out[:, served:]))
        return self.spikes[-1].out
