"""Programs of the core for stochastic networks: what is refused, and the least sizes."""

from dataclasses import replace

import numpy as np
import pytest

from golden.convolution import Convolution
from golden.errors import InputError
from golden.stochastic.descriptors import Kind
from golden.stochastic.network import NetworkShape, SpikingNetwork
from golden.stochastic.network_config import from_table, to_table
from golden.stochastic.program import bit_planes, check_fit, compile_network, config_for

SHAPE = NetworkShape(side=6, channels=2, patch=4, stride=2, width=8, heads=2, depth=1, hidden=5, classes=9)


def network(shape: NetworkShape = SHAPE, kind: str = "ssa", value: int = 3) -> SpikingNetwork:
    arrays = {name: np.full(size, value, dtype) for name, (dtype, size) in shape.arrays.items()}
    return SpikingNetwork(shape=shape, kind=kind, arrays=arrays)


def test_order_of_layers() -> None:
    program = compile_network(network(), lanes=4, steps=3)
    kinds = [op.kind for op in program.layers]
    stream = [Kind.spikes, Kind.stream, Kind.spikes, Kind.stream]
    assert kinds == [Kind.entry, *stream, *[Kind.scores] * 3]  # nine classes on four lanes
    assert [op.outputs for op in program.layers[-3:]] == [4, 4, 1]
    assert [op.attend for op in program.layers] == [False, True, *[False] * 6]
    assert [op.final for op in program.layers] == [*[False] * 7, True]
    assert program.reads[1:5] == ["embed", "block0_attention", "block0_o", "block0_up"]


def test_a_stem_reads_rows_by_index() -> None:
    """6 x 6 pixels -> 6 x 6 maps of 5 -> 3 x 3 of 3 -> 2 x 2 tokens: who reads what, and where it stands."""
    stem = (
        Convolution(outputs=5, kernel=1, stride=1, padding=0),
        Convolution(outputs=3, kernel=3, stride=2, padding=1),
    )
    shape = replace(SHAPE, stem=stem, patch=2, stride=1)
    program, steps = compile_network(network(shape), lanes=4, steps=3), 3
    first, second, embed = program.layers[:3]
    assert [op.kind for op in program.layers[:3]] == [Kind.entry, Kind.spikes, Kind.spikes]
    assert [(op.rows, op.begins, op.indexed) for op in program.layers[:3]] == [
        (36, False, False), (9, False, True), (4, True, True)
    ]  # fmt: skip
    # two words for five neurons, so that a tap is eight weights, three of which are nothing
    assert (second.tap_words, second.words, second.inputs) == (2, 18, 72)
    assert (second.source, second.target, embed.source) == (first.target, 0, 0)
    assert embed.target == first.target != 0
    assert (second.map, embed.map, len(program.maps)) == (0, 9 * 9, 9 * 9 + 4 * 4)
    # a layer behind the stem points at no list: where a full memory ends is no address of it
    assert not any(op.map for op in program.layers[3:])
    starts, there = program.maps[: 9 * 9].reshape(9, 9, 2).transpose(2, 0, 1)
    np.testing.assert_array_equal(there[0], [0, 0, 0, 0, 1, 1, 0, 1, 1])
    assert starts[0, 5] == second.source + 1 * steps * 2
    assert program.needs["rows"] == 36
    assert compile_network(network(), 4, 3).needs["maps"] == 0


def test_largest_sums_fit_just() -> None:
    """Widths follow from the weights: of the stream three layers add up."""
    assert compile_network(network(value=1), lanes=4, steps=3).needs["stream_bits"] == 8  # of the threshold
    # embedding: 32 weights, bias and position; projection: 8 and a bias; of the hidden neurons 5 and a bias
    largest = compile_network(network(value=127), lanes=4, steps=3).needs
    currents = 127 * (34 + 9 + 6)
    assert largest["stream_bits"] == currents.bit_length() + 1
    pixels = (2 * 127 << 8) + 255 * 32 * 127 + 128
    assert largest["accumulator_bits"] == pixels.bit_length() + 1
    # the first layer's are stored with half a unit
    assert largest["bias_bits"] == (2 * (2 * 127) + 1).bit_length() + 1


