"""Core configurations: number limits at their extremes, refused values, TOML files."""

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention.config import PRESETS, CoreConfig, from_table, load_config, preset, to_table
from golden.attention.job import AttentionJob, compute, prepare
from golden.attention.product import trace_product
from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from tests.golden.golden_cases import NAMED_CODES, SEEDS, codes, examples


def sentence(action: Any, *arguments: Any, **named: Any) -> str:
    """What the InputError of a call says."""
    with pytest.raises(InputError) as raised:
        action(*arguments, **named)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def signed_width(value: int) -> int:
    """Bits of the shortest signed number that holds `value` and -`value`."""
    return abs(value).bit_length() + 1


@given(code=codes(), head_dim=st.integers(1, 256), tokens=st.integers(1, 1024), bias=st.booleans())
@examples(60)
def test_widths_hold_the_extremes_and_are_not_wasted(
    code: PhaseCode, head_dim: int, tokens: int, bias: bool
) -> None:
    config = CoreConfig(code=code, lanes=64, tokens=tokens, head_dim=head_dim, bias=bias)
    left = Spikes(np.ones((1, head_dim), np.int8), np.zeros((1, head_dim), np.int8))
    right = Spikes(left.sign.T, left.phase.T)
    largest = int(trace_product(left, right, code)[0, 0])
    assert largest == config.product_limit
    if bias:
        assert signed_width(largest + config.bias_limit) == config.score_width
        assert signed_width(largest + config.bias_limit + 1) == config.score_width + 1
        assert config.bias_limit >= config.product_limit
    else:
        assert signed_width(largest) == config.score_width
    assert config.normaliser_limit == tokens * int(code.trace[0])
    assert config.normaliser_limit.bit_length() == config.normaliser_width
    assert signed_width(config.normaliser_limit) == config.context_width
    assert config.groups == len(range(0, tokens, 64))
    assert config.clusters * config.cluster == config.lanes
    assert config.ratio_width == 19


@pytest.mark.parametrize("name", PRESETS)
def test_saturated_heads_reach_the_limits_of_the_preset(name: str) -> None:
    config = PRESETS[name]
    ones = np.ones((1, config.tokens, config.head_dim))
    spikes = compute(prepare(ones, ones, -ones, config.code).job)
    assert (spikes.score == config.product_limit).all()
    assert (spikes.normaliser == config.normaliser_limit).all()
    assert (spikes.context == -config.normaliser_limit).all()


@given(code=codes(max_steps=16), seed=SEEDS)
@examples(40)
def test_any_accepted_bias_fits_the_score(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = CoreConfig(code=code, lanes=4, cluster=2, terms_per_beat=2, tokens=5, head_dim=3)
    q, k, v = rng.choice([-1.0, 1.0], (3, 1, 5, 3))
    job = prepare(q, k, v, code).job
    limit = config.bias_limit
    bias = rng.choice([-limit, 0, limit], (1, 5, 5))
    job = dataclasses.replace(job, bias=bias)
    config.check_job(job)
    score = compute(job).score
    assert (np.abs(score) < 1 << (config.score_width - 1)).all()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"lanes": 0}, "CoreConfig.lanes must be an integer in 1..256, not 0"),
        ({"lanes": 257}, "CoreConfig.lanes must be an integer in 1..256, not 257"),
        ({"lanes": "64"}, "CoreConfig.lanes must be an integer in 1..256, not '64'"),
        ({"tokens": 1025}, "CoreConfig.tokens must be an integer in 1..1024, not 1025"),
        ({"tokens": True}, "CoreConfig.tokens must be an integer in 1..1024, not True"),
        ({"head_dim": 257}, "CoreConfig.head_dim must be an integer in 1..256, not 257"),
        ({"cluster": 0}, "CoreConfig.cluster must be an integer in 1..64, not 0"),
        ({"cluster": 128}, "CoreConfig.cluster must be an integer in 1..64, not 128"),
        ({"cluster": 7}, "CoreConfig.cluster must divide lanes (64), not 7"),
        ({"terms_per_beat": 9}, "CoreConfig.terms_per_beat must be an integer in 1..8, not 9"),
        ({"terms_per_beat": 3}, "CoreConfig.terms_per_beat must divide cluster (8), not 3"),
        ({"bias": 1}, "CoreConfig.bias must be true or false, not 1"),
        ({"mask": "no"}, "CoreConfig.mask must be true or false, not 'no'"),
        ({"queued_heads": 0}, "CoreConfig.queued_heads must be an integer in 1..8, not 0"),
        ({"score_store": "rom"}, "CoreConfig.score_store must be one of registers, memory, not 'rom'"),
        ({"trace_store": "rom"}, "CoreConfig.trace_store must be one of logic, memory, not 'rom'"),
        ({"taps": None}, "CoreConfig.taps must be true or false, not None"),
        ({"output": "raw"}, "CoreConfig.output must be one of codes, context, both, not 'raw'"),
        (
            {"lanes": 8, "tokens": 129},
            "CoreConfig.tokens must be at most 16 per lane (128), not 129",
        ),
    ],
)
def test_refused_fields(fields: dict[str, Any], expected: str) -> None:
    assert sentence(CoreConfig, **fields) == expected


def job_of(tokens: int, head_dim: int, code: PhaseCode | None = None, **terms: Any) -> AttentionJob:
    ones = np.ones((1, tokens, head_dim))
    return prepare(ones, ones, ones, code or PhaseCode(), **terms).job


