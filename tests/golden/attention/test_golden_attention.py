"""Whole attention: the integers of each stage by definition, its inputs, and its extremes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention import job as attention
from golden.attention.exact import softmax_attention
from golden.attention.job import MAX_BIAS_UNITS, Prepared, compute, decode_outputs, prepare, score_unit
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import PhaseCode, decode
from golden.errors import InputError
from tests.golden.golden_cases import NAMED_CODES, SEEDS, codes, examples


def random_job(rng: np.random.Generator, code: PhaseCode, **terms: Any) -> Prepared:
    """A job of a few heads with or without bias, mask and short window."""
    heads, tokens, head_dim = rng.integers(1, [4, 9, 9])
    q, k, v = rng.standard_normal((3, heads, tokens, head_dim)) * 4.0 ** rng.integers(-3, 3, (3, 1, 1, 1))
    if rng.random() < 0.5:
        terms["bias"] = rng.standard_normal((heads, tokens, tokens))
    if rng.random() < 0.5:
        terms["mask"] = rng.random((heads, tokens, tokens)) < 0.7
        terms["mask"][..., rng.integers(tokens)] = True
    if rng.random() < 0.5:
        terms["window"] = int(rng.integers(1, code.steps + 1))
    return prepare(q, k, v, code, **terms)


@given(code=codes(), seed=SEEDS, heads_at_once=st.booleans())
@examples(80)
def test_every_integer_by_definition(code: PhaseCode, seed: int, heads_at_once: bool) -> None:
    rng = np.random.default_rng(seed)
    job = random_job(rng, code).job
    with pytest.MonkeyPatch.context() as patch:
        if not heads_at_once:
            patch.setattr(attention, "BLOCK_SCORES", 1)
        spikes = compute(job)
    table = code.trace.tolist()
    keys = range(job.tokens)
    for h, i in np.ndindex(job.heads, job.tokens):
        takes_part = [job.allowed is None or bool(job.allowed[h, i, j]) for j in keys]
        score = []
        for j in keys:
            total = 0 if job.bias is None else int(job.bias[h, i, j])
            for n in range(job.head_dim):
                sign = int(job.q.sign[h, i, n]) * int(job.k.sign[h, j, n])
                if sign:
                    total += sign * table[int(job.q.phase[h, i, n]) + int(job.k.phase[h, j, n])]
            score.append(total)
            if takes_part[j]:
                assert spikes.score[h, i, j] == total
        best = max(score[j] for j in keys if takes_part[j])
        assert spikes.winner[h, i] == best
        step = int(job.ramp_step[h])
        phases = []
        for j in keys:
            fires = [
                t
                for t in range(job.window)
                if takes_part[j] and (best - score[j]) * 2**code.ramp_bits <= step // 2 + t * step
            ]
            phases.append(fires[0] if fires else -1)
        assert spikes.attn_phase[h, i].tolist() == phases
        normaliser = sum(table[t] for t in phases if t >= 0)
        assert spikes.normaliser[h, i] == normaliser
        for n in range(job.head_dim):
            context = sum(
                int(job.v.sign[h, j, n]) * table[t + int(job.v.phase[h, j, n])]
                for j, t in enumerate(phases)
                if t >= 0 and job.v.sign[h, j, n]
            )
            assert spikes.context[h, i, n] == context
            reached = []
            for p in range(code.steps):
                octaves, residue = divmod(code.log2_base.numerator * p, code.log2_base.denominator)
                if abs(context) << (16 + octaves) >= normaliser * int(job.ratio[h, residue]):
                    reached.append(p)
            assert spikes.out.phase[h, i, n] == (reached[0] if reached else code.steps)
            assert spikes.out.sign[h, i, n] == (np.sign(context) if reached else 0)


@pytest.mark.parametrize(
    ("name", "least"),
    # Neighbouring codes of the coarsest base lie a factor of 1.68 apart, of the others 1.15 to 1.41
    [("T16-1/2", 0.98), ("T40-1/5", 0.99), ("T8-3/4", 0.95), ("T24-2/7", 0.99)],
)
def test_close_to_softmax_attention(name: str, least: float) -> None:
    code = NAMED_CODES[name]
    rng = np.random.default_rng(5)
    q, k, v = rng.standard_normal((3, 4, 48, 32))
    bias = rng.standard_normal((4, 48, 48)) / 2
    mask = np.tril(np.ones((48, 48), bool))
    job, scales = prepare(q, k, v, code, bias=bias, mask=mask)
    out, raw = decode_outputs(job, compute(job), scales)
    exact, _ = softmax_attention(q, k, v, bias, mask)
    assert out.dtype == raw.dtype == np.float32
    for approximate in (out, raw):
        cosine = (approximate * exact).sum() / np.linalg.norm(approximate) / np.linalg.norm(exact)
        assert cosine > least


def test_outputs_are_decoded_codes_and_the_quotient() -> None:
    rng = np.random.default_rng(6)
    job, scales = random_job(rng, PhaseCode())
    spikes = compute(job)
    out, raw = decode_outputs(job, spikes, scales)
    assert (out == decode(spikes.out, scales.o[:, None, None], job.code).astype(np.float32)).all()
    h, i, n = 0, job.tokens - 1, 0
    quotient = scales.v[h] * int(spikes.context[h, i, n]) / int(spikes.normaliser[h, i])
    assert raw[h, i, n] == np.float32(quotient)


def test_one_head_may_come_without_its_axis() -> None:
    rng = np.random.default_rng(7)
    q, k, v = rng.standard_normal((3, 5, 4))
    bias = rng.standard_normal((5, 5))
    mask = np.eye(5, dtype=bool) | (rng.random((5, 5)) < 0.5)
    flat = compute(prepare(q, k, v, PhaseCode(), bias=bias, mask=mask).job)
    whole = compute(prepare(q[None], k[None], v[None], PhaseCode(), bias=bias[None], mask=mask[None]).job)
    assert flat.context.shape == (1, 5, 4)
    assert (flat.context == whole.context).all()


def test_mask_of_keys_serves_every_row() -> None:
    rng = np.random.default_rng(8)
    q, k, v = rng.standard_normal((3, 2, 6, 4))
    keep = np.array([True, False, True, True, False, True])
    some = compute(prepare(q, k, v, PhaseCode(), mask=keep, scale_o=[1, 1]).job)
    # The same as leaving these keys out, for the rows that stay
    used = prepare(q, k, v, PhaseCode(), scale_o=[1, 1]).scales
    q2, k2, v2 = (x[:, keep] for x in (q, k, v))
    scales = {"scale_q": used.q, "scale_k": used.k, "scale_v": used.v, "scale_o": [1, 1]}
    fewer = compute(prepare(q2, k2, v2, PhaseCode(), **scales).job)
    assert (some.attn_phase[:, :, ~keep] == -1).all()
    assert (some.attn_phase[:, keep][:, :, keep] == fewer.attn_phase).all()
    assert (some.context[:, keep] == fewer.context).all()
    assert (some.out.phase[:, keep] == fewer.out.phase).all()


def test_window_cuts_the_late_keys_only() -> None:
    rng = np.random.default_rng(9)
    q, k, v = 3 * rng.standard_normal((3, 2, 12, 8))
    whole = compute(prepare(q, k, v, PhaseCode()).job)
    for window in (1, 5, 16):
        short = compute(prepare(q, k, v, PhaseCode(), window=window).job)
        expected = np.where(whole.attn_phase < window, whole.attn_phase, -1)
        assert (short.attn_phase == expected).all()
    assert (whole.attn_phase >= 5).any()


def test_bias_is_rounded_to_score_units() -> None:
    code = PhaseCode()
    q, k, v = np.ones((3, 1, 2, 4))
    alpha = score_unit(1.0, 1.0, 4, code)
    assert alpha == 1 / 2 / 4096
    bias = alpha * np.array([[[0.49, 0.5], [-0.5, -0.51]]])
    job = prepare(q, k, v, code, bias=bias).job
    assert job.bias is not None
    assert job.bias.tolist() == [[[0, 1], [0, -1]]]
    assert compute(job).score.tolist() == [[[16384, 16385], [16384, 16383]]]


def test_largest_bias() -> None:
    q, k, v = np.ones((3, 1, 2, 4))
    alpha = score_unit(1.0, 1.0, 4, PhaseCode())
    bias = np.zeros((1, 2, 2))
    bias[0, 1, 1] = (MAX_BIAS_UNITS - 1) * alpha
    spikes = compute(prepare(q, k, v, PhaseCode(), bias=bias).job)
    assert spikes.attn_phase.tolist() == [[[0, 0], [-1, 0]]]
    bias[0, 1, 1] = MAX_BIAS_UNITS * alpha
    with pytest.raises(InputError) as raised:
        prepare(q, k, v, PhaseCode(), bias=bias)
    assert str(raised.value) == (
        "bias must stay below 2.74878e+11 in magnitude at these scales, not 2.74878e+11 "
        "(-5000 or less masks a key)"
    )


@pytest.mark.parametrize("code", NAMED_CODES.values(), ids=NAMED_CODES)
@pytest.mark.parametrize("size", [1e-4, 1e-5, 3e-6])
def test_tiny_scores_beside_a_bias(code: PhaseCode, size: float) -> None:
    """A score unit is tiny, so the ramp step is huge, and so is the bias: neither may be clipped."""
    rng = np.random.default_rng(13)
    q, k, v = size * rng.standard_normal((3, 1, 4, 16))
    bias = np.zeros((1, 4, 4))
    bias[0, :, 2], bias[0, :, 3] = -0.5, -1.5
    job = prepare(q, k, v, code, bias=bias).job
    spikes = compute(job)
    alpha = float(np.abs(q).max() * np.abs(k).max() / 4 / 2.0**code.trace_bits)
    step = math.floor(2.0**code.ramp_bits * math.log(code.base) / alpha + 0.5)
    assert int(job.ramp_step[0]) == pytest.approx(step, rel=1e-12)
    assert size == 1e-4 or step > 2**40
    for i, j in np.ndindex(4, 4):
        late = (int(spikes.winner[0, i]) - int(spikes.score[0, i, j])) << code.ramp_bits
        ramp = int(job.ramp_step[0])
        first = next(t for t in range(code.steps) if late <= ramp // 2 + t * ramp)
        assert spikes.attn_phase[0, i, j] == first
        # Scores are as good as nothing, so the phase is that of the bias
        assert first == round(float(-bias[0, i, j] / math.log(code.base)))


@pytest.mark.parametrize("code", NAMED_CODES.values(), ids=NAMED_CODES)
@pytest.mark.parametrize("silent", ["q", "k", "v", "qkv"])
def test_zero_tensors(code: PhaseCode, silent: str) -> None:
    rng = np.random.default_rng(10)
    arrays = {name: rng.standard_normal((2, 5, 3)) * (name not in silent) for name in "qkv"}
    job, scales = prepare(**arrays, code=code)
    spikes = compute(job)
    if silent == "v":
        assert (spikes.context == 0).all()
    else:  # all scores are equal: every key is a winner
        assert (spikes.score == 0).all()
        assert (spikes.attn_phase == 0).all()
        assert (spikes.normaliser == 5 << code.trace_bits).all()
    if "v" in silent:
        assert (spikes.out.sign == 0).all()
        assert (spikes.out.phase == code.steps).all()
        assert all((x == 0).all() for x in decode_outputs(job, spikes, scales))


def test_one_token_attends_to_itself() -> None:
    v = np.array([[0.5, -1.0, 0.0]])
    job, scales = prepare(np.ones((1, 3)), -np.ones((1, 3)), v, PhaseCode())
    spikes = compute(job)
    assert spikes.attn_phase.tolist() == [[[0]]]
    assert spikes.score.tolist() == [[[-3 * 4096]]]
    assert decode_outputs(job, spikes, scales)[1].tolist() == [[[0.5, -1.0, 0.0]]]


@pytest.mark.parametrize(("size", "step"), [(1e-100, MAX_RAMP_STEP), (1e38, 0)])
def test_scales_at_their_ends(size: float, step: int) -> None:
    rng = np.random.default_rng(11)
    q, k = rng.choice([-size, size], (2, 1, 6, 5))
    job = prepare(q, k, rng.standard_normal((1, 6, 5)), PhaseCode()).job
    assert job.ramp_step.tolist() == [step]
    spikes = compute(job)
    if step:
        assert (spikes.attn_phase == 0).all()
    else:
        assert ((spikes.attn_phase == 0) == (spikes.score == spikes.winner[..., None])).all()


def test_calibrated_output_scale_stays_in_its_range() -> None:
    v = np.array([[[1.0], [-1.0]]])  # attention cancels: the exact output is zero
    scales = prepare(np.zeros((1, 2, 1)), np.zeros((1, 2, 1)), v, PhaseCode()).scales
    assert scales.o.tolist() == [1.0]  # nothing to calibrate from
    v = np.array([[[1.0], [-1.0 + 1e-6]]])
    scales = prepare(np.zeros((1, 2, 1)), np.zeros((1, 2, 1)), v, PhaseCode()).scales
    assert scales.o.tolist() == [2.0**-8]
    # Values beyond a given scale saturate, so the output does too
    threes = np.full((1, 2, 1), 3.0)
    scales = prepare(np.zeros((1, 2, 1)), np.zeros((1, 2, 1)), threes, PhaseCode(), scale_v=0.5).scales
    assert scales.o.tolist() == [0.5]


ONES = np.ones((2, 3, 4))


def ones_but(value: object) -> Any:
    array = np.ones((2, 3, 4), dtype=object if isinstance(value, str) else float)
    array[1, 2, 0] = value
    return array


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"q": np.ones(4)}, "q must have 2 or 3 dimensions, not 1 (shape [4])"),
        ({"v": np.ones((1, 2, 3, 4))}, "v must have 2 or 3 dimensions, not 4 (shape [1, 2, 3, 4])"),
        ({"k": np.ones((2, 3, 5))}, "k must have the shape of q, [2, 3, 4], not [2, 3, 5]"),
        ({"v": np.ones((3, 4))}, "v must have the shape of q, [2, 3, 4], not [1, 3, 4]"),
        ({"q": np.ones((2, 0, 4))}, "q must not be empty, its shape is [2, 0, 4]"),
        ({"q": ONES.astype(complex)}, "q must be an array of real numbers, not of complex128"),
        ({"k": ONES > 0}, "k must be an array of real numbers, not of bool"),
        ({"k": ones_but("x")}, "k must be an array of real numbers, not of object"),
        ({"q": ones_but(np.nan)}, "q must be finite, not nan at [1, 2, 0]"),
        ({"v": ones_but(-np.inf)}, "v must be finite, not -inf at [1, 2, 0]"),
        ({"k": ones_but(-1.1e100)}, "k must be at most 3.40282e+38 in magnitude, not -1.1e+100"),
        ({"k": ONES * 1e-101}, "scale_k must be at least 1e-100, not 1e-101"),
        ({"window": 0}, "window must be an integer in 1..16, not 0"),
        ({"window": 17}, "window must be an integer in 1..16, not 17"),
        ({"bias": np.ones((2, 3, 4))}, "bias must have the shape [2, 3, 3], not [2, 3, 4]"),
        ({"bias": np.ones((3, 3))}, "bias must have the shape [2, 3, 3], not [1, 3, 3]"),
        ({"bias": np.ones(3)}, "bias must have 2 or 3 dimensions, not 1 (shape [3])"),
        ({"bias": np.full((2, 3, 3), np.nan)}, "bias must be finite, not nan at [0, 0, 0]"),
        ({"mask": np.ones(3)}, "mask must be an array of bool, not of float64"),
        (
            {"mask": np.ones((2, 3), bool)},
            "mask must have the shape [3] or [2, 3, 3], not [2, 3]",
        ),
        (
            {"mask": np.zeros(3, bool)},
            "mask must allow at least one key in each row, none in head 0, row 0",
        ),
        (
            {"mask": np.arange(18).reshape(2, 3, 3) < 15},
            "mask must allow at least one key in each row, none in head 1, row 2",
        ),
        ({"scale_q": [1.0, 2.0, 3.0]}, "scale_q must have the shape [2], not [3]"),
        ({"scale_k": [1.0, 0.0]}, "scale_k must be positive, not 0"),
        ({"scale_v": -2.0}, "scale_v must be positive, not -2"),
        ({"scale_v": [1.0, 1e-101]}, "scale_v must be at least 1e-100, not 1e-101"),
        ({"scale_o": [np.inf, 1.0]}, "scale_o must be finite, not inf at [0]"),
        ({"scale_o": [[1.0, 1.0]]}, "scale_o must have 0 or 1 dimensions, not 2 (shape [1, 2])"),
        (
            {"scale_o": 100.0},
            "scale_o/scale_v must be in 2^-16..2^3, not 100 (scale_o 100, scale_v 1)",
        ),
    ],
)
def test_refused_inputs(changes: dict[str, Any], expected: str) -> None:
    inputs = {"q": ONES, "k": ONES, "v": ONES, "code": PhaseCode()} | changes
    with pytest.raises(InputError) as raised:
        prepare(**inputs)
    assert str(raised.value) == expected


def test_inputs_are_left_as_they_were() -> None:
    rng = np.random.default_rng(12)
    arrays = dict(zip("qkv", rng.standard_normal((3, 2, 5, 4)).astype(np.float32), strict=True))
    before = {name: array.copy() for name, array in arrays.items()}
    job = prepare(**arrays, code=PhaseCode(), bias=np.zeros((2, 5, 5))).job
    first = compute(job)
    assert all((arrays[name] == before[name]).all() for name in arrays)
    assert (compute(job).context == first.context).all()
    assert job.bias is not None
    assert (job.bias == 0).all()
