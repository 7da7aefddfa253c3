"""Networks in closed form beside the same networks number by number and step by step."""

import numpy as np
import pytest

from golden.code import Spikes
from golden.errors import InputError
from golden.network.network import Network, run_network
from tests.golden.network.literal import Literal, rows_of
from tests.golden.network.random_networks import random_network


def assert_literal(network: Network, image: Spikes, tokens: np.ndarray | None) -> None:
    outputs = run_network(network, image, tokens=tokens).outputs
    for number in range(image.shape[0]):
        count = network.tokens if tokens is None else int(tokens[number])
        literals = Literal(network).run(image[number], count)
        for index, (made, literal) in enumerate(zip(outputs, literals, strict=True)):
            part = made[number]
            found = rows_of(part) if isinstance(part, Spikes) else part.tolist()
            assert found == literal, f"layer {index}: {type(network.layers[index]).__name__}"


@pytest.mark.parametrize("seed", range(40))
def test_every_layer_is_the_literal_one(seed: int) -> None:
    assert_literal(*random_network(seed), None)


@pytest.mark.parametrize("seed", range(100, 140))
def test_so_it_is_with_a_number_of_tokens_per_image(seed: int) -> None:
    network, image = random_network(seed)
    tokens = np.random.default_rng(seed).integers(1, network.tokens + 1, image.shape[0])
    assert_literal(network, image, tokens)


@pytest.mark.parametrize("seed", range(5))
def test_all_tokens_are_what_an_image_has(seed: int) -> None:
    network, image = random_network(seed)
    whole = run_network(network, image)
    counted = run_network(network, image, tokens=np.full(image.shape[0], network.tokens))
    assert (whole.scores == counted.scores).all()


def test_numbers_of_tokens_that_no_image_has() -> None:
    network, image = random_network(3)
    for tokens in (0, network.tokens + 1):
        with pytest.raises(InputError, match=rf"^tokens must be in 1..{network.tokens}, not "):
            run_network(network, image, tokens=np.full(image.shape[0], tokens))
    with pytest.raises(InputError, match=r"^tokens must have the shape "):
        run_network(network, image, tokens=np.ones(image.shape[0] + 1, int))
