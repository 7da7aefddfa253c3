"""Descriptors of rows by index, of scores in parts, of lists of hidden neurons and of streams that enter."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.errors import InputError
from golden.network.compiler import Program
from golden.network.layers import Linear, Norm, ScoreLinear
from golden.network.network import Network
from golden.network.program import check_fit, compile_network, config_for, joint_config
from golden.network.tensors import Layer
from tests.golden.network.test_program import (
    CODE,
    HEAD_DIM,
    HEADS,
    LANES,
    QKV,
    SCORES,
    TO_STREAM,
    TOKENS,
    WIDTH,
    attended,
    attention,
    linear,
    network,
    norm,
)


def by_index(layer: Any, gather: list) -> Any:
    """A layer whose rows are made of rows by index, all weights one."""
    taps = np.array(gather)
    if isinstance(layer, Linear):
        return replace(layer, gather=taps, weight=np.tile(layer.weight, (1, taps.shape[1])))
    assert isinstance(layer, Norm)
    return replace(layer, gather=taps, offset=np.tile(layer.offset, taps.shape[1]))


def rows_of(program: Program, op: Any) -> list[list[int]]:
    """For every row of a descriptor the last row of the source that it waits for, and its taps."""
    words = program.maps[op.map : op.map + op.rows * (op.taps + 1)]
    return words.reshape(op.rows, op.taps + 1).tolist()


def test_rows_wait_for_their_last_tap_and_the_last_row_for_all() -> None:
    qkv = by_index(linear("image", "qkv", WIDTH, QKV), [[1, 0], [0, -1], [-1, -1], [1, 1]])
    program = compile_network(
        network(qkv, attention("qkv", "mixed", HEADS), TO_STREAM, norm("norm"), SCORES), LANES
    )
    first, second = program.linear[:2]
    assert rows_of(program, first) == [[1, 1, 0], [0, 0, -1], [0, -1, -1], [2, 1, 1]]
    assert (first.rows, first.taps, first.width, first.inputs) == (4, 2, WIDTH, 2 * WIDTH)
    # heads that share the rows share their list; the layers after it have four rows
    assert (second.map, len(program.maps)) == (first.map, 12)
    assert [(op.rows, op.taps) for op in program.linear[2:]] == [(4, 0), (4, 0)]
    assert [op.tokens for op in program.attention] == HEADS * [4]
    # the image is released after its last row, whether a tap reads it or not
    assert [op.release for op in program.linear] == [0, 1, 0, 0]


def post_norm(anew: Layer, normed: Layer, *, gather: list | None = None) -> Program:
    """The stream is set `anew` from a norm's spikes; `normed` is the norm after that."""
    first = linear("image", "stream", WIDTH, WIDTH, fresh=True)
    before = norm("norm") if gather is None else by_index(norm("norm"), gather)
    layers = (
        first,
        before,
        anew,
        normed,
        linear("norm", "qkv", WIDTH, QKV),
        attention("qkv", "mixed", HEADS),
    )
    return compile_network(network(*layers, linear("mixed", "scores", HEADS * HEAD_DIM, 2)), LANES)


def test_a_stream_by_index_waits_for_the_norm_that_reads_it() -> None:
    """Row 1 of the new stream overwrites what row 1 of the norm reads; and norms overwrite spikes."""
    program = post_norm(
        by_index(linear("norm", "stream", WIDTH, WIDTH, fresh=True), [[0], [0], [1]]), norm("norm")
    )
    assert rows_of(program, program.linear[1]) == [[0, 0], [1, 0], [2, 1]]
    assert rows_of(program, program.norm[1]) == [[2, 0], [2, 1], [2, 2]]
    assert program.norm[1].wait == TOKENS


def test_a_stream_waits_for_a_norm_by_index() -> None:
    """Row 1 of the norm reads row 0 of the stream: the layer after it must not be there before. It comes
    after the last row that reads what it overwrites, not after all."""
    again = linear("norm", "stream", WIDTH, WIDTH, fresh=True)
    program = post_norm(again, norm("norm"), gather=[[2], [0], [1]])
    assert rows_of(program, program.norm[0]) == [[2, 2], [0, 0], [2, 1]]
    assert rows_of(program, program.linear[1]) == [[1, 0], [2, 1], [2, 2]]
    assert program.norm[1].taps == 0
    twice = post_norm(again, norm("norm"), gather=[[0], [0], [-1]])
    assert rows_of(twice, twice.linear[1]) == [[1, 0], [1, 1], [2, 2]]


