"""Whole random networks through the compiled RTL: every integer and every cycle."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.config import NetworkConfig
from golden.network.network import Network, encode_image
from golden.network.program import check_fit, config_for, joint_config
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.hw.network.compare import assert_integers, assert_integers_and_cycles, core_and_job
from tests.hw.network.random_cores import SMALL, Checked, Scale, check_core, kinds_of, random_core

# Two blocks, three norms, both activations; more passes than one, an odd number of clusters; head descriptors
# that may wait in the attention core
SHAPES: dict[str, tuple[dict[str, Any], PhaseCode, dict[str, int], int]] = {
    "rms": ({"blocks": 2}, PhaseCode(), {"lanes": 16, "cluster": 4}, 4),
    "layer": (
        {"norm": "layer", "activation": "gelu", "blocks": 1, "hidden": 40},
        PhaseCode(steps=8, log2_base=Fraction(3, 4)),
        {"lanes": 12, "cluster": 4},
        4,
    ),
    # no width is a power of two
    "layer of 36": (
        {"norm": "layer", "width": 36, "heads": 3, "blocks": 2, "hidden": 50, "stride": 2, "classes": 7},
        PhaseCode(),
        {"lanes": 18, "cluster": 3},
        4,
    ),
    "batch": (
        {"norm": "batch", "heads": 4, "stride": 2, "hidden": 16},
        PhaseCode(steps=24, log2_base=Fraction(2, 7)),
        {"lanes": 8, "cluster": 8},
        2,
    ),
}
IMAGES = 3
# Seeds of random cores that compile fast: one token and one step; clusters of one lane, and an attention core
# made for more tokens than it has lanes; 27 steps and potentials of 40 bits; layers that read older spikes
DRAWN = [*((seed, SMALL) for seed in (54, 46, 57)), (1, replace(SMALL, held=True))]
# Windows of every size, biases and masks, one and several terms in a word
WINDOWED = replace(SMALL, tokens=9, networks=4, held=True, windows=True)
# Rows by index with windows; hidden neurons of hidden neurons and scores in parts; streams that enter
GENERAL = replace(SMALL, networks=4, general=True)
GENERALLY = [(155, replace(GENERAL, held=True, windows=True)), (162, replace(GENERAL, windows=True))]
GENERALLY += [(285, replace(GENERAL, held=True))]
# Numbers of tokens, also of rows by index, biases and causal masks
COUNTED = [(seed, replace(GENERAL, tokens=7, windows=True, counts=True)) for seed in (22, 58)]

# Two drains and two rows in the norm unit, of rows by index and numbers of tokens too
BESIDE = [(seed, replace(SMALL, beside=True)) for seed in (18,)]
BESIDE += [
    (22, replace(GENERAL, beside=True)),
    (24, replace(GENERAL, windows=True, counts=True, beside=True)),
]


def sample(name: str, seed: int = 1) -> tuple[Network, NetworkConfig, Spikes]:
    shape, code, size, queued = SHAPES[name]
    floating = random_transformer(seed, **shape)
    network = converted(floating, random_images(seed + 1, 20), code)
    image = encode_image(network, floating.entering(random_images(seed + 2, IMAGES)[:, None]))
    # an image without any spike, and one that saturates
    image.sign[1] = 0
    image.phase[1] = code.steps
    image.sign[2], image.phase[2] = 1, 0
    config = config_for(network, **size)
    return network, replace(config, attention=replace(config.attention, queued_heads=queued)), image


@pytest.mark.parametrize("name", SHAPES)
def test_integers_and_cycles(name: str) -> None:
    assert assert_integers_and_cycles(*sample(name)) > 1000


def test_reset_in_the_middle() -> None:
    """A reset of one cycle, in any part of loading or of an inference, leaves nothing behind."""
    network, config, image = sample("rms")
    total = assert_integers(network, config, image)[0].result.cycles
    for cycle in np.linspace(1, total - 2, 40).astype(int):
        assert_integers_and_cycles(network, config, image, reset_at=int(cycle))


def test_images_of_two_jobs_in_turn() -> None:
    """The network is loaded once; each job gets its own integers, and the times are those of one job."""
    network, config, image = sample("rms")
    core, job = core_and_job(network, config, image)
    parts = [replace(job, image=image[:1]), replace(job, load=False, image=image[1:])]
    runs = core.run_in_turn(parts, quick=True)
    for part, ran in zip(parts, runs, strict=True):
        assert core.compare(part, vars(ran.integers)).first_difference is None
    together = core.predict(job)
    assert [*runs[0].cycles.heads, *runs[1].cycles.heads] == together.heads.tolist()
    assert runs[0].cycles.since == together.since < runs[1].cycles.since


@pytest.mark.parametrize(
    ("seed", "scale"), [*DRAWN, (56, WINDOWED), (35, WINDOWED), *GENERALLY, *COUNTED, *BESIDE]
)
def test_a_random_core(seed: int, scale: Scale) -> None:
    """Drawn from everything that is accepted, small; many more, and larger ones, in `make soak-network`."""
    checked = Checked()
    check_core(random_core(seed, scale), seed, checked)
    assert checked.networks == scale.networks
    assert checked.cycles > 0


def test_any_three_kinds_of_random_cores_meet() -> None:
    """In each of their eight ways, in sixteen seeds of `make soak-network`."""
    drawn = [kinds_of(seed) for seed in range(1024, 1040)]
    for three in combinations(drawn[0], 3):
        assert len({tuple(kinds[kind] for kind in three) for kinds in drawn}) == 8


def test_windows_and_numbers_of_tokens_of_a_converted_network() -> None:
    """Heads back to back share a mask; then a causal network of any number of tokens on the same core."""
    floating = random_transformer(1, heads=4, stride=2)
    network = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(3, IMAGES)[:, None]))
    rng, tokens, size = np.random.default_rng(3), network.tokens, network.tokens // 3
    allowed = np.ones((3, size, size), bool)
    allowed[1:, 0, 1:] = allowed[1:, 1:, 0] = False  # as in shifted windows
    windows = attending(network, groups=3, bias=rng.integers(-30000, 30000, (4, size, size)), allowed=allowed)
    bias = rng.integers(-30000, 30000, (4, tokens, tokens))
    causal = attending(network, bias=bias, allowed=np.tri(tokens, dtype=bool)[None])
    config = replace(joint_config([windows, causal], lanes=16, cluster=4), token_counts=True)
    assert_integers_and_cycles(windows, config, image)
    counts = np.array([tokens, 1, tokens - 2])
    assert assert_integers_and_cycles(causal, config, image, tokens=counts) > 1000


def test_a_head_waits_for_room_in_the_queues() -> None:
    """Heads of one token and one feature catch up with those before, which still hold both places."""
    _, config, _ = sample("batch")
    floating = random_transformer(1, side=2, patch=2, stride=2, width=4, heads=4, hidden=1, classes=2)
    network = converted(floating, random_images(2, 20, side=2), config.code)
    image = encode_image(network, floating.entering(random_images(3, 1, side=2)[:, None]))
    assert_integers_and_cycles(network, config, image)


def attending(network: Network, **fields: Any) -> Network:
    """The network with other fields of its attention."""
    layers = (replace(n, **fields) if isinstance(n, Attention) else n for n in network.layers)
    return replace(network, layers=tuple(layers))


@pytest.mark.parametrize("seed", range(4))
def test_other_weights_on_the_same_core(seed: int) -> None:
    """One core, other networks that fit it, pauses on every stream."""
    _, config, _ = sample("rms")
    network, _, image = sample("rms", seed=10 * seed + 50)
    assert_integers(network, config, image, pauses=0.4, seed=seed)


def test_a_smaller_network_on_the_same_core() -> None:
    _, config, _ = sample("rms")
    floating = random_transformer(7, width=8, heads=1, hidden=10, blocks=1, classes=3, norm="layer")
    network = converted(floating, random_images(8, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(9, 2)[:, None]))
    assert_integers_and_cycles(network, config, image)


def test_a_network_that_does_not_fit_is_refused() -> None:
    _, config, _ = sample("rms")
    large = converted(random_transformer(3, hidden=64), random_images(4, 20), PhaseCode())
    with pytest.raises(InputError, match=r"the network needs features = 64, this core has 24"):
        check_fit(large, config)


def test_a_core_for_several_networks() -> None:
    networks = [
        converted(random_transformer(seed, hidden=hidden, norm=norm), random_images(2, 20), PhaseCode())
        for seed, hidden, norm in ((1, 12, "rms"), (2, 30, "batch"))
    ]
    config = joint_config(networks, lanes=8, cluster=4)
    assert config.features == 30
    for network in networks:
        check_fit(network, config)
