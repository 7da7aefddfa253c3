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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tokens = 5", "must hold tokens and head_dim; head_dim is missing"),
        ("tokens = 5\nhead_dim = 6\nlanes = 3", "unknown key 'lanes'; allowed are tokens"),
        ("tokens = 5\nhead_dim = 6\nseed = 0", "RandomPlan.seed must be an integer in 1..4294967295, not 0"),
        ("tokens = 5\nhead_dim = 6\nwidth = 65", "RandomPlan.width must be"),
        (
            "tokens = 64\nhead_dim = 64\nwidth = 16",
            "RandomPlan.width must give 16 time steps of distinct draws",
        ),
        ("tokens = 5\nhead_dim = 6\nrows = 6", "StochasticConfig.rows must be an integer in 1..5, not 6"),
        (
            'tokens = 5\nhead_dim = 6\nmask = "x"',
            "StochasticConfig.mask must be one of none, diagonal, causal",
        ),
        (
            "tokens = 5\nhead_dim = 6\nallow_repeats = 1",
            "RandomPlan.allow_repeats must be true or false, not 1",
        ),
        ("tokens = 5\nhead_dim = 6\nencoders = 1", "StochasticConfig.encoders must be true or false, not 1"),
        ("tokens = ", "not a TOML file"),
    ],
)
def test_bad_file(text, message, tmp_path):
    path = tmp_path / "engine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=f"{path}") as error:
        load_config(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_absent_file():
    with pytest.raises(InputError, match="cannot be read"):
        load_config(Path("absent.toml"))
