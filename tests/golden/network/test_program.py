"""What a core accepts: order and names of layers, sizes; and the descriptors that follow."""

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.compiler import Program
from golden.network.layers import Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.network import Network
from golden.network.program import check_fit, compile_network, config_for
from golden.network.tensors import Layer
from sim.cores.network.beats import load_beats
from tests.hw.network.random_cores import SMALL, random_core

CODE = PhaseCode(steps=6)
TOKENS, WIDTH, LANES = 3, 4, 6


def linear(source: str, target: str, inputs: int, outputs: int, weight: int = 1, **fields: bool) -> Linear:
    zeros = np.zeros(outputs, np.int64)
    common = {"source": source, "weight": np.full((outputs, inputs), weight, np.int16), "bias": zeros}
    if target == "stream":
        return StreamLinear(**common, shift=zeros, **fields)
    if target == "scores":
        return ScoreLinear(**common)
    return SpikingLinear(**common, target=target, offset=zeros, levels=np.zeros(CODE.steps, np.int64))


def attention(source: str, target: str, heads: int) -> Attention:
    step, ratio = np.full(heads, 5, np.int64), np.full((heads, 2), 1000, np.int64)
    return Attention(source=source, target=target, heads=heads, ramp_step=step, ratio=ratio)


def norm(target: str) -> Norm:
    levels = np.zeros(CODE.steps, np.int64)
    return Norm(target=target, kind="rms", offset=np.zeros(WIDTH, np.int64), levels=levels)


def network(*layers: Layer, code: PhaseCode = CODE) -> Network:
    return Network(code=code, weight_bits=4, tokens=TOKENS, width=WIDTH, scale=1.0, layers=layers)


# Two heads at a time fill six lanes: two descriptors for q, k and v of four heads
HEADS, HEAD_DIM = 4, 3
QKV = 3 * HEADS * HEAD_DIM
TO_STREAM = linear("mixed", "stream", HEADS * HEAD_DIM, WIDTH, fresh=True)
SCORES = linear("norm", "scores", WIDTH, 2)


def attended(*before: Layer, source: str = "image", inputs: int = WIDTH) -> Network:
    """Layers, then q, k, v of what they made, attention, the stream, a norm and scores."""
    qkv = linear(source, "qkv", inputs, QKV)
    return network(*before, qkv, attention("qkv", "mixed", HEADS), TO_STREAM, norm("norm"), SCORES)


def same(left: Program, right: Program) -> bool:
    return all(np.array_equal(getattr(left, f.name), getattr(right, f.name)) for f in fields(Program))


@pytest.mark.parametrize("seed", range(10))
def test_names_mean_nothing(seed: int) -> None:
    """Spikes of all layers under one name, or each under its own: the same program."""
    core = random_core(seed, SMALL)
    for drawn, _ in core.networks:
        programs = []
        for name in ("qkv{}", "qkv"):
            layers: list[Layer] = []
            for index, layer in enumerate(drawn.layers):
                keeps = layer.target in ("stream", "scores")
                named = layer if keeps else replace(layer, target=name.format(index))
                if not isinstance(named, Norm) and index:
                    named = replace(named, source=layers[-1].target)
                layers.append(named)
            renamed = replace(drawn, layers=tuple(layers))
            programs.append(check_fit(renamed, core.config))
        assert same(*programs)


def test_the_image_is_kept_for_all_its_readers() -> None:
    """The next image may come in when the last group of heads has read this one."""
    program = compile_network(attended(), LANES)
    assert [op.release for op in program.linear] == [0, 1, 0, 0]


def test_attention_waits_for_all_readers_of_what_it_overwrites() -> None:
    """q, k and v made of attention outputs: the second attention begins when none of those is needed."""
    first = (linear("image", "qkv", WIDTH, 3 * WIDTH), attention("qkv", "mixed", 1))
    program = compile_network(attended(*first, source="mixed"), LANES)
    rows = 3 * TOKENS  # of the first layer, and of two groups of the second
    assert [op.wait for op in program.attention] == [TOKENS - 1, *HEADS * [rows - 1]]


def post_norm(*before_stream: Layer) -> Network:
    """The stream is set anew from a norm, whose spikes enter the next q, k, v."""
    first = linear("image", "stream", WIDTH, WIDTH, fresh=True)
    anew = linear("norm", "stream", WIDTH, WIDTH, fresh=True)
    qkv, attend = linear("norm", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS)
    add = linear("mixed", "stream", HEADS * HEAD_DIM, WIDTH)
    return network(first, norm("norm"), *before_stream, anew, qkv, attend, add, norm("norm"), SCORES)


def test_a_norm_after_the_sum_is_read_twice() -> None:
    program = compile_network(post_norm(), LANES)
    assert [(op.source.name, op.target.name, op.fresh, op.wait) for op in program.linear] == [
        ("image", "stream", True, 0),
        ("norm", "stream", True, 0),
        *2 * [("norm", "qkv", False, 0)],
        ("mixed", "stream", False, HEADS * TOKENS - TOKENS),
        ("norm", "scores", False, TOKENS),
    ]


