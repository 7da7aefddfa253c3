"""The comparison of two engines finds every planted difference, and reports the first one."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from golden.attention.config import preset
from golden.attention.job import AttentionJob, AttentionSpikes, compute, prepare
from golden.code import PhaseCode
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.compare import Comparison
from sim.cores.compare import compare as compare_fields

FIELDS = ("score", "winner", "attn_phase", "normaliser", "context", "out_sign", "out_phase")
CORE = SpikedAttentionCore(preset("tiny"))


def compare(job: AttentionJob, expected: AttentionSpikes, actual: AttentionSpikes) -> Comparison:
    arrays = (CORE.fields(job, vars(spikes)) for spikes in (expected, actual))
    return compare_fields(*arrays, CORE.places)


def fields(job: AttentionJob, spikes: AttentionSpikes) -> dict[str, Any]:
    """The arrays of the integers themselves."""
    return {name: np.ma.getdata(array) for name, array in CORE.fields(job, vars(spikes)).items()}


def small_job(masked: bool = False) -> AttentionJob:
    random = np.random.default_rng(3)
    q, k, v = random.normal(size=(3, 2, 5, 4))
    return prepare(q, k, v, PhaseCode(), mask=np.arange(5) != 2 if masked else None).job


def test_equal_engines() -> None:
    job = small_job()
    comparison = compare(job, compute(job), compute(job))
    # per head: scores and attention phases 5x5, winner and normaliser 5, context and both of out 5x4
    assert comparison.compared == 2 * (2 * 25 + 2 * 5 + 3 * 20)
    assert comparison.different == 0
    assert comparison.first_difference is None


@pytest.mark.parametrize("name", FIELDS)
def test_a_difference_in_any_field_is_found(name: str) -> None:
    job = small_job()
    golden, engine = compute(job), compute(job)
    array = fields(job, engine)[name]
    at = (1, 3, 2)[: array.ndim]
    array[at] += 1
    comparison = compare(job, golden, engine)
    assert comparison.different == 1
    index = "[2]" if array.ndim == 3 else ""
    assert comparison.first_difference == (
        f"head 1, row 3, {name}{index}: golden {array[at] - 1}, engine {array[at]}"
    )


def test_first_is_the_earliest_row_then_the_earliest_field() -> None:
    job = small_job()
    golden, engine = compute(job), compute(job)
    engine.score[1, 0, 0] += 1
    engine.context[0, 2, 1] += 1
    engine.normaliser[0, 2] += 1
    engine.out.sign[0, 3, 0] += 1
    comparison = compare(job, golden, engine)
    assert comparison.different == 4
    assert comparison.first_difference is not None
    assert comparison.first_difference.startswith("head 0, row 2, normaliser: ")


def test_scores_of_masked_keys_are_not_compared() -> None:
    job = small_job(masked=True)
    golden, engine = compute(job), compute(job)
    engine.score[:, :, 2] += 7
    comparison = compare(job, golden, engine)
    assert comparison.different == 0
    assert comparison.compared == 2 * (25 + 20 + 2 * 5 + 3 * 20)
    engine.score[0, 0, 1] += 7
    assert compare(job, golden, engine).different == 1


def test_shapes_must_agree() -> None:
    job = small_job()
    golden = compute(job)
    short = dataclasses.replace(golden, winner=golden.winner[:, 1:])
    with pytest.raises(ValueError, match="winner has the shape"):
        compare(job, golden, short)