def test_refused_jobs() -> None:
    config = CoreConfig(lanes=8, tokens=4, head_dim=3, cluster=4)
    config.check_job(job_of(4, 3, bias=np.zeros((1, 4, 4)), mask=np.ones(4, bool)))
    assert sentence(config.check_job, job_of(5, 3)) == (
        "tokens must be at most 4 in this configuration, not 5"
    )
    assert sentence(config.check_job, job_of(4, 4)) == (
        "head_dim must be at most 3 in this configuration, not 4"
    )
    other = NAMED_CODES["T8-3/4"]
    assert sentence(config.check_job, job_of(4, 3, other)) == (
        f"the job's code must be the core's, {config.code}, not {other}"
    )
    plain = dataclasses.replace(config, bias=False, mask=False)
    assert sentence(plain.check_job, job_of(4, 3, mask=np.ones(4, bool))) == (
        "mask must be absent: this configuration has mask = false (a bias of -5000 or less masks too)"
    )
    assert sentence(plain.check_job, job_of(4, 3, bias=np.zeros((1, 4, 4)))) == (
        "bias must be absent: this configuration has bias = false"
    )
    job = job_of(4, 3, bias=np.zeros((1, 4, 4)))
    assert job.bias is not None
    job.bias[0, 2, 1] = -config.bias_limit
    config.check_job(job)
    job.bias[0, 2, 1] -= 1
    assert sentence(config.check_job, job) == (
        f"bias must be at most {config.bias_limit} score units in this configuration "
        f"(score width {config.score_width}), not {config.bias_limit + 1}"
    )


def test_preset_names() -> None:
    assert preset("default") == CoreConfig()
    assert preset("default").code == NAMED_CODES["T16-1/2"]
    assert sentence(preset, "huge") == f"preset must be one of {', '.join(PRESETS)}, not 'huge'"
    assert {config.code for config in PRESETS.values()} == set(NAMED_CODES.values())


def toml(table: dict[str, Any]) -> str:
    """A flat table as TOML; strings, integers and booleans only."""
    shown = {
        k: str(v).lower() if isinstance(v, bool) else f'"{v}"' if isinstance(v, str) else v
        for k, v in table.items()
    }
    return "".join(f"{key} = {value}\n" for key, value in shown.items())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_back_from_their_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "core.toml"
    path.write_text(toml(to_table(PRESETS[name])))
    assert load_config(path) == PRESETS[name]
    path.write_text(f'base = "{name}"\n')
    assert load_config(path) == PRESETS[name]


@given(code=codes(), lanes=st.integers(1, 256), tokens=st.integers(1, 16), taps=st.booleans())
@examples(40)
def test_any_configuration_comes_back_from_its_table(
    code: PhaseCode, lanes: int, tokens: int, taps: bool
) -> None:
    config = CoreConfig(code=code, lanes=lanes, tokens=tokens, cluster=lanes, terms_per_beat=1, taps=taps)
    assert from_table(to_table(config), "table") == config


def test_absent_keys_come_from_the_base() -> None:
    config = from_table({"base": "tiny", "steps": 6, "log2_base": "2/3", "bias": True}, "f.toml")
    assert config == dataclasses.replace(
        PRESETS["tiny"], code=PhaseCode(steps=6, log2_base=Fraction(2, 3), trace_bits=10), bias=True
    )
    assert from_table({}, "f.toml") == CoreConfig()


ALLOWED = (
    "base, steps, log2_base, trace_bits, ramp_bits, lanes, tokens, head_dim, cluster, bias, mask, "
    "terms_per_beat, trace_store, score_store, queued_heads, output, taps"
)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"lane": 8}, f"f.toml: unknown key 'lane'; allowed are {ALLOWED}"),
        ({"code": {}}, f"f.toml: unknown key 'code'; allowed are {ALLOWED}"),
        ({"log2_base": "half"}, "f.toml: log2_base must be a fraction \"a/b\", not 'half'"),
        ({"log2_base": "1/0"}, "f.toml: log2_base must be a fraction \"a/b\", not '1/0'"),
        ({"log2_base": [1, 2]}, 'f.toml: log2_base must be a fraction "a/b", not [1, 2]'),
        ({"log2_base": 0.5}, 'f.toml: log2_base must be a fraction "a/b", not 0.5'),
        ({"log2_base": float("inf")}, 'f.toml: log2_base must be a fraction "a/b", not inf'),
        ({"log2_base": True}, 'f.toml: log2_base must be a fraction "a/b", not True'),
        ({"base": ["tiny"]}, f"f.toml: preset must be one of {', '.join(PRESETS)}, not ['tiny']"),
        (
            {"log2_base": "3"},
            "f.toml: PhaseCode.log2_base must be a fraction a/b in (0, 2] with b at most 8, not 3",
        ),
        ({"steps": 65}, "f.toml: PhaseCode.steps must be an integer in 1..64, not 65"),
        ({"cluster": 3}, "f.toml: CoreConfig.cluster must divide lanes (64), not 3"),
        ({"base": "none"}, f"f.toml: preset must be one of {', '.join(PRESETS)}, not 'none'"),
    ],
)
def test_refused_tables(table: dict[str, Any], expected: str) -> None:
    assert sentence(from_table, table, "f.toml") == expected


def test_refused_files(tmp_path: Path) -> None:
    path = tmp_path / "core.toml"
    assert sentence(load_config, path) == f"{path}: cannot be read (No such file or directory)"
    path.write_text("lanes 8")
    assert sentence(load_config, path).startswith(f"{path}: not a TOML file (")
    path.write_bytes(b"\xff\xfe\x00")
    assert sentence(load_config, path).startswith(f"{path}: not a TOML file (")
    path.write_text("lanes = 8\nlanse = 9\n")
    assert sentence(load_config, path).startswith(f"{path}: unknown key 'lanse'; allowed are base, steps")
