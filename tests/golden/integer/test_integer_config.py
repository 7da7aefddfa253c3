"""Configurations of the integer core: what is accepted, and tables of them."""

from dataclasses import replace

import numpy as np
import pytest

from golden.errors import InputError
from golden.integer.config import (
    PRESETS,
    IntegerConfig,
    from_table,
    lane_per_token,
    load_config,
    preset,
    to_table,
)
from golden.integer.job import prepare

SMALL = IntegerConfig(lanes=4, cluster=2, tokens=8, head_dim=4)


@pytest.mark.parametrize("name", PRESETS)
def test_tables(name: str) -> None:
    assert from_table(to_table(preset(name)), "table") == PRESETS[name]
    assert from_table({"base": name, "bits": 4}, "table") == replace(PRESETS[name], bits=4)


def test_a_file(tmp_path) -> None:
    path = tmp_path / "core.toml"
    path.write_text('base = "lean"\nmultiplier = "table"\n')
    assert load_config(path) == replace(PRESETS["lean"], multiplier="table")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bits": 1}, "bits must be an integer in 2..8, not 1"),
        ({"bits": 9}, "bits must be an integer in 2..8, not 9"),
        ({"lanes": 257}, "lanes must be an integer in 1..256"),
        ({"tokens": 65}, "tokens must be an integer in 1..64"),
        ({"head_dim": 0}, "head_dim must be an integer in 1..256"),
        ({"cluster": 3}, r"cluster must divide lanes \(4\), not 3"),
        ({"cluster": 8}, "cluster must be an integer in 1..4"),
        ({"multiplier": "booth"}, "multiplier must be one of dsp, table, logic, not 'booth'"),
        ({"output": "spikes"}, "output must be one of codes, context, both"),
        ({"bias": 1}, "bias must be true or false"),
        ({"queued_heads": 0}, "queued_heads must be an integer in 1..8"),
    ],
)
def test_refused(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"IntegerConfig.{message}"):
        replace(SMALL, **changes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"base": "none"}, "file: preset must be one of default, lean, digits, not 'none'"),
        ({"steps": 3}, "file: unknown key 'steps'; allowed are base, bits"),
        ({"bits": 10}, "file: IntegerConfig.bits must be"),
    ],
)
def test_bad_tables(table: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_table(table, "file")


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (SMALL, {"bits": 7}, "the job's codes must have the core's 8 bits, not 7"),
        (replace(SMALL, tokens=4), {}, "tokens must be at most 4 in this configuration, not 5"),
        (replace(SMALL, head_dim=3), {}, "head_dim must be at most 3 in this configuration, not 4"),
        (replace(SMALL, mask=False), {"mask": np.eye(5, dtype=bool)[None]}, "mask must be absent"),
        (replace(SMALL, bias=False), {"bias": np.ones((1, 5, 5))}, "bias must be absent"),
        (SMALL, {"bias": np.full((1, 5, 5), 1e3)}, "bias must be at most 66555 score units"),
    ],
)
def test_jobs_refused(config: IntegerConfig, changes: dict, message: str) -> None:
    given = {"bits": 8} | {name: np.ones((1, 5, 4)) for name in "qkv"} | changes
    with pytest.raises(InputError, match=message):
        config.check_job(prepare(**given).job)


def test_limits_of_numbers() -> None:
    """Widths hold the largest integers of a job, and no bit more."""
    config = IntegerConfig()
    assert config.product_limit == 64 * 127**2
    assert config.product_limit + config.bias_limit == 2 ** (config.score_width - 1) - 1
    assert 2 ** (config.normaliser_width - 1) <= 128 * 255 < 2**config.normaliser_width
    assert 2 ** (config.context_width - 2) <= 128 * 255 * 127 < 2 ** (config.context_width - 1)


def test_a_lane_per_token() -> None:
    config = lane_per_token(12, 5)
    assert (config.lanes, config.tokens, config.head_dim, config.cluster) == (12, 12, 5, 4)
