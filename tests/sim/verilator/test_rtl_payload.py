"""Payload packing against a naive reading of the layout, bit by bit."""

from typing import Any

import numpy as np
import pytest
from amaranth.lib import data

from golden.errors import InputError
from hw.export.verilog import describe
from sim.verilator.payload import leaves, pack, unpack, word_count
from tests.sim.verilator.harness_components import WIDE

LAYOUT = describe(WIDE)


def wide_fields(rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Random payloads of WIDE, extremes included."""
    return {
        "kind": rng.integers(0, 2, count),
        "offset": rng.integers(-16, 16, count),
        "spikes": {"sign": rng.integers(0, 2, (count, 7)), "phase": rng.integers(0, 16, (count, 7))},
        "time": rng.integers(0, 2**64 - 1, count, dtype=np.uint64, endpoint=True),
        "matrix": rng.choice([-(2**32), -1, 0, 5, 2**32 - 1], (count, 2, 2)),
    }


def flat(fields: Any) -> list[np.ndarray]:
    if isinstance(fields, dict):
        return [leaf for value in fields.values() for leaf in flat(value)]
    return [fields]


def test_bits_are_where_amaranth_puts_them() -> None:
    """Every field of the packed number, read through Amaranth's own constants, has its value."""
    fields = wide_fields(np.random.default_rng(1), 20)
    words = pack(LAYOUT, fields)
    for n, row in enumerate(words):
        number = sum(int(word) << 32 * column for column, word in enumerate(row))
        const = data.Const(WIDE, number)
        assert const.kind.value == fields["kind"][n]
        assert const.offset == fields["offset"][n]
        assert const.time == int(fields["time"][n])
        for k in range(7):
            assert const.spikes[k].sign == fields["spikes"]["sign"][n, k]
            assert const.spikes[k].phase == fields["spikes"]["phase"][n, k]
        for row_of, column in np.ndindex(2, 2):
            assert const.matrix[row_of][column] == fields["matrix"][n, row_of, column]


def test_unpack_is_the_inverse() -> None:
    fields = wide_fields(np.random.default_rng(2), 300)
    words = pack(LAYOUT, fields)
    assert words.shape == (300, word_count(LAYOUT)) == (300, 8)
    back = unpack(LAYOUT, words)
    for got, want in zip(flat(back), flat(fields), strict=True):
        assert got.dtype in (np.int64, np.uint64)
        assert np.array_equal(got, want)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("width", [0, 1, 31, 32, 33, 63, 64])
@pytest.mark.parametrize("offset", [0, 1, 31, 32, 63])
def test_limits_of_every_position(width: int, offset: int, signed: bool) -> None:
    """Smallest and largest value of a field at any place of a word leave its neighbours alone."""
    part = {"width": width, "signed": signed}
    layout = {
        "width": offset + width + 1,
        "fields": {
            "low": {"offset": 0, "layout": {"width": offset, "signed": False}},
            "x": {"offset": offset, "layout": part},
            "top": {"offset": offset + width, "layout": {"width": 1, "signed": False}},
        },
    }
    limits = next(leaf for leaf in leaves(layout) if leaf.path == ("x",)).limits
    for value in limits:
        for around in (0, 1):
            ones = (1 << offset) - 1 if around else 0
            fields = {
                "low": np.array([ones], np.uint64),
                "x": np.array([value], np.uint64 if value > 2**63 - 1 else np.int64),
                "top": np.array([around]),
            }
            back = unpack(layout, pack(layout, fields))
            assert [int(back[name][0]) for name in ("low", "x", "top")] == [ones, value, around]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offset": np.array([0, 16])}, "i.offset[1] must be in -16..15, not 16"),
        ({"offset": np.array([0.0, 1.0])}, "i.offset must be integers, not float64"),
        ({"offset": np.array([0])}, "i: every field must have the same length, not 1 and 2"),
        ({"matrix": np.zeros((2, 3), int)}, "i.matrix must have the shape [n, 2, 2], not [2, 3]"),
        (
            {"extra": np.zeros(2, int)},
            "i must have the fields kind, offset, spikes, time, matrix, not 'extra'",
        ),
        ({"spikes": np.zeros(2, int)}, "i.spikes must have the fields sign, phase, not be ndarray"),
        ({"time": {"x": 1}}, "i.time must be an array of integers, not fields x"),
    ],
)
def test_bad_fields(change: dict[str, Any], message: str) -> None:
    fields = wide_fields(np.random.default_rng(3), 2) | change
    with pytest.raises(InputError) as error:
        pack(LAYOUT, fields, "i")
    assert str(error.value) == message


def test_missing_field() -> None:
    fields = wide_fields(np.random.default_rng(3), 2)
    del fields["spikes"]["phase"]
    with pytest.raises(InputError, match=r"i.spikes must have the fields sign, phase; 'phase' is missing"):
        pack(LAYOUT, fields, "i")


def test_integer_wider_than_numpy_has() -> None:
    with pytest.raises(InputError, match="payload field x must have at most 64 bits, not 65"):
        pack(describe(data.StructLayout({"x": 65})), {"x": np.zeros(1, int)})
