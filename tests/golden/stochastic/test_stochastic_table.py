from pathlib import Path

import pytest

from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from golden.stochastic.table import from_table, load_config, to_table

CONFIG = StochasticConfig(
    tokens=5, head_dim=6, rows=2, mask="causal", encoders=True, plan=RandomPlan(width=40, seed=7, score="row")
)


def test_table_and_back():
    assert from_table(to_table(CONFIG), "x") == CONFIG
    assert from_table({"tokens": 3, "head_dim": 2}, "x") == StochasticConfig(tokens=3, head_dim=2, rows=3)


def test_file(tmp_path):
    path = tmp_path / "engine.toml"
    path.write_text(
        'tokens = 5\nhead_dim = 6\nrows = 2\nmask = "causal"\nencoders = true\n'
        'width = 40\nseed = 7\nscore = "row"\n'
    )
    assert load_config(path) == CONFIG


KEYS = (
    "tokens, head_dim, rows, steps, rate_bits, mask, encoders, "
    "width, draw_bits, leap, seed, score, output, encoder, allow_dependent"
)
WIDTH = "width must be a width with a known maximal polynomial, 3..64, not"


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("lanes = 3", f"unknown key 'lanes'; allowed are {KEYS}"),
        ("seed = 0", "seed must be an integer in 1..4294967295, not 0"),
        ("seed = 65536\nwidth = 16", "seed must be an integer in 1..65535, not 65536"),
        ("width = 65", f"{WIDTH} 65"),
        ("width = 32.0", f"{WIDTH} 32.0"),
        ("width = [32]", f"{WIDTH} [32]"),
        ("[width]\nbits = 32", f"{WIDTH} {{'bits': 32}}"),
        ("width = 12", "draw_bits must be at most width (12), not 16"),
        ("draw_bits = 33", "draw_bits must be an integer in 1..32, not 33"),
        (
            "draw_bits = 1",
            "draw_bits must be at least 8 for 5 tokens, 6 features and rate_bits = 8, not 1",
        ),
        ("rate_bits = 17", "rate_bits must be an integer in 1..16, not 17"),
        (
            'width = 16\nscore = "array"\nsteps = 1024',
            "width must give 1024 time steps of distinct draws, not 16, which gives 7",
        ),
        ("rows = 6", "rows must be an integer in 1..5, not 6"),
        ("rows = [1]", "rows must be an integer in 1..5, not [1]"),
        ("steps = 4.0", "steps must be an integer in 1..1024, not 4.0"),
        ("leap = 2000-01-01", "leap must be an integer in 1..64, not datetime.date(2000, 1, 1)"),
        ('mask = "x"', "mask must be one of none, diagonal, causal, not 'x'"),
        ("mask = []", "mask must be one of none, diagonal, causal, not []"),
        (
            'score = "foo"',
            "score must be one of unit, row, array, column-broadcast, row-broadcast, not 'foo'",
        ),
        ("encoders = 1", "encoders must be true or false, not 1"),
        ("[output]", "output must be one of lane, serial, broadcast, not {}"),
        ("encoder = 1", "encoder must be one of lane, serial, broadcast, not 1"),
        ("allow_dependent = 1", "allow_dependent must be true or false, not 1"),
        ("leap = ", "not a TOML file (Invalid value (at end of document))"),
    ],
)
def test_bad_file(lines, rule, tmp_path):
    path = tmp_path / "engine.toml"
    path.write_text(f"tokens = 5\nhead_dim = 6\n{lines}")
    with pytest.raises(InputError) as error:
        load_config(path)
    assert str(error.value) == f"{path}: {rule}"


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ({"tokens": 5}, "must hold tokens and head_dim; head_dim is missing"),
        ({"head_dim": 5}, "must hold tokens and head_dim; tokens is missing"),
        ({"tokens": "5", "head_dim": 6}, "tokens must be an integer in 1..256, not '5'"),
        ({"tokens": 5, "head_dim": 257}, "head_dim must be an integer in 1..256, not 257"),
    ],
)
def test_bad_sizes(table, rule):
    with pytest.raises(InputError) as error:
        from_table(table, "x")
    assert str(error.value) == f"x: {rule}"


@pytest.mark.parametrize("text", ["tokens = " + "9" * 5000, "tokens = " + "[" * 100_000, "\x00"])
def test_file_that_cannot_be_read_as_toml(text, tmp_path):
    path = tmp_path / "engine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"^{path}: not a TOML file \(.*\)$"):
        load_config(path)


def test_absent_file():
    with pytest.raises(InputError) as error:
        load_config(Path("absent.toml"))
    assert str(error.value) == "absent.toml: cannot be read (No such file or directory)"
