"""A masked key takes no part, however the mask is written and whatever the key holds."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.attention import literal
from golden.attention.exact import softmax_attention
from golden.attention.job import AttentionSpikes, Prepared, compute, decode_outputs, prepare
from golden.code import PhaseCode
from golden.errors import InputError
from golden.inputs import MASKING_BIAS
from models.floating.recording import RecordingEngine

Arrays = dict[str, Any]
LOWEST = [float(np.finfo(dtype).min) for dtype in (np.float16, np.float32, np.float64)]
# What frameworks write for "masked", alone and with a logit added to it
WRITTEN = [-np.inf, *LOWEST, -1e9, -1e4, -1e4 + 30, MASKING_BIAS]
ANYTHING = [np.nan, np.inf, -np.inf, 1e300, -1e300, 3e38, -1e4, 7.0]
SHAPE = (2, 5, 4)
AT_BOUND = "(-5000 or less masks a key)"


def inputs(seed: int = 1) -> Arrays:
    rng = np.random.default_rng(seed)
    return dict(zip("qkv", rng.standard_normal((3, *SHAPE)), strict=True))


def keys_and_pairs() -> NDArray[np.bool_]:
    """Key 3 masked in every row, key 0 in some, differently per head."""
    mask = np.ones((2, 5, 5), bool)
    mask[..., 3] = False
    mask[0, 2:, 0] = mask[1, :2, 0] = False
    return mask


def assert_same(some: Prepared, others: Prepared, mask: NDArray[np.bool_]) -> None:
    (job, scales), (other, other_scales) = some, others
    one, two = compute(job), compute(other)
    for name in AttentionSpikes.__dataclass_fields__:
        a, b = getattr(one, name), getattr(two, name)
        if name == "score":
            assert (a[mask] == b[mask]).all()
        elif name == "out":
            assert (a.sign == b.sign).all()
            assert (a.phase == b.phase).all()
        else:
            assert (a == b).all(), name
    for name in ("ramp_step", "ratio"):
        assert (getattr(job, name) == getattr(other, name)).all(), name
    for name in "qkvo":
        assert (getattr(scales, name) == getattr(other_scales, name)).all(), name
    for a, b in zip(decode_outputs(job, one, scales), decode_outputs(other, two, other_scales), strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("written", WRITTEN, ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_an_additive_mask_is_a_mask(written: float, scale: float) -> None:
    arrays = {name: scale * array for name, array in inputs().items()}
    mask = keys_and_pairs()
    some = prepare(**arrays, code=PhaseCode(), bias=np.where(mask, 0, written))
    job = some.job
    assert job.bias is None
    assert job.allowed is not None
    assert (job.allowed == mask).all()
    assert_same(some, prepare(**arrays, code=PhaseCode(), mask=mask), mask)


@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_additive_mask_in_a_bias_and_beside_a_mask(written: float) -> None:
    arrays, mask = inputs(), keys_and_pairs()
    bias = np.random.default_rng(2).standard_normal((2, 5, 5))
    of_keys = np.array([True, True, True, False, True])
    wanted = prepare(**arrays, code=PhaseCode(), bias=bias, mask=mask)
    in_bias = np.where(mask, bias, written)
    assert_same(prepare(**arrays, code=PhaseCode(), bias=in_bias), wanted, mask)
    assert_same(prepare(**arrays, code=PhaseCode(), bias=in_bias, mask=of_keys), wanted, mask)


@pytest.mark.parametrize("held", ANYTHING, ids=str)
@pytest.mark.parametrize("name", ["bias", "k", "v"])
def test_what_a_masked_key_holds_is_not_looked_at(name: str, held: float) -> None:
    mask = keys_and_pairs()
    arrays = inputs() | {"bias": np.random.default_rng(3).standard_normal((2, 5, 5)), "mask": mask}
    other = {key: array.copy() for key, array in arrays.items()}
    if name == "bias":
        other["bias"][~mask] = held
    else:
        other[name][:, 3] = held
    some, wanted = prepare(**other, code=PhaseCode()), prepare(**arrays, code=PhaseCode())
    assert_same(some, wanted, mask)
    job = some.job
    assert job.bias is not None
    assert (job.bias[~mask] == 0).all()
    assert (job.k.sign[:, 3] == 0).all()
    for a, b in zip(
        softmax_attention(other["q"], other["k"], other["v"], other["bias"], mask),
        softmax_attention(arrays["q"], arrays["k"], arrays["v"], arrays["bias"], mask),
        strict=True,
    ):
        assert (a == b).all()
    slow, slow_wanted = literal.attention(*some), literal.attention(*wanted)
    assert (slow.attention.phase == slow_wanted.attention.phase).all()
    assert (slow.out.phase == slow_wanted.out.phase).all()


def test_a_key_that_some_row_attends_takes_part() -> None:
    arrays, mask = inputs(), keys_and_pairs()
    arrays["v"][0, 0] = 100  # masked in rows 2.. only
    assert prepare(**arrays, code=PhaseCode(), mask=mask).scales.v[0] == 100
    arrays["v"][0, 0] = np.nan
    with pytest.raises(InputError, match=r"^v must be finite, not nan at \[0, 0, 0\]$"):
        prepare(**arrays, code=PhaseCode(), mask=mask)


def test_recorded_ranges_leave_out_masked_keys() -> None:
    q, k, v = (array[None].astype(np.float32) for array in inputs().values())
    recorded = {}
    for held in (0.0, 1e6):
        engine = RecordingEngine()
        k[:, :, 4], v[:, :, 4] = held, -held
        engine.attention("a", q, k, v, allowed=np.array([True] * 4 + [False])[None, None, None, :])
        recorded[held] = engine.ranges.attention["a"]
    assert (recorded[0.0] == recorded[1e6]).all()


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (np.nan, "bias must be finite, not nan at [1, 2, 4]"),
        (np.inf, "bias must be finite, not inf at [1, 2, 4]"),
        (1e39, "bias must be at most 3.40282e+38 in magnitude, not 1e+39"),
        (1e13, "bias must stay below 1.09951e+12 in magnitude at these scales, not 1e+13 " + AT_BOUND),
    ],
)
def test_refused_bias_of_a_key_that_takes_part(held: float, expected: str) -> None:
    arrays, mask = inputs(), keys_and_pairs()
    bias = np.where(mask, 0.0, np.nan)
    bias[1, 2, 4] = held
    with pytest.raises(InputError) as raised:
        prepare(**arrays, code=PhaseCode(), bias=bias, mask=mask, scale_q=2.0, scale_k=2.0)
    assert str(raised.value) == expected


@pytest.mark.parametrize("masked", [False, True])
def test_row_without_any_key(masked: bool) -> None:
    bias = np.zeros((2, 5, 5))
    bias[1, 3, :4] = -np.inf
    mask = np.ones(5, bool)
    if masked:
        mask[4] = False
    else:
        bias[1, 3, 4] = -1e4
    with pytest.raises(InputError) as raised:
        prepare(**inputs(), code=PhaseCode(), bias=bias, mask=mask)
    assert str(raised.value) == (
        "bias, which masks at -5000 or less, and mask must allow at least one key in each row, "
        "none in head 1, row 3"
    )


def test_just_above_the_bound_is_a_bias() -> None:
    bias = np.zeros((2, 5, 5))
    bias[..., 1] = np.nextafter(MASKING_BIAS, 0)
    job = prepare(**inputs(), code=PhaseCode(), bias=bias).job
    assert job.allowed is None
    assert job.bias is not None
    assert (compute(job).attn_phase[..., 1] == -1).all()
