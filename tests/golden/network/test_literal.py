"""Networks in closed form beside the same networks number by number and step by step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.layers import Norm, ScoreLinear
from golden.network.network import Network, encode_image, encode_stream, first_rows, run_network
from golden.network.octave import geometric_levels
from tests.golden.network.literal import Literal, rows_of
from tests.golden.network.random_networks import Drawer, random_network
from tests.golden.network.rooms import Room

STREAM_ROWS = np.array([[[0, 1, -2], [1000, -1000, 14]]])


def assert_literal(network: Network, image: Spikes | np.ndarray, tokens: np.ndarray | None) -> None:
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


def plain_network(seed: int) -> tuple[Network, Spikes | np.ndarray]:
    """Without maps of rows; attention has a bias and a mask in which each row may attend itself."""
    rng = np.random.default_rng(seed)
    room = Room(
        code=PhaseCode(), weight_bits=6, lanes=8, tokens=6, features=8, head_dim=3, heads=2, wide=False,
        held=True, streams=True,
    )  # fmt: skip
    network, entry = Drawer(rng, room).draw()
    rows = network.tokens
    layers = tuple(
        replace(
            layer,
            bias=rng.integers(-900, 900, (layer.heads, rows, rows)),
            allowed=(rng.random((1, rows, rows)) < 0.6) | np.eye(rows, dtype=bool),
        )
        if isinstance(layer, Attention)
        else layer
        for layer in network.layers
    )
    return replace(network, layers=layers), entry


@pytest.mark.parametrize("seed", range(20))
def test_the_network_of_fewer_rows_is_that_of_so_many_tokens(seed: int) -> None:
    network, entry = plain_network(seed)
    rows = max(1, network.tokens - 2)
    fewer = first_rows(network, rows)
    first = (
        Spikes(entry.sign[:, :rows], entry.phase[:, :rows]) if isinstance(entry, Spikes) else entry[:, :rows]
    )
    among = run_network(network, entry, tokens=np.full(entry.shape[0], rows)).outputs
    alone = run_network(fewer, first).outputs
    for whole, part in zip(among, alone, strict=True):
        if isinstance(whole, Spikes) and isinstance(part, Spikes):
            assert (whole.sign[:, :rows] == part.sign).all()
            assert (whole.phase[:, :rows] == part.phase).all()
        else:
            assert np.array_equal(whole[:, :rows] if whole.ndim == 3 else whole, part)  # type: ignore[index, union-attr, arg-type]


def test_windows_have_no_first_rows() -> None:
    layer = next(
        layer for seed in range(40) for layer in random_network(seed)[0].layers
        if isinstance(layer, Attention) and layer.groups > 1
    )  # fmt: skip
    with pytest.raises(InputError, match=r"^rows are in \d windows, which have no first ones"):
        layer.first_rows(1)


def stream_network(**changes: Any) -> Network:
    """Two rows of three channels enter, are coded and scored."""
    zeros, levels = np.zeros(3, np.int64), geometric_levels(PhaseCode())
    fields: dict[str, Any] = {
        "code": PhaseCode(), "weight_bits": 8, "tokens": 2, "width": 3, "scale": 0.5, "entry": "stream",
        "limit": 1000,
        "layers": (
            Norm(target="norm", kind="layer", offset=zeros, levels=levels),
            ScoreLinear(source="norm", weight=np.eye(3, dtype=np.int16), bias=zeros),
        ),
    }  # fmt: skip
    return Network(**(fields | changes))


def test_a_stream_that_enters() -> None:
    network = stream_network()
    assert (encode_stream(network, np.array([[[0.2, 0.3, -1], [1e6, -1e6, 7]]])) == STREAM_ROWS).all()
    assert_literal(network, STREAM_ROWS, None)
    assert network.shapes().residual == 1000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limit": 0}, r"^Network.limit must be an integer in 1..8388607, not 0"),
        ({"limit": 1 << 23}, r"^Network.limit must be an integer in 1..8388607, not 8388608"),
        ({"entry": "image"}, r"^Network.limit must be an integer in 0..0, not 1000"),
        ({"entry": "video"}, r"^Network.entry must be one of image, stream, not 'video'"),
    ],
)
def test_entries_that_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        stream_network(**changes)


def test_what_does_not_enter() -> None:
    network, spikes = stream_network(), Spikes(np.ones((1, 2, 3), np.int8), np.zeros((1, 2, 3), np.int8))
    with pytest.raises(InputError, match=r"^this network must be given the stream, not spikes"):
        run_network(network, spikes)
    with pytest.raises(InputError, match=r"^this network must be given the stream, not an image"):
        encode_image(network, np.ones((1, 2, 3)))
    with pytest.raises(InputError, match=r"^the stream that enters must be in -1000..1000, not -1000..1001"):
        run_network(network, STREAM_ROWS + (STREAM_ROWS == 1000))
    with pytest.raises(InputError, match=r"^the stream that enters must have the shape \[1, 2, 3\], not"):
        run_network(network, STREAM_ROWS[:, :1])
    with pytest.raises(InputError, match=r"^vectors must be finite"):
        encode_stream(network, np.full((2, 3), np.nan))
