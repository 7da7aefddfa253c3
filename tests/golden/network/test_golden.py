"""Golden networks: octave code, norms, conversion, file format."""

import json
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.file import load_network, save_network
from golden.network.layers import Norm, ScoreLinear, StreamLinear
from golden.network.limits import STREAM_BITS
from golden.network.mean import reciprocal, row_mean
from golden.network.network import Network, encode_image, run_network
from golden.network.neuron import residue_constants, spike_values
from golden.network.norm import centred, row_shift
from golden.network.octave import (
    NOWHERE,
    ROOT_FRACTION_BITS,
    fire,
    geometric_levels,
    octave_code,
    resolution,
    roots,
)
from models.floating.engine import FloatEngine
from tests.golden.network.random_networks import random_network
from tests.golden.network.samples import converted, random_images, random_transformer

CODES = [
    PhaseCode(steps=t, log2_base=Fraction(*ab)) for t, *ab in ((16, 1, 2), (8, 3, 4), (24, 2, 7), (40, 1, 5))
]


@given(
    st.integers(1, (1 << 60) - 1) | st.integers(40, 60).map(lambda n: (1 << n) - 1), st.sampled_from(CODES)
)
def test_octave_code_is_the_largest_grid_point_below(value: int, code: PhaseCode) -> None:
    points = resolution(code.log2_base)
    root = [int(r) for r in roots(points)]
    place = int(octave_code(np.array([value]), points)[0])

    def reached(j: int) -> bool:
        return value << ROOT_FRACTION_BITS >= root[j % points] << (j // points)

    assert reached(place)
    assert not reached(place + 1)


def test_zero_never_fires() -> None:
    assert octave_code(np.array([0]), 16)[0] == NOWHERE


@pytest.mark.parametrize("code", CODES, ids=str)
def test_fire_is_the_falling_threshold(code: PhaseCode) -> None:
    """Against real thresholds 2**((offset + level)/R), away from the rounding of ROOT."""
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.integers(-(1 << 22), 1 << 22, 3000), rng.integers(-3000, 3000, 1000)])
    offset = 18 * resolution(code.log2_base) + 3
    spikes = fire(values, geometric_levels(code), np.array(offset), code, signed=True)
    exact = (np.log2(np.maximum(np.abs(values), 1)) - offset / resolution(code.log2_base)) / -float(
        code.log2_base
    )
    sure = np.abs(exact - np.rint(exact)) > 0.01
    expected = np.clip(np.ceil(exact), 0, code.steps)
    expected[values == 0] = code.steps
    assert (spikes.phase == expected)[sure].all()
    assert (spikes.sign == np.where(expected < code.steps, np.sign(values), 0))[sure].all()