def test_rows_in_order_wait_row_by_row() -> None:
    program = post_norm(linear("norm", "stream", WIDTH, WIDTH, fresh=True), norm("norm"))
    assert [op.taps for op in [*program.linear, *program.norm]] == 7 * [0]
    assert len(program.maps) == 0


def test_codes_by_index_wait_for_the_attention_that_reads_them() -> None:
    first = (linear("image", "qkv", WIDTH, 3 * WIDTH), attention("qkv", "mixed", 1))
    qkv = by_index(linear("mixed", "qkv", WIDTH, QKV), [[2], [0], [1]])
    layers = (*first, qkv, attention("qkv", "mixed", HEADS), TO_STREAM, norm("norm"), SCORES)
    program = compile_network(network(*layers), LANES)
    assert rows_of(program, program.linear[1]) == [[2, 2], [2, 0], [2, 1]]


def test_merged_rows_of_the_stream() -> None:
    """Two rows side by side, in one norm; what is not there is zero."""
    merged = by_index(norm("norm"), [[0, 2], [1, -1]])
    scores = linear("norm", "scores", 2 * WIDTH, 2)
    layers = (linear("image", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS), TO_STREAM, merged, scores)
    program = compile_network(network(*layers), LANES)
    (op,) = program.norm
    assert (op.rows, op.taps, op.channels, op.width) == (2, 2, WIDTH, 2 * WIDTH)
    assert rows_of(program, op) == [[2, 0, 2], [2, 1, -1]]
    assert program.linear[-1].rows == 2


def test_more_scores_than_lanes_come_in_parts() -> None:
    pooled = compile_network(attended_scores(linear("norm", "scores", WIDTH, 2 * LANES + 1)), LANES)
    assert [op.outputs for op in pooled.linear[-3:]] == [LANES, LANES, 1]
    assert [op.final for op in pooled.linear[-3:]] == [0, 0, 1]
    single = replace(linear("norm", "scores", WIDTH, 2 * LANES + 1), pooled=False)
    assert compile_network(attended_scores(single), LANES).linear[-1].passes == 3


def attended_scores(scores: Linear) -> Network:
    return network(*attended().layers[:-1], scores)


@pytest.mark.parametrize(
    ("scores", "parts"),
    [
        (linear("norm", "scores", WIDTH, LANES), 0),
        (linear("norm", "scores", WIDTH, LANES + 1), 1),
        (replace(linear("norm", "scores", WIDTH, 2), pooled=False), 1),
        (by_index(replace(linear("norm", "scores", WIDTH, 2), pooled=False), [[0]]), 0),
    ],
)
def test_parts_of_the_scores_are_a_size(scores: ScoreLinear, parts: int) -> None:
    drawn = attended_scores(scores)
    config = config_for(drawn, LANES)
    assert config.score_parts == parts
    if parts:
        with pytest.raises(InputError, match=r"^the network needs score_parts = 1, this core has 0$"):
            check_fit(drawn, replace(config, score_parts=0))


def test_hidden_neurons_of_hidden_neurons_take_lists_in_turn() -> None:
    chain = linear("image", "a", WIDTH, 2), linear("a", "b", 2, 3), linear("b", "b", 3, WIDTH)
    drawn = attended(*chain, source="b")
    program = compile_network(drawn, LANES)
    assert [(op.read_list, op.write_list) for op in program.linear[:4]] == [(0, 1), (1, 0), (0, 1), (1, 0)]
    config = config_for(drawn)
    assert config.hidden_lists == 2
    with pytest.raises(InputError, match=r"^the network needs hidden_lists = 2, this core has 1$"):
        check_fit(drawn, replace(config, hidden_lists=1))
    assert config_for(attended(chain[0], source="a", inputs=2)).hidden_lists == 1


def test_wide_layers_count_in_features() -> None:
    """More outputs than a byte counts, and their own bias in every row."""
    wide = linear("image", "x", WIDTH, 600)
    wide = replace(wide, bias=np.tile(wide.bias, (TOKENS, 1)))
    drawn = attended(wide, source="x", inputs=600)
    config = config_for(drawn)
    assert (config.features, config.feature_bits) == (600, 10)
    assert check_fit(drawn, config).linear[0].stride == 600