def test_biases_of_pixels() -> None:
    """Doubled seven times more, they are biases in units of 2**-8 of a current, and half a unit."""
    program = compile_network(network(value=3), lanes=4, steps=3)
    entry, following, *_ = program.layers
    assert entry.kind is Kind.entry
    assert (program.biases[entry.bias : following.bias] << 7 == (2 * 3 << 8) + 128).all()
    assert (program.biases[following.bias :] == 3).any()


def test_queries_lie_behind_what_attention_makes() -> None:
    """In the part of the image, which is over then: 4 tokens of 8 planes and 8 words, or of 3 steps."""
    program = compile_network(network(), lanes=4, steps=3)
    tokens, steps, heads, hidden, qkv, width = 4, 3, 2, 2, 6, 2
    assert program.heads.target == 0
    assert program.heads.source == tokens * steps * max(heads, hidden)
    image, attended = tokens * 8 * 8, tokens * steps * (max(heads, hidden) + qkv)
    assert program.layers[1].source == max(image, attended)
    assert program.needs["spikes"] == max(image, attended) + tokens * steps * width


def test_pixels_as_bits() -> None:
    image = np.arange(72, dtype=np.uint8).reshape(1, 6, 6, 2)
    planes = bit_planes(network(), image)
    assert planes.shape == (1, 4, 8, 32)
    values = (planes * (128 >> np.arange(8))[:, None]).sum(axis=2)
    np.testing.assert_array_equal(values[0, 3], image[0, 2:, 2:].reshape(-1))


def test_table() -> None:
    config = config_for(network(), steps=3, lanes=4)
    assert from_table(to_table(config), "table") == config
    for broken in (to_table(config) | {"more": 1}, {"tokens": 4}):
        with pytest.raises(InputError, match="table: must hold the sizes of a core for stochastic networks"):
            from_table(broken, "table")
    with pytest.raises(InputError, match=r"table: StochasticNetworkConfig\.lanes must be a power of two"):
        from_table(to_table(config) | {"lanes": 12}, "table")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("lanes", 257, "lanes must be an integer in 1..256, not 257"),
        ("lanes", 6, "lanes must be a power of two, not 6"),
        ("weight_ports", 0, "weight_ports must be an integer in 1..2, not 0"),
        ("weight_ports", 3, "weight_ports must be an integer in 1..2, not 3"),
        ("bias_store", "ram", "bias_store must be one of block, distributed, not 'ram'"),
        ("lanes", 2, "head_dim must be an integer in 1..2, not 4"),
        ("head_dim", 3, "head_dim must be a power of two, not 3"),
        ("rows", 3, "rows must be an integer in 4..1048576, not 3"),
        ("maps", -1, "maps must be an integer in 0..1048576, not -1"),
        ("spikes", 0, "spikes must be an integer in 1..1048576, not 0"),
        ("stream_bits", 7, "stream_bits must be an integer in 8..32, not 7"),
        ("accumulator_bits", 9, "accumulator_bits must be an integer in 10..64, not 9"),
    ],
)
def test_bad_sizes(name: str, value: int | str, says: str) -> None:
    config = replace(config_for(network(), steps=3, lanes=4), stream_bits=10)
    with pytest.raises(InputError) as error:
        replace(config, **{name: value})
    assert str(error.value) == f"StochasticNetworkConfig.{says}"


def test_what_no_core_runs() -> None:
    with pytest.raises(InputError, match="has ssa attention, not lif"):
        compile_network(network(kind="lif"), 4, 3)
    with pytest.raises(InputError, match="head_dim must be a power of two, not 3"):
        config_for(network(replace(SHAPE, width=6)), 3, 4)
    config = config_for(network(), steps=3, lanes=4)
    with pytest.raises(InputError, match=r"the network must have tokens = 4 for this core, not 9"):
        check_fit(network(replace(SHAPE, patch=2)), 3, config)
    for field in ("spikes", "weights", "biases", "layers", "stream", "accumulator_bits", "bias_bits"):
        smaller = replace(config, **{field: getattr(config, field) - 1})
        with pytest.raises(InputError, match=f"the network needs {field} = "):
            check_fit(network(), 3, smaller)
    with pytest.raises(InputError, match="the network needs steps = 4, this core has 3"):
        check_fit(network(), 4, config)
