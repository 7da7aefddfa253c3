"""Windows, biases and masks of attention: descriptors, tables, and cores that hold them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.errors import InputError
from golden.network.network import Network
from golden.network.program import check_fit, compile_network, config_for, joint_config
from golden.network.sizes import read_sizes, sized_config
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
    norm,
)

BIAS = np.arange(HEADS * TOKENS * TOKENS).reshape(HEADS, TOKENS, TOKENS)
CAUSAL = np.tri(TOKENS, dtype=bool)[None]


def windowed(tokens: int = TOKENS, **fields: Any) -> Network:
    """Attention of so many rows, twice."""
    qkv, attend = linear("image", "qkv", WIDTH, QKV), replace(attention("qkv", "mixed", HEADS), **fields)
    layers = (qkv, attend, TO_STREAM, norm("norm"))
    again = linear("norm", "qkv", WIDTH, QKV), attend, TO_STREAM, norm("norm"), SCORES
    return replace(attended(), tokens=tokens, layers=(*layers, *again))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"groups": 3}, "the network needs windows = True, this core has False"),
        ({"bias": BIAS}, "the network needs biases = 12, this core has 0"),
        ({"allowed": CAUSAL}, "the network needs masks = 3, this core has 0"),
    ],
)
def test_a_core_made_without_refuses(fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        check_fit(windowed(**fields), replace(config_for(windowed()), heads=64))


def test_a_window_may_begin_when_its_rows_are_there() -> None:
    """Heads two at a time; in each window they run back to back, and rows of the mixed list are its own."""
    ops = compile_network(windowed(6, groups=3), LANES).attention[: 3 * HEADS]
    assert [op.row for op in ops] == 2 * [0, 0, 2, 2, 4, 4]
    assert [op.base for op in ops] == 3 * [0, HEAD_DIM] + 3 * [2 * HEAD_DIM, 3 * HEAD_DIM]
    assert [op.leads for op in ops] == 6 * [True, False]
    assert [op.wait for op in ops[::2]] == [1, 3, 5, 7, 9, 11]
    assert {(op.tokens, op.group_rows) for op in ops} == {(2, 4)}


def test_tables_are_stored_once() -> None:
    """Both layers share them, and heads a mask; windows without masked pairs have none."""
    allowed = np.ones((3, 2, 2), bool)
    allowed[1:, 0, 1] = False
    made = windowed(6, groups=3, bias=BIAS[:, :2, :2], allowed=allowed)
    program = compile_network(made, LANES, terms_per_beat=2)
    assert program.biases.tolist() == BIAS[:, :2, :2].reshape(-1, 2).tolist()
    assert program.masks.tolist() == [[0, 1], [0, 0]]
    assert [op.masked for op in program.attention[::2]] == 4 * [False, True, True]
    assert {op.mask for op in program.attention} == {0}
    assert [op.bias for op in program.attention[::2]] == 2 * [0, 0, 0, 4, 4, 4]


@pytest.mark.parametrize("per_beat", [1, 2, 4])
def test_words_of_a_row_are_filled_up(per_beat: int) -> None:
    words = compile_network(windowed(bias=BIAS), LANES, terms_per_beat=per_beat).biases
    assert len(words) == HEADS * TOKENS * -(-TOKENS // per_beat)
    assert words.reshape(HEADS, TOKENS, -1)[:, :, :TOKENS].tolist() == BIAS.tolist()


def test_a_core_has_room_for_the_largest_bias() -> None:
    """Scores are as wide as the features of a head need, and the bias leaves the rest."""
    least = config_for(windowed(bias=0 * BIAS)).attention
    assert least.bias
    assert least.head_dim == HEAD_DIM
    for bias in (least.bias_limit, least.bias_limit + 1):
        made = windowed(bias=BIAS * 0 + bias)
        assert config_for(made).attention.bias_limit >= bias
        assert (config_for(made).attention == least) == (bias == least.bias_limit)
    with pytest.raises(InputError, match=r"this core has \d+$"):
        check_fit(windowed(bias=BIAS * 0 - least.bias_limit - 1), config_for(windowed(bias=0 * BIAS)))
    with pytest.raises(InputError, match=r"^a bias of attention must be at most \d+ score units, not"):
        config_for(windowed(bias=BIAS * 0 + (1 << 50)))


def test_one_core_for_windows_and_without() -> None:
    networks = [windowed(6, groups=3, allowed=CAUSAL[:, :2, :2]), windowed(bias=BIAS), windowed(4)]
    core = joint_config(networks, LANES, LANES)
    assert core.windows
    assert core.attention.bias
    assert core.attention.mask
    assert core.attention.tokens == 4


def test_given_sizes(tmp_path: Path) -> None:
    """The attention core holds a window, or as many tokens as given."""
    file = tmp_path / "sizes.toml"
    file.write_text("windows = true\nmasks = 9\nattention_tokens = 20\ntokens = 30")
    config = sized_config(attended(), read_sizes(file))
    assert config.windows
    assert (config.tokens, config.masks, config.attention.tokens, config.attention.lanes) == (30, 9, 20, 24)
    assert sized_config(windowed(6, groups=2), {"tokens": 30}).attention.tokens == 3
    file.write_text("windows = 1")
    with pytest.raises(InputError, match="windows must be true or false, not 1"):
        read_sizes(file)
    with pytest.raises(InputError, match=r"the network needs attention\.tokens = 3, this core has 2"):
        sized_config(attended(), {"attention_tokens": 2})
