import contextlib
from pathlib import Path

import numpy as np
import pytest

from golden.convolution import Convolution, gather_rows
from golden.errors import InputError
from golden.stochastic.attention import StochasticJob, compute
from golden.stochastic.inference import classify, engine_config, infer
from golden.stochastic.network import (
    SHAPES,
    THRESHOLD,
    NetworkShape,
    SpikingNetwork,
    lif_attention,
    load_network,
    network_arrays,
)
from golden.stochastic.plan import RandomPlan

SHAPE = NetworkShape(side=6, channels=2, patch=4, stride=2, width=6, heads=2, depth=2, hidden=5, classes=3)


# 6 x 6 pixels -> 6 x 6 -> 3 x 3 -> 2 x 2 tokens
STEM = NetworkShape(
    side=6, channels=2, width=6, heads=2, depth=1, hidden=5, classes=3, patch=2, stride=2, padding=1,
    stem=(
        Convolution(outputs=4, kernel=3, stride=1, padding=1),
        Convolution(outputs=5, kernel=3, stride=2, padding=1),
    ),
)  # fmt: skip


def network(kind, shape=SHAPE):
    rng = np.random.default_rng(0)
    low = {"position": -20, "weight": -40, "bias": -10}
    high = {"position": 20, "weight": 80, "bias": 40}
    arrays = {}
    for name, (dtype, size) in shape.arrays.items():
        part = name.split("_")[-1]
        arrays[name] = rng.integers(low[part], high[part], size).astype(dtype)
    return SpikingNetwork(shape=shape, kind=kind, arrays=arrays)


def images(count):
    return np.random.default_rng(1).integers(0, 256, (count, 6, 6, 2)).astype(np.uint8)


def neuron(currents):
    """One LIF neuron in plain integers: tau = 2."""
    v, train = 0, []
    for x in currents:
        v = v - v // 2 + int(x)
        train.append(v >= THRESHOLD)
        v = 0 if train[-1] else v
    return np.array(train)


def fire(currents):
    return np.apply_along_axis(neuron, 0, currents)


