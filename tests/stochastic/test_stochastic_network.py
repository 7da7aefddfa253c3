import contextlib

import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.attention import compute
from golden.stochastic.network import (
    THRESHOLD,
    NetworkShape,
    SpikingNetwork,
    lif_attention,
    load_network,
    patches,
)
from golden.stochastic.plan import RandomPlan
from studies.stochastic.inference import ReplayedAttention, classify, engine_config

SHAPE = NetworkShape(side=6, channels=2, patch=4, stride=2, width=6, heads=2, depth=2, hidden=5, classes=3)


def network(kind):
    rng = np.random.default_rng(0)
    arrays = {"position": rng.integers(-20, 20, (4, 6)).astype(np.int16)}
    sizes = {"embed": (6, 32), "classes": (3, 6)}
    for block in range(2):
        sizes |= {f"block{block}_{n}": (6, 6) for n in "qkvo"}
        sizes |= {f"block{block}_up": (5, 6), f"block{block}_down": (6, 5)}
    for name, size in sizes.items():
        arrays[f"{name}_weight"] = rng.integers(-40, 80, size).astype(np.int8)
        arrays[f"{name}_bias"] = rng.integers(-10, 40, size[0]).astype(np.int16)
    return SpikingNetwork(shape=SHAPE, kind=kind, arrays=arrays)


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


def test_replayed_engine_equals_one_long_run():
    # Every block again from reset gives what the generators give when they run on
    net, plan = network("ssa"), RandomPlan(seed=5)
    attention = ReplayedAttention(engine_config(net, 6, plan), compute)
    logits = net.logits(images(7), 6, attention)
    np.testing.assert_array_equal(logits.argmax(axis=1), classify(net, images(7), 6, plan))
    for job, spikes in zip(attention.jobs, attention.spikes, strict=True):
        np.testing.assert_array_equal(spikes.out, compute(job).out)


def test_classes_do_not_depend_on_the_batch(monkeypatch):
    net = network("ssa")
    whole = classify(net, images(9), 5)
    monkeypatch.setattr("studies.stochastic.inference.BATCH", 4)
    np.testing.assert_array_equal(classify(net, images(9), 5), whole)


def test_patches_overlap():
    cells = patches(images(1), SHAPE)
    np.testing.assert_array_equal(cells[0, 1], images(1)[0, 0:4, 2:6].reshape(-1))
    assert cells.shape == (1, SHAPE.tokens, SHAPE.patch_pixels)


def test_lif_attention_of_ones():
    # 3 tokens, 2 features: 3*2 coincidences at a quarter threshold each fire at once
    ones = np.ones((2, 1, 3, 2), dtype=bool)
    assert lif_attention(ones, ones, ones).all()
    assert not lif_attention(ones, ones, ~ones).any()


def test_network_file(tmp_path):
    net = network("lif")
    path = tmp_path / "net.npz"
    np.savez(path, kind="lif", shape=list(vars(SHAPE).values()), **net.arrays)
    loaded = load_network(path)
    assert (loaded.shape, loaded.kind) == (SHAPE, "lif")
    np.testing.assert_array_equal(loaded.logits(images(2), 3), net.logits(images(2), 3))


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_bad_network_file(tmp_path, content):
    path = tmp_path / "net.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"net\.npz: (cannot be read|must be a whole .npz)"):
        load_network(path)


def file_of(path, **changed):
    arrays = {"kind": "lif", "shape": list(vars(SHAPE).values())} | network("lif").arrays | changed
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