def test_a_core_without_rows_by_index_names_what_is_missing() -> None:
    qkv = by_index(linear("image", "qkv", WIDTH, QKV), [[0, 1]])
    drawn = network(qkv, attention("qkv", "mixed", HEADS), TO_STREAM, norm("norm"), SCORES)
    config = config_for(drawn)
    assert (config.maps, config.taps) == (4, 2)
    with pytest.raises(InputError, match=r"^the network needs maps = 3, this core has 0$"):
        check_fit(drawn, replace(config, maps=0, taps=0))
    with pytest.raises(InputError, match=r"^the network needs taps = 2, this core has 1$"):
        check_fit(drawn, replace(config, taps=1))
    with pytest.raises(InputError, match=r"^NetworkConfig.taps must be an integer in 1\.\.4, not 0$"):
        replace(config, taps=0)
    with pytest.raises(InputError, match=r"^NetworkConfig.taps must be an integer in 0\.\.0, not 2$"):
        replace(config, maps=0)


def entered() -> Network:
    """A stream that enters, is normed and attended."""
    qkv, attend = linear("norm", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS)
    layers = (norm("norm"), qkv, attend, replace(TO_STREAM, fresh=False), norm("norm"), SCORES)
    fields = {"tokens": TOKENS, "width": WIDTH, "scale": 1.0, "entry": "stream", "limit": 9}
    return Network(code=CODE, weight_bits=4, layers=layers, **fields)


def test_rows_of_a_stream_that_enters_are_there_first() -> None:
    program = compile_network(entered(), LANES)
    assert [op.wait for op in program.norm] == [0, 3 * TOKENS]
    assert not any(op.release for op in program.linear)


def test_what_enters_is_a_size() -> None:
    config = config_for(entered())
    with pytest.raises(InputError, match=r"^the network is given the stream, this core the image$"):
        check_fit(entered(), replace(config, entry="image"))
    with pytest.raises(InputError, match=r"^NetworkConfig.entry must be one of image, stream, not 'sound'$"):
        replace(config, entry="sound")


def test_a_thousand_rows() -> None:
    """Attention sees some of them."""
    rows = [[n] for n in range(0, 1024, 64)]
    qkv = by_index(linear("image", "qkv", WIDTH, QKV), rows)
    layers = (qkv, attention("qkv", "mixed", HEADS), TO_STREAM, norm("norm"), SCORES)
    drawn = Network(code=CODE, weight_bits=4, tokens=1024, width=WIDTH, scale=1.0, layers=layers)
    config = config_for(drawn)
    assert (config.tokens, config.attention.tokens, config.attention.lanes) == (1024, 16, 16)
    with pytest.raises(InputError, match=r"^the network needs tokens = 1024, this core has 64$"):
        check_fit(drawn, replace(config, tokens=64))


def stem() -> Network:
    """64 rows of 2 pixels, 64 of 5 features, 16 tokens of 5 that attend, 40 hidden neurons each."""
    first = by_index(linear("image", "map", 2, 5), [[n, -1] for n in range(64)])
    second = by_index(linear("map", "tokens", 5, 5), [[n] for n in range(0, 64, 4)])
    qkv = linear("tokens", "qkv", 5, QKV)
    hidden, back = linear("norm", "hidden", WIDTH, 40), linear("hidden", "stream", 40, WIDTH)
    layers = (first, second, qkv, attention("qkv", "mixed", HEADS), TO_STREAM, norm("norm"), hidden, back)
    layers = (*layers, norm("norm"), SCORES)
    return Network(code=CODE, weight_bits=4, tokens=64, width=2, scale=1.0, layers=layers)


def test_lists_have_room_for_their_layers() -> None:
    """64 rows of 5 features take 6 and 3 bits of an address, 16 of 40 take 4 and 6; all would take 12."""
    drawn = stem()
    config = config_for(drawn)
    assert (config.tokens, config.features, config.hidden_lists) == (64, 40, 2)
    assert (config.stream_rows, config.image_room, config.hidden_room) == (16, 7, 10)
    for name, less in (("stream_rows", 15), ("image_room", 6), ("hidden_room", 9)):
        needs = rf"^the network needs {name} = {less + 1}, this core has {less}$"
        with pytest.raises(InputError, match=needs):
            check_fit(drawn, replace(config, **{name: less}))
        check_fit(drawn, replace(config, **{name: 0}))
    with pytest.raises(InputError, match=r"^NetworkConfig.hidden_room must be an integer in 0..22, not 23$"):
        replace(config, hidden_room=23)


def test_lists_of_equal_layers_have_no_room_of_their_own() -> None:
    config = config_for(attended())
    assert (config.stream_rows, config.hidden_room) == (0, 1)  # no hidden neurons
    joint = joint_config([stem(), stem()])
    assert joint == config_for(stem())
    width = HEADS * HEAD_DIM
    equal = attended(linear("image", "hidden", WIDTH, width), source="hidden", inputs=width)
    assert config_for(equal).hidden_room == 0
