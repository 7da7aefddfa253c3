"""Cores whose memories serve in turn: which networks they run, and who waits for whom."""

from dataclasses import replace

import numpy as np
import pytest

from golden.errors import InputError
from golden.network.descriptors import Target
from golden.network.network import Network
from golden.network.order import reads_in_turn
from golden.network.program import Program, check_fit, compile_network, config_for, joint_config, round_up
from tests.golden.network.test_program import (
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
    post_norm,
)

ADDS = replace(TO_STREAM, fresh=False)
OF_HIDDEN = linear("hidden", "stream", 5, WIDTH, fresh=True)
FIRST = linear("image", "stream", WIDTH, WIDTH, fresh=True)


def shared(made: Network) -> Program:
    return compile_network(made, LANES, streamed=True, shared=True)


def waits(program: Program, number: int) -> list[int]:
    """Rows of the stream before which the rows of a norm do not begin."""
    op = program.norm[number]
    if not op.taps:
        return list(range(op.rows))
    return program.maps[op.map :][: op.rows * (op.taps + 1)].reshape(op.rows, -1)[:, 0].tolist()


def test_a_norm_waits_for_sums_not_for_a_stream_set_anew() -> None:
    """The one copy of the stream is read for sums, or for the norm; what sets it anew reads nothing."""
    program = shared(post_norm())
    assert waits(program, 0) == list(range(TOKENS))
    assert waits(program, 1) == [TOKENS - 1] * TOKENS
    alone = compile_network(post_norm(), LANES, streamed=True)
    assert [op.taps for op in alone.norm] == [0, 0]


def test_sums_of_a_norm_wait_for_all_of_it() -> None:
    adds = linear("norm", "stream", WIDTH, WIDTH)
    hidden = linear("norm", "hidden", WIDTH, 2)
    qkv, attend = linear("hidden", "qkv", 2, QKV), attention("qkv", "mixed", HEADS)
    codes = linear("norm", "qkv", WIDTH, QKV)
    made = network(FIRST, norm("norm"), adds, norm("norm"), codes, attend, ADDS, norm("norm"), SCORES)
    program = shared(made)
    op = next(op for op in program.linear if op.target is Target.stream and op.source.name == "norm")
    needed = program.maps[op.map :][: op.rows * (op.taps + 1)].reshape(op.rows, -1)[:, 0]
    assert needed.tolist() == [TOKENS - 1] * TOKENS
    assert not reads_in_turn(network(FIRST, norm("norm"), hidden, qkv, attend, ADDS, norm("norm"), SCORES))


def test_a_stream_set_anew_follows_a_norm_of_rows_read_twice_row_by_row() -> None:
    """As the layer norm of an encoder makes it: two codes of each row, by index."""
    twice = replace(norm("norm"), gather=np.repeat(np.arange(TOKENS)[:, None], 2, axis=1))
    twice = replace(twice, offset=np.tile(twice.offset, 2))
    anew = linear("norm", "stream", 2 * WIDTH, WIDTH, fresh=True)
    codes, attend = linear("norm", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS)
    program = shared(network(FIRST, twice, anew, norm("norm"), codes, attend, ADDS, norm("norm"), SCORES))
    op = next(op for op in program.linear if op.target is Target.stream and op.source.name == "norm")
    assert (op.wait, op.taps) == (0, 0)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        # hidden neurons of attention; beside attention that none has read; q, k and v of hidden neurons
        (
            (linear("mixed", "hidden", HEADS * HEAD_DIM, 5), OF_HIDDEN),
            "layer 2: spikes of attention and of hidden neurons must be read in turn",
        ),
        (
            (linear("image", "hidden", WIDTH, 5), OF_HIDDEN, ADDS),
            "layer 2: spikes of attention and of hidden neurons must be read in turn",
        ),
        (
            (TO_STREAM, linear("image", "hidden", WIDTH, 5), linear("hidden", "hidden", 5, 5), OF_HIDDEN),
            "layer 4: hidden neurons must not enter hidden neurons",
        ),
        # hidden neurons have taken their place
        (
            (TO_STREAM, linear("image", "hidden", WIDTH, 5), ADDS),
            r"layer 4: source must be spikes that are still held \(image, hidden\), not 'mixed'",
        ),
    ],
)
def test_what_does_not_read_in_turn(layers: tuple, message: str) -> None:
    made = network(
        linear("image", "qkv", WIDTH, QKV), attention("qkv", "mixed", HEADS), *layers, norm("norm"), SCORES
    )
    assert not reads_in_turn(made)
    with pytest.raises(InputError, match=f"^{message}$"):
        shared(made)


def test_a_core_has_what_the_order_allows() -> None:
    assert config_for(attended(), weight_stream=16).shared
    assert not config_for(attended()).shared
    hidden = linear("image", "hidden", WIDTH, 5)
    made = attended(hidden, source="hidden", inputs=5)
    config = config_for(made, weight_stream=16)
    assert not config.shared
    with pytest.raises(InputError, match="layer 1: spikes of attention and of hidden neurons"):
        check_fit(made, replace(config, shared=True))
    assert joint_config([attended(), attended()], weight_stream=16).shared
    assert not joint_config([attended(), made], weight_stream=16).shared


@pytest.mark.parametrize("change", [{"weight_stream": 0}, {"hidden_lists": 2}])
def test_what_shared_memories_need(change: dict[str, int]) -> None:
    config = config_for(attended(), weight_stream=16)
    with pytest.raises(InputError) as error:
        replace(config, **change)
    needs = "NetworkConfig.shared must be false without weight_stream, or with hidden_lists = 2"
    assert str(error.value) == needs
    with pytest.raises(InputError, match=r"^NetworkConfig.shared must be true or false, not 1$"):
        replace(config, shared=1)


def test_depths_of_memories_are_rounded_closer_where_there_are_many() -> None:
    counts = np.arange(1, 2000)
    closer = np.array([round_up(int(n), True) for n in counts])
    assert (closer >= counts).all()
    assert (2 * closer <= 3 * counts + 1).all()
    assert [round_up(n, True) for n in (1, 2, 3, 5, 9, 96, 97)] == [2, 2, 3, 6, 12, 96, 128]
    assert [round_up(n) for n in (1, 3, 5, 97)] == [2, 4, 8, 128]