def test_the_stream_waits_for_the_norm_that_reads_it() -> None:
    """A layer that reads the image would not: nothing of the norm has been read before."""
    with pytest.raises(InputError, match=r"^layer 2: 'norm' must be read before the stream changes$"):
        compile_network(post_norm(linear("image", "stream", WIDTH, WIDTH)), LANES)
    hidden = linear("norm", "hidden", WIDTH, 2)
    compile_network(post_norm(hidden, linear("image", "stream", WIDTH, WIDTH)), LANES)


def test_codes_wait_for_the_attention_that_reads_them() -> None:
    qkv, attend = linear("image", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS)
    with pytest.raises(InputError, match=r"^layer 2: 'mixed' must be read before the next q, k and v$"):
        compile_network(network(qkv, attend, *attended().layers), LANES)
    with pytest.raises(InputError, match=r"^layer 2: 'mixed' must be read before the next q, k and v$"):
        compile_network(
            network(
                qkv,
                attend,
                replace(qkv, target="mixed"),
                replace(attend, source="mixed"),
                *attended().layers[2:],
            ),
            LANES,
        )


def test_spikes_that_nothing_reads_are_refused() -> None:
    layers = (*attended().layers[:-1], linear("mixed", "scores", HEADS * HEAD_DIM, 2))
    with pytest.raises(InputError, match=r"^a layer must read 'norm', which none does$"):
        compile_network(network(*layers), LANES)


def test_spikes_that_were_overwritten_are_refused() -> None:
    layers = (*attended().layers[:-1], linear("qkv", "scores", QKV, 2))
    with pytest.raises(InputError, match=r"^layer 4: source must be spikes that are still held \(image, "):
        compile_network(network(*layers), LANES)


def test_a_name_means_what_was_made_last_under_it() -> None:
    """q, k and v under the name of the norm: its memory holds other spikes than that name."""
    first, again = linear("image", "stream", WIDTH, WIDTH, fresh=True), linear("norm", "scores", QKV, 2)
    read = linear("norm", "hidden", WIDTH, 2)
    qkv, attend = linear("image", "norm", WIDTH, QKV), attention("norm", "mixed", HEADS)
    layers = (first, norm("norm"), read, qkv, attend, linear("mixed", "x", HEADS * HEAD_DIM, 2), again)
    with pytest.raises(InputError, match=r"^layer 6: source must be spikes that are still held \(image, "):
        compile_network(network(*layers), LANES)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"groups": 2}, "^layer 1.groups must divide the 3 rows of 'qkv', not 2$"),
        ({"groups": 0}, "^layer 1.groups must divide the 3 rows of 'qkv', not 0$"),
        ({"groups": 3, "bias": np.zeros((4, 3, 3), int)}, r"^layer 1.bias must have the shape \[4, 1, 1\]"),
        ({"bias": np.full((4, 3, 3), 1 << 51)}, r"^layer 1.bias must be in -\d+..2251799813685247, not"),
        ({"allowed": np.zeros((1, 3, 3), bool)}, "^layer 1.allowed must allow at least one key in each row$"),
        ({"allowed": np.ones((2, 3, 3), bool)}, r"^layer 1.allowed must have the shape \[1, 3, 3\]"),
    ],
)
def test_groups_that_do_not_fit_their_rows(fields: dict, message: str) -> None:
    qkv, attend = linear("image", "qkv", WIDTH, QKV), replace(attention("qkv", "mixed", HEADS), **fields)
    with pytest.raises(InputError, match=message):
        network(qkv, attend, TO_STREAM, norm("norm"), SCORES)


@pytest.mark.parametrize(
    ("gather", "message"),
    [
        ([[0, 3]], r"layer 0.gather must be in -1..2, not 0..3"),
        ([0], r"layer 0.gather must be \[1..\d+ rows, taps\], not \[1\]"),
        (np.zeros((3, 0), int), r"layer 0.gather must be \[1..\d+ rows, taps\], not \[3, 0\]"),
        ([[0, 1]], r"layer 0 must have 8 inputs, 2 times the width of 'image', not 4"),
        ([[0], [0]], r"layer 2 must have the shape of the stream"),
    ],
)
def test_maps_that_lead_nowhere(gather: list, message: str) -> None:
    qkv = replace(linear("image", "qkv", WIDTH, QKV), gather=np.array(gather))
    first = linear("image", "stream", WIDTH, WIDTH, fresh=True)
    again = replace(linear("qkv", "stream", QKV, WIDTH))
    with pytest.raises(InputError, match=message):
        network(qkv, first, again, norm("norm"), SCORES)


def test_attention_without_its_linear_layer_is_refused() -> None:
    wide = replace(norm("norm"), offset=np.zeros(3, np.int64))
    stream = linear("image", "stream", WIDTH, 3, fresh=True)
    layers = (stream, wide, attention("norm", "mixed", 1), linear("mixed", "scores", 1, 2))
    with pytest.raises(InputError, match="layer 2: attention must follow the linear layer"):
        compile_network(network(*layers), LANES)