def test_lif_network_by_definition():
    net, pixels, steps = network("lif"), images(2), 5
    a = {name: array.astype(np.int64) for name, array in net.arrays.items()}
    for image, logits in zip(pixels, net.logits(pixels, steps), strict=True):
        cells = [image[y : y + 4, x : x + 4].reshape(-1) for y in (0, 2) for x in (0, 2)]
        current = (np.array(cells).astype(np.int64) @ a["embed_weight"].T + 128) // 256
        current = current + a["embed_bias"] + a["position"]
        residual = np.stack([current] * steps)

        def layer(name, spikes):
            return spikes.astype(np.int64) @ a[f"{name}_weight"].T + a[f"{name}_bias"]

        for block in ("block0", "block1"):
            spikes = fire(residual)
            q, k, v = (fire(layer(f"{block}_{n}", spikes)).astype(np.int64) for n in "qkv")
            heads = []
            for h in range(2):
                part = slice(3 * h, 3 * h + 3)
                heads.append(
                    fire(q[..., part] @ k[..., part].swapaxes(1, 2) @ v[..., part] * (THRESHOLD // 4))
                )
            residual = residual + layer(f"{block}_o", np.concatenate(heads, axis=-1))
            hidden = fire(layer(f"{block}_up", fire(residual)))
            residual = residual + layer(f"{block}_down", hidden)
        counts = fire(residual).sum(axis=(0, 1))
        expected = a["classes_weight"] @ counts + a["classes_bias"] * steps * 4
        np.testing.assert_array_equal(logits, expected)


def test_heads_reach_the_engine_and_return():
    seen = []

    def attend(block, q, k, v):
        seen.append((block, q.shape))
        return v

    net = network("ssa")
    net.logits(images(3), 4, attend)
    assert seen == [(0, (4, 6, 4, 3)), (1, (4, 6, 4, 3))]
    trains = np.random.default_rng(0).random((4, 3, 4, 6)) < 0.5
    heads = net._heads(trains)
    np.testing.assert_array_equal(heads[:, 3], trains[:, 1, :, 3:])
    np.testing.assert_array_equal(net._tokens(heads), trains)


def test_generators_start_at_the_seed_in_every_inference():
    # Of one image the engine runs on from block to block; of several each is as if it were alone
    net, plan = network("ssa"), RandomPlan(seed=5)
    config, heads = engine_config(net, 6, plan), net.shape.heads

    def attend(block, q, k, v):
        return compute(StochasticJob(config=config, q=q, k=k, v=v, first_head=block * heads)).out

    alone = [net.logits(image[None], 6, attend)[0] for image in images(5)]
    np.testing.assert_array_equal(infer(net, images(5), 6, plan), alone)
    np.testing.assert_array_equal(np.argmax(alone, axis=1), classify(net, images(5), 6, plan))


def test_spikes_are_observed_by_name():
    seen = {}
    infer(network("ssa"), images(2), 3, RandomPlan(), seen.__setitem__)
    block = [("q", 6), ("k", 6), ("v", 6), ("attention", 6), ("o", 6), ("up", 5), ("down", 6)]
    expected = {f"block{b}_{name}": (3, 2, 4, size) for b in range(2) for name, size in block}
    assert {name: trains.shape for name, trains in seen.items()} == {"embed": (3, 2, 4, 6)} | expected


@pytest.mark.parametrize(("bound", "value"), [("BATCH", 4), ("VALUES", 1), ("VALUES", 5000)])
def test_classes_do_not_depend_on_the_batch(bound, value, monkeypatch):
    net = network("ssa")
    whole = classify(net, images(9), 5)
    monkeypatch.setattr(f"golden.stochastic.inference.{bound}", value)
    np.testing.assert_array_equal(classify(net, images(9), 5), whole)


@pytest.mark.parametrize("name", ["cifar10", "cifar10-small"])
def test_shipped_networks_with_a_stem(name):
    path = Path("models/shipped/weights") / f"ssa_{name}.npz"
    assert path.stat().st_size < 1_000_000
    net = load_network(path)
    assert (net.shape, net.kind) == (SHAPES[name], "ssa")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    assert net.shape.widest == 256 * 9 * 32  # rows, taps and features that the second convolution sees
    assert classify(net, pixels, 2).shape == (2,)


def test_patches_overlap():
    rows = images(1).reshape(1, 36, 2)
    cells = gather_rows(rows, SHAPE.embedding.gather(6))
    np.testing.assert_array_equal(cells[0, 1], images(1)[0, 0:4, 2:6].reshape(-1))
    assert cells.shape == (1, SHAPE.tokens, 32)


def test_rows_of_a_convolution():
    # 3 x 3 on 4 x 4 pixels, every second: the second row of the output begins in line 1
    gather = Convolution(outputs=1, kernel=3, stride=2, padding=1).gather(4)
    assert gather.tolist() == [
        [-1, -1, -1, -1, 0, 1, -1, 4, 5],
        [-1, -1, -1, 1, 2, 3, 5, 6, 7],
        [-1, 4, 5, -1, 8, 9, -1, 12, 13],
        [5, 6, 7, 9, 10, 11, 13, 14, 15],
    ]


def convolved(pixels, weight, layer):
    """Sums of a convolution of [side, side, inputs], weights [outputs, taps * inputs], pixel by pixel."""
    padded = np.pad(pixels.astype(np.int64), ((layer.padding,) * 2, (layer.padding,) * 2, (0, 0)))
    places = range(0, len(padded) - layer.kernel + 1, layer.stride)
    cells = [[padded[y : y + layer.kernel, x : x + layer.kernel].reshape(-1) for x in places] for y in places]
    return np.array(cells) @ weight.astype(np.int64).T


def test_stem_by_definition():
    net, steps = network("lif", STEM), 6
    a = net.arrays
    for image, currents in zip(images(3), net.embed(images(3), steps).swapaxes(0, 1), strict=True):
        current = ((convolved(image, a["stem0_weight"], STEM.stem[0]) + 128) >> 8) + a["stem0_bias"]
        spikes = fire(np.stack([current] * steps))
        for name, layer in (("stem1", STEM.stem[1]), ("embed", STEM.embedding)):
            current = np.stack([convolved(s, a[f"{name}_weight"], layer) for s in spikes]) + a[f"{name}_bias"]
            spikes = fire(current)
        assert 0 < spikes.mean() < 1
        np.testing.assert_array_equal(currents, current.reshape(steps, 4, 6) + a["position"])


def test_lif_attention_of_ones():
    # 3 tokens, 2 features: 3*2 coincidences at a quarter threshold each fire at once
    ones = np.ones((2, 1, 3, 2), dtype=bool)
    assert lif_attention(ones, ones, ones).all()
    assert not lif_attention(ones, ones, ~ones).any()


@pytest.mark.parametrize("shape", [SHAPE, STEM])
def test_network_file(tmp_path, shape):
    net = network("lif", shape)
    path = tmp_path / "net.npz"
    np.savez(path, **network_arrays(net))
    loaded = load_network(path)
    assert (loaded.shape, loaded.kind) == (shape, "lif")
    np.testing.assert_array_equal(loaded.logits(images(2), 3), net.logits(images(2), 3))


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_bad_network_file(tmp_path, content):
    path = tmp_path / "net.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"net\.npz: (cannot be read|must be a whole .npz)"):
        load_network(path)


def file_of(path, **changed):
    arrays = network_arrays(network("lif")) | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


SIZES = "shape must be the integers side, channels, patch, stride, width, heads, depth, hidden, classes"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"kind": None}, "must hold the array kind, it is absent"),
        ({"kind": "sum"}, "SpikingNetwork.kind must be ssa or lif, not 'sum'"),
        ({"shape": [1, 2]}, SIZES),
        ({"shape": [6.5] * 9}, SIZES),
        ({"stem": np.zeros((2, 3), int)},
         "stem must be rows of the integers outputs, kernel, stride, padding"),
        ({"stem": [[2, 3, 1, 3]]}, "Convolution.padding must be an integer in 0..2, not 3"),
        ({"stem": [[2, 7, 1, 0]]}, "Convolution.kernel must be at most side + 2 * padding (6), not 7"),
        ({"stem": [[4096, 3, 1, 1], [4, 6, 1, 0]]},
         "NetworkShape.stem must give at most 131072 inputs, not 147456"),
        ({"padding": [1]}, "padding must be one integer"),
        ({"padding": 4}, "NetworkShape.padding must be an integer in 0..3, not 4"),
        ({"extra": 1}, "SpikingNetwork.arrays must not hold 'extra', which the shape has no place for"),
        ({"block1_q_bias": None}, "SpikingNetwork.arrays must hold block1_q_bias, it is absent"),
        ({"position": np.zeros((4, 5), np.int16)}, "SpikingNetwork.arrays: position must be int16 [4, 6], "
         "not int16 [4, 5]"),
        ({"embed_weight": np.zeros((6, 32))}, "SpikingNetwork.arrays: embed_weight must be int8 [6, 32], "
         "not float64 [6, 32]"),
    ],
)  # fmt: skip
def test_file_of_another_network(tmp_path, changed, rule):
    path = file_of(tmp_path / "net.npz", **changed)
    with pytest.raises(InputError) as error:
        load_network(path)
    assert str(error.value) == f"{path}: {rule}"


def test_damaged_file(tmp_path):
    path = file_of(tmp_path / "net.npz")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[-int(rng.integers(1, 2000))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            load_network(path)
    for end in range(0, len(whole), len(whole) // 20):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"must be a whole \.npz file"):
            load_network(path)


def test_file_without_shape(tmp_path):
    np.savez(tmp_path / "net.npz", q=1)
    with pytest.raises(InputError, match="must hold the array shape"):
        load_network(tmp_path / "net.npz")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"heads": 4}, "NetworkShape.heads must divide width (6), not 4"),
        ({"stride": 3}, "NetworkShape.patch and stride must tile side 6, not 4 and 3"),
        ({"channels": 40}, "NetworkShape.patch must give at most 514 pixels in all colours, not 640"),
        ({"depth": 0}, "NetworkShape.depth must be an integer in 1..4096, not 0"),
    ],
)
def test_bad_shape(fields, message):
    with pytest.raises(InputError) as error:
        NetworkShape(**(vars(SHAPE) | fields))
    assert str(error.value) == message
