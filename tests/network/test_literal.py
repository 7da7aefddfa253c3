"""Networks in closed form beside the same networks number by number and step by step."""

import pytest

from golden.code import Spikes
from golden.network.network import run_network
from tests.network.literal import Literal, rows_of
from tests.network.random_networks import random_network


@pytest.mark.parametrize("seed", range(20))
def test_every_layer_is_the_literal_one(seed: int) -> None:
    network, image = random_network(seed)
    outputs = run_network(network, image).outputs
    for number in range(image.shape[0]):
        for index, (made, literal) in enumerate(
            zip(outputs, Literal(network).run(image[number]), strict=True)
        ):
            part = made[number]
            found = rows_of(part) if isinstance(part, Spikes) else part.tolist()
            assert found == literal, f"layer {index}: {type(network.layers[index]).__name__}"