@pytest.mark.parametrize("name", ["image", "stream", "scores"])
def test_spikes_under_a_name_with_a_meaning_are_refused(name: str) -> None:
    qkv, att = linear("image", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS)
    with pytest.raises(InputError, match=f"layer 3.target must not be '{name}'"):
        network(qkv, att, TO_STREAM, norm(name), SCORES)
    with pytest.raises(InputError, match=f"layer 1.target must not be '{name}'"):
        network(qkv, replace(att, target=name), TO_STREAM, norm("norm"), SCORES)


def test_scores_before_the_last_layer_are_refused() -> None:
    with pytest.raises(InputError, match="layer 4: the last layer, and no other, must make 'scores'"):
        replace(attended(), layers=(*attended().layers, SCORES))


@pytest.mark.parametrize(("steps", "log2_base"), [(32, 1), (64, 2)])
def test_a_code_beyond_the_word_of_potentials_is_refused(steps: int, log2_base: int) -> None:
    """31 octaves, and 126, whose values do not fit 64 bits."""
    code = PhaseCode(steps=steps, log2_base=Fraction(log2_base))
    message = "code must fall by at most 30 octaves from its first phase to its last"
    with pytest.raises(InputError, match=f"Network.{message}"):
        replace(attended(), code=code)
    core = CoreConfig(code=code, lanes=4, tokens=4, cluster=4, bias=False, mask=False, output="codes")
    with pytest.raises(InputError, match=f"NetworkConfig.{message}"):
        replace(config_for(attended()), code=code, attention=core)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": True}, "attention.bias must be False, not True"),
        ({"mask": True}, "attention.mask must be False, not True"),
        ({"taps": True}, "attention.taps must be False, not True"),
        ({"output": "both"}, "attention.output must be 'codes', not 'both'"),
        ({"code": PhaseCode()}, "attention.code must be the code"),
    ],
)
def test_an_attention_core_of_no_use_is_refused(change: dict, message: str) -> None:
    config = config_for(attended())
    with pytest.raises(InputError, match=f"NetworkConfig.{message}"):
        replace(config, attention=replace(config.attention, **change))


@pytest.mark.parametrize(
    ("lanes", "cluster", "most"), [(64, 8, 2), (2, 1, 2), (64, 64, 1), (60, 6, 1), (48, 8, 1), (1, 1, 1)]
)
def test_two_drains_need_halves_of_the_lanes(lanes: int, cluster: int, most: int) -> None:
    """Whole clusters in each half, and a bit of a neuron's number that tells the halves apart."""
    config = config_for(attended(), lanes, cluster)
    assert (config.drains, config.norm_rows) == ((most, 2) if lanes >= 64 else (1, 1))
    assert replace(config, drains=most).drains == most
    allowed = rf"^NetworkConfig.drains must be an integer in 1\.\.{most}, not {most + 1}$"
    with pytest.raises(InputError, match=allowed):
        replace(config, drains=most + 1)
    with pytest.raises(InputError, match=r"^NetworkConfig.norm_rows must be an integer in 1\.\.2, not 3$"):
        replace(config, norm_rows=3)


def test_weights_of_zero_have_a_core() -> None:
    layers = [
        replace(layer, weight=0 * layer.weight) if isinstance(layer, Linear) else layer
        for layer in attended().layers
    ]
    config = config_for(network(*layers))
    assert (config.accumulator_bits, config.potential_bits) == (2, 2)


@pytest.mark.parametrize(("lanes", "cluster"), [(3, 3), (5, 1), (36, 9), (20, 4)])
def test_any_attention_core_with_a_lane_per_token(lanes: int, cluster: int) -> None:
    """A network fits by what it needs, however the core's attention lanes are clustered."""
    config = config_for(attended())
    core = replace(config.attention, lanes=lanes, cluster=cluster, terms_per_beat=1)
    check_fit(attended(), replace(config, attention=core))


def test_as_many_heads_as_features_fit_their_descriptors() -> None:
    heads = [linear("image", "qkv", WIDTH, 3 * WIDTH), attention("qkv", "mixed", WIDTH)]
    every = network(*heads, linear("mixed", "stream", WIDTH, WIDTH, fresh=True), norm("norm"), SCORES)
    config = config_for(every)
    program = check_fit(every, config)
    assert {op.group for op in program.attention} == {config.features}
    load_beats(program, config)  # refuses a field that its word does not hold


def test_a_hidden_layer_counts_under_any_name() -> None:
    """The widest layer decides the spike lists, also where its name is that of q, k and v."""
    wide = (linear("norm", "qkv", WIDTH, 40), linear("qkv", "scores", 40, 2))
    layers = (*attended().layers[:-1], *wide)
    assert config_for(network(*layers)).features == 40


@pytest.mark.parametrize(("name", "count"), [("heads", 2048), ("linear_ops", 4096), ("norm_ops", 1 << 20)])
def test_rows_of_long_lists_are_counted(name: str, count: int) -> None:
    """Units count the rows of a whole inference: of every descriptor, tokens rows."""
    config = replace(config_for(attended()), **{name: count})
    assert 1 << config.row_count_width > count * config.tokens