@pytest.mark.parametrize("code", CODES, ids=str)
def test_spike_values_are_the_contract(code: PhaseCode) -> None:
    constants, values = residue_constants(code), spike_values(code)
    a, b = code.log2_base.numerator, code.log2_base.denominator
    most = a * (code.steps - 1) // b
    for phase in range(code.steps):
        assert values[phase] == int(constants[a * phase % b]) << (most - a * phase // b)
    assert values[code.steps] == 0


@given(st.integers(0, 10_000), st.floats(7, 20), st.sampled_from([1, 4, 64, 100]), st.sampled_from(CODES))
def test_deviation_bound(seed: int, log2_size: float, width: int, code: PhaseCode) -> None:
    """2**(D/R) is within 2**(-1.5/R) .. 2**(0.5/R) of the exact deviation, plus 0.5 % of rounding."""
    rng = np.random.default_rng(seed)
    stream = np.rint(rng.standard_t(3, (1, width)).clip(-8, 8) * 2**log2_size).astype(np.int64)
    exact = np.sqrt((stream.astype(float) ** 2).sum())
    if exact < 64:
        return
    points = resolution(code.log2_base)
    ratio = 2.0 ** (row_shift(stream, "rms", code)[0] / points) / exact
    assert 2 ** (-1.5 / points) * 0.995 < ratio < 2 ** (0.5 / points) * 1.005


WIDTHS = st.sampled_from([2, 3, 12, 48, 64, 100, 192, 255, 256, 384, 768]) | st.integers(2, 1024)


@given(st.integers(0, 10_000), WIDTHS, st.sampled_from([0.0, 0.9, 1.0]))
def test_mean_bound(seed: int, width: int, lean: float) -> None:
    """Within 3/4 of a unit over the whole stream, rows at its end included; exact for powers of two."""
    rng = np.random.default_rng(seed)
    limit = (1 << STREAM_BITS - 1) - 1
    stream = np.rint(limit * (lean + (1 - lean) * rng.uniform(-1, 1, (3, width)))).astype(np.int64)
    total = stream.sum(axis=-1)
    for row, mean in zip(total, row_mean(stream), strict=True):
        assert abs(4 * (mean * width - row)) < 3 * width
    if not width & (width - 1):
        assert (row_mean(stream) == (2 * total + width) // (2 * width)).all()


@pytest.mark.parametrize("width", [1, 2, 3, 48, 100, 256, 384, 1000])
def test_mean_is_one_addition_per_set_bit(width: int) -> None:
    """The order of the hardware: the low bits of the fraction first, a bit lost at each."""
    total = np.random.default_rng(width).integers(-width << 23, width << 23, 200)
    constant = reciprocal(width)
    part = np.zeros_like(total)
    for bit in range(constant.bits):
        part = (part + total * (constant.fraction >> bit & 1)) >> 1
    mean = (total + part + ((1 << constant.shift) >> 1)) >> constant.shift
    rows = np.zeros((200, width), np.int64)
    rows[:, 0] = total
    assert (row_mean(rows) == mean).all()
    assert constant.bits == 0 or constant.fraction & 1


@given(st.integers(0, 10_000), st.floats(3, 19), WIDTHS, st.sampled_from(CODES))
def test_layer_norm_bound(seed: int, log2_size: float, width: int, code: PhaseCode) -> None:
    """The mean's rounding adds at most 0.44 % to the deviation of a row of at least 8 units per channel."""
    rng = np.random.default_rng(seed)
    size = 2**log2_size
    stream = np.rint((rng.standard_t(3, (1, width)).clip(-8, 8) + rng.normal()) * size).astype(np.int64)
    exact = stream - stream.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((exact**2).sum())
    if deviation < max(64, 8 * np.sqrt(width)):
        return
    values = centred(stream, "layer")
    assert np.abs(values - exact).max() <= 0.75
    points = resolution(code.log2_base)
    ratio = 2.0 ** (row_shift(values, "layer", code)[0] / points) / deviation
    assert 2 ** (-1.5 / points) * 0.995 < ratio < 2 ** (0.5 / points) * 1.005 * 1.0044


@pytest.mark.parametrize("norm", ["rms", "layer", "batch"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_finer_codes_converge_to_the_float_network(norm: str, activation: str) -> None:
    # a width that is no power of two
    network = random_transformer(1, norm=norm, activation=activation, width=36, hidden=64, blocks=2, side=16)
    images = random_images(3, 40, 16)
    exact = network.run(images[:, None], FloatEngine())
    errors = []
    for steps, log2_base in ((16, Fraction(1, 2)), (64, Fraction(1, 7))):
        spiking = converted(network, random_images(2, 60, 16), PhaseCode(steps=steps, log2_base=log2_base))
        scores = run_network(spiking, encode_image(spiking, network.entering(images[:, None]))).scores.astype(
            float
        )
        # one unit for all classes: least squares finds it
        scores *= (scores * exact).sum() / (scores * scores).sum()
        errors.append(np.sqrt(((scores - exact) ** 2).mean() / exact.var()))
    assert errors[0] < 0.25
    # GELU keeps the spread of its negative lobe, which stays silent; its mean is in the next bias
    assert errors[1] < (0.8 if activation == "gelu" else 0.4) * errors[0]


def small_network() -> Network:
    return converted(random_transformer(1), random_images(2, 20), PhaseCode())


def test_file_round_trip(tmp_path: Path) -> None:
    network = small_network()
    save_network(tmp_path / "n.npz", network)
    again = load_network(tmp_path / "n.npz")
    patches = random_transformer(1).entering(random_images(4, 5)[:, None])
    image = encode_image(network, patches)
    assert (run_network(again, image).scores == run_network(network, image).scores).all()


def test_sizes_of_real_models() -> None:
    """512 tokens of 4,096 channels: every row is what it is alone."""
    tokens, width, code = 512, 4096, PhaseCode(steps=8)
    rng = np.random.default_rng(1)
    weight = np.zeros((width, 4), np.int16)
    weight[:, :2] = rng.integers(-127, 128, (width, 2))
    levels, zeros = geometric_levels(code), np.zeros(width, np.int64)
    layers = (
        StreamLinear(source="image", weight=weight, bias=zeros, shift=zeros, fresh=True),
        Norm(target="norm", kind="layer", offset=zeros - 96, levels=levels),
        ScoreLinear(source="norm", weight=np.ones((2, width), np.int16), bias=zeros[:2], pooled=False),
    )
    large, small = (
        Network(code=code, weight_bits=8, tokens=count, width=4, scale=1.0, layers=layers)
        for count in (tokens, 1)
    )
    image = encode_image(large, rng.standard_normal((1, tokens, 4)))
    scores = run_network(large, image).scores
    assert scores.shape == (1, tokens, 2)
    assert len(np.unique(scores)) > 50
    for row in (0, 17, tokens - 1):
        assert (run_network(small, image[:, row : row + 1]).scores[0, 0] == scores[0, row]).all()


def test_bounds_do_not_overflow() -> None:
    """1,024 rows of 4,096 inputs at the widest code would leave 64 bits on the way."""
    code = PhaseCode(steps=31, log2_base=Fraction(1))
    layer = ScoreLinear(source="image", weight=np.full((2, 4096), 127, np.int16), bias=np.zeros(2, np.int64))
    with pytest.raises(InputError, match=r"^layer 0: the potential must fit 40 bits, not 68 \(it can reach "):
        Network(code=code, weight_bits=8, tokens=1024, width=4096, scale=1.0, layers=(layer,))


@pytest.mark.parametrize("seed", range(4))
def test_a_file_holds_every_field_of_every_layer(tmp_path: Path, seed: int) -> None:
    network, image = random_network(seed)
    save_network(tmp_path / "n.npz", network)
    again = load_network(tmp_path / "n.npz")
    for one, two in zip(network.layers, again.layers, strict=True):
        assert type(one) is type(two)
        for field in fields(one):  # type: ignore[arg-type]
            a, b = getattr(one, field.name), getattr(two, field.name)
            assert type(a) is type(b)
            assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
    assert (run_network(again, image).scores == run_network(network, image).scores).all()


def rewrite(path: Path, change: dict, arrays: dict | None = None) -> None:
    """Write the small network's file with changed parts of its description and changed arrays."""
    save_network(path, small_network())
    with np.load(path) as file:
        held = {name: file[name] for name in file.files}
    description = json.loads(str(held["description"])) | change
    np.savez(path, **(held | (arrays or {}) | {"description": np.array(json.dumps(description))}))


@pytest.mark.parametrize(
    ("change", "arrays", "message"),
    [
        ({"version": 1}, {}, "version must be 4, not 1; `onespike infer` writes the file again"),
        ({"version": True}, {}, "version must be 4, not True"),
        ({"scale": 0.0}, {}, "scale must be positive and finite, not 0.0"),
        ({"scale": float("nan")}, {}, "scale must be positive and finite, not nan"),
        ({"scale": True}, {}, "scale must be a number, not True"),
        ({"scale": "x" * 5000}, {}, r"scale must be a number, not 'x{79}\.\.\. \(5002 char"),
        ({"code": {"log2_base": "1e99999999"}}, {}, "log2_base must be a fraction \"a/b\", not '1e99999999'"),
        (
            {"code": {"steps": 10**4000, "log2_base": "1/2"}},
            {},
            r"steps must be .*, not 10{79}\.\.\. \(4001 char",
        ),
        ({"tokens": 0}, {}, "tokens must be an integer in 1..1024, not 0"),
        ({"width": 9}, {}, "layer 0 must have 9 inputs, the width of 'image', not 16"),
        (
            {},
            {"layers.0.weight": np.full((16, 16), np.nan)},
            "weight must be an array of integers, not of floats",
        ),
        ({}, {"layers.0.shift": np.full(16, 32)}, "layer 0.shift must be in 0..31, not 32..32"),
        ({}, {"layers.1.levels": np.arange(16)}, "levels must start at 0 and never rise"),
        ({}, {"layers.2.levels": np.int64(3)}, r"layer 2.levels must have the shape \[16\], not \[\]"),
        ({}, {"layers.0.levels": np.int64(3)}, r"must not hold the unknown array layers.0.levels"),
        ({}, {"layers.0.weight": np.full((16, 16), 65536)}, "layer 0.weight must fit 16 bits, not 65536"),
        ({}, {"layers.3.allowed": np.full((1, 4, 4), 2)}, r"layer 3.allowed must be 0 or 1, not 2..2"),
        ({}, {"layers.0.weight": np.full((16, 16), 128)}, r"layer 0.weight must be in -127..127, not 128"),
        ({}, {"layers.3.ramp_step": np.full(2, -1)}, r"layer 3.ramp_step must be in 0..\d+, not -1..-1"),
        ({}, {"layers.3.ratio": np.zeros((2, 2), int)}, r"layer 3.ratio must be in 1..524287, not 0..0"),
        ({"layers": []}, {}, "must not hold the unknown array"),
    ],
)
def test_bad_files(tmp_path: Path, change: dict, arrays: dict, message: str) -> None:
    path = tmp_path / "n.npz"
    rewrite(path, change, arrays)
    with pytest.raises(InputError, match=message) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_description_too_deep_to_read(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    np.savez(path, description=np.array("[" * 5000 + "]" * 5000))
    with pytest.raises(InputError, match="must hold a description of a network, RecursionError"):
        load_network(path)


@pytest.mark.parametrize("keep", [0, 10, 400, -30])
def test_truncated_file(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "n.npz"
    save_network(path, small_network())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"must be a whole \.npz file"):
        load_network(path)


def test_images_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"images must be 8 x 8 pixels, not 9 x 9"):
        random_transformer(1).entering(np.ones((1, 9, 9))[:, None])
    with pytest.raises(InputError, match=r"an image must be \[..., 4, 16\], not \[1, 4, 15\]"):
        encode_image(small_network(), np.ones((1, 4, 15)))
