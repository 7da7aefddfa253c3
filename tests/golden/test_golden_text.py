"""Numbers as text: read within bounds, and cut where a message quotes them."""

from fractions import Fraction

import pytest

from golden.code import MAX_DENOMINATOR, PhaseCode, check_range, read_fraction
from golden.errors import MAX_QUOTED, InputError, quoted
from models.conversion.store import read_scheme

DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/2", Fraction(1, 2)),
        ("4/8", Fraction(1, 2)),
        ("2", Fraction(2)),
        ("0.25", Fraction(1, 4)),
        ("-1/3", Fraction(-1, 3)),
    ],
)
def test_fractions(text: str, value: Fraction) -> None:
    assert read_fraction("log2_base", text) == value


def test_every_log2_base_is_read() -> None:
    for b in range(1, MAX_DENOMINATOR + 1):
        for a in range(1, 2 * b + 1):
            assert read_fraction("log2_base", str(Fraction(a, b))) == Fraction(a, b)


@pytest.mark.parametrize(
    "value",
    [
        *("1e999999", "1e99999999", "1e-99999999", "1E9", "0.5e1"),
        *(DIGITS, f"1/{DIGITS}", f"{DIGITS}/2", f"0.{DIGITS}", "1" * 9),
        *(
            "",
            "/",
            "1/",
            "/2",
            "1/0",
            "1/2/3",
            " 1/2",
            "1/2\n",
            "1 /2",
            "1_0",
            "½",
            "\u0661/\u0662",
            "nan",
            "inf",
            "0x1",
            "a/b",
        ),
        *(0.5, 1, True, None, [1, 2], float("inf")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_no_fractions(value: object) -> None:
    with pytest.raises(InputError) as raised:
        read_fraction("log2_base", value)
    assert str(raised.value) == f'log2_base must be a fraction "a/b", not {quoted(value)}'
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", "'a\\nb'"),
        (Fraction(9, 4), "9/4"),
        (0.5, "0.5"),
        ("x" * (MAX_QUOTED - 2), repr("x" * (MAX_QUOTED - 2))),
        ("x" * 5000, "'" + "x" * (MAX_QUOTED - 1) + "... (5002 characters)"),
        ([1] * 5000, "[" + "1, " * 26 + "1... (15000 characters)"),
        (10**5000, "a number of thousands of digits"),
        ([10**5000], "a number of thousands of digits"),
        (Fraction(1, 10**5000), "a number of thousands of digits"),
    ],
    ids=lambda value: repr(value)[:20] if isinstance(value, str | float) else type(value).__name__,
)
def test_quoted(value: object, text: str) -> None:
    assert quoted(value) == text


def test_a_stored_scheme_is_read_within_bounds() -> None:
    table = {"steps": 16, "log2_base": "1e99999999", "trace_bits": 12, "ramp_bits": 4}
    with pytest.raises(InputError, match=r'^log2_base must be a fraction "a/b", not '):
        read_scheme(table)


def test_checks_cut_what_they_quote() -> None:
    for value in (10**4000, 10**5000, DIGITS):
        with pytest.raises(InputError) as raised:
            check_range("lanes", value, 1, 4)
        assert str(raised.value).startswith("lanes must be an integer in 1..4, not ")
        assert len(str(raised.value)) < 200
    with pytest.raises(InputError, match=r"b at most 8, not a number of thousands of digits$"):
        PhaseCode(log2_base=Fraction(10**5000))
