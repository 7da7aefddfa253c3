"""Inferences of trained networks with the golden engine.

One engine serves the attention of a network: in every inference its generators start at the seed, and
run on from block to block, in each from head to head. So what comes of an image hangs on the image, the
number of time steps and the plan alone, not on what was classified before.
"""

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.attention import attend, draws
from golden.stochastic.config import StochasticConfig
from golden.stochastic.network import Observer, SpikingNetwork, Trains
from golden.stochastic.plan import RandomPlan

# Bounds of what goes through a network together: images, and numbers that a layer sees
BATCH = 250
VALUES = 1 << 24


def engine_config(network: SpikingNetwork, steps: int, plan: RandomPlan) -> StochasticConfig:
    """The full array for a network."""
    tokens = network.shape.tokens
    return StochasticConfig(
        tokens=tokens, head_dim=network.shape.head_dim, rows=tokens, steps=steps, plan=plan
    )


def infer(
    network: SpikingNetwork,
    images: NDArray[np.uint8],
    steps: int,
    plan: RandomPlan,
    observe: Observer = lambda name, trains: None,
) -> NDArray[np.int64]:
    """Class scores int64 [images, classes] of images that go through the network together.

    Args:
        network: of either kind; the plan means nothing to LIF attention.
        images: uint8 [images, side, side, channels].
        steps: T.
        plan: random numbers.
        observe: see `SpikingNetwork.logits`.
    """
    config = engine_config(network, steps, plan)
    heads = network.shape.heads

    def attention(block: int, *trains: Trains) -> Trains:
        score, output = (drawn[:, None] for drawn in draws(config, block * heads, heads, steps))
        q, k, v = (train.reshape(steps, -1, heads, *train.shape[2:]) for train in trains)
        _, out = attend(q, k, v, score, output, config)
        return out.reshape(trains[0].shape)

    return network.logits(images, steps, attention, observe)


def classify(
    network: SpikingNetwork, images: NDArray[np.uint8], steps: int, plan: RandomPlan | None = None
) -> NDArray[np.int64]:
    """Classes int64 [images] of any number of images; the default plan when absent."""
    batch = max(1, min(BATCH, VALUES // (steps * network.shape.widest)))
    parts = np.split(images, range(batch, len(images), batch))
    return np.concatenate(
        [infer(network, part, steps, plan or RandomPlan()).argmax(axis=1) for part in parts]
    )
