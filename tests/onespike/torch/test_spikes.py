"""Attention in tensors computes golden's integers, whatever the shape, the mask and the code."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="attention of PyTorch needs torch")

import onespike.torch  # noqa: E402
from golden.attention import job as golden  # noqa: E402
from golden.code import PhaseCode  # noqa: E402
from onespike.torch import run as runs  # noqa: E402
from onespike.torch import spikes as tensors  # noqa: E402
from tests.onespike.torch.golden_twin import assert_equal  # noqa: E402

CODES = {
    "default": PhaseCode(),
    "coarse": PhaseCode(steps=5, log2_base=Fraction(2), trace_bits=4, ramp_bits=0),
    "long": PhaseCode(steps=40, log2_base=Fraction(1, 5), trace_bits=16, ramp_bits=8),
    "one step": PhaseCode(steps=1, log2_base=Fraction(3, 8)),
    "odd": PhaseCode(steps=63, log2_base=Fraction(7, 4), trace_bits=9, ramp_bits=3),
}
# heads of query and of key, queries, keys, features, values
SHAPES = {
    "square": (3, 3, 7, 7, 8, 8),
    "groups": (6, 2, 9, 9, 4, 4),
    "one query": (4, 1, 1, 12, 8, 8),
    "fewer keys": (2, 2, 11, 3, 5, 7),
    "one of each": (1, 1, 1, 1, 1, 1),
}


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Jobs and spikes of everything that is computed from here on."""
    found = []

    def compute(job: Any) -> Any:
        spikes = tensors.compute(job)
        found.append((job, spikes))
        return spikes

    monkeypatch.setattr(runs, "compute", compute)
    return found


def drawn(seed: int, batch: int, shape: tuple[int, ...], dtype: Any = None) -> list[Any]:
    """Random q, k, v; some heads are all zero."""
    torch.manual_seed(seed)
    heads, own, queries, keys, features, values = shape
    sizes = ((heads, queries, features), (own, keys, features), (own, keys, values))
    tensors = [torch.randn(batch, *size) * 3 for size in sizes]
    tensors[2][0, 0] = 0
    return [x if dtype is None else x.to(dtype) for x in tensors]


def masks(seed: int, batch: int, shape: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """Options that say which keys a row attends; some rows attend none."""
    torch.manual_seed(seed)
    heads, _, queries, keys, *_ = shape
    padding = torch.rand(batch, 1, 1, keys) < 0.7
    bias = torch.randn(heads, queries, keys) * 2
    return {
        "none": {},
        "causal": {"is_causal": True},
        "padding": {"attn_mask": padding},
        "bool": {"attn_mask": torch.rand(batch, heads, queries, keys) < 0.6},
        "bias": {"attn_mask": bias},
        "bias and -inf": {"attn_mask": bias.masked_fill(~padding, -torch.inf)},
        "lowest": {
            "attn_mask": torch.zeros(queries, keys)
            .masked_fill(torch.rand(queries, keys) < 0.3, torch.finfo(torch.float32).min)
        },
        "huge bias": {"attn_mask": bias.double() * 1e9},
    }  # fmt: skip


@pytest.mark.parametrize("kind", masks(0, 1, SHAPES["square"]))
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_masks_and_codes(code: PhaseCode, kind: str, computed: list[tuple[Any, Any]]) -> None:
    shape = SHAPES["square"]
    options = masks(1, 2, shape)[kind]
    with onespike.torch.spiking_attention(
        steps=code.steps, log2_base=code.log2_base, trace_bits=code.trace_bits, ramp_bits=code.ramp_bits,
        window=max(1, code.steps - 2),
    ):  # fmt: skip
        onespike.torch.scaled_dot_product_attention(*drawn(2, 2, shape), **options)
    for job, spikes in computed:
        assert (job.code, job.window) == (code, max(1, code.steps - 2))
        assert_equal(job, spikes)


@pytest.mark.parametrize("kind", ["none", "causal", "padding", "bias and -inf"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shapes(shape: tuple[int, ...], kind: str, computed: list[tuple[Any, Any]]) -> None:
    q, k, v = drawn(3, 3, shape)
    out = onespike.torch.scaled_dot_product_attention(q, k, v, enable_gqa=True, **masks(4, 3, shape)[kind])
    assert out.shape == (*q.shape[:-1], shape[-1])
    for job, spikes in computed:
        assert_equal(job, spikes)


def test_floats_are_those_of_golden() -> None:
    """From floats to floats: scales, codes and decoded outputs of every head are golden's."""
    q, k, v = drawn(5, 2, SHAPES["square"])
    mask = torch.rand(2, 1, 7, 7) < 0.7
    mask[..., 0] = True
    bias = torch.randn(2, 3, 7, 7).masked_fill(~mask, -torch.inf)
    for options, terms in (
        ({}, {}),
        ({"attn_mask": mask}, {"mask": mask.expand(2, 3, 7, 7).flatten(0, 1).numpy()}),
        ({"attn_mask": bias}, {"bias": bias.flatten(0, 1).numpy()}),
    ):
        out = onespike.torch.scaled_dot_product_attention(q, k, v, **options)
        heads = [x.flatten(0, 1).numpy() for x in (q, k, v)]
        job, scales = golden.prepare(*heads, PhaseCode(), **terms)
        expected, _ = golden.decode_outputs(job, golden.compute(job), scales)
        assert np.array_equal(out.flatten(0, 1).numpy(), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_types(dtype: str) -> None:
    """Inputs are what they stand for, the output is rounded to their type."""
    q, k, v = drawn(6, 1, SHAPES["square"], getattr(torch, dtype))
    out = onespike.torch.scaled_dot_product_attention(q, k, v)
    wide = onespike.torch.scaled_dot_product_attention(q.double(), k.double(), v.double())
    assert out.dtype == q.dtype
    assert torch.equal(out, wide.to(q.dtype))


def test_scale() -> None:
    """A factor of two of the logits is the same as one of the queries."""
    q, k, v = drawn(7, 1, SHAPES["groups"])
    attention = onespike.torch.scaled_dot_product_attention
    usual = attention(4 * q, k, v, enable_gqa=True)
    assert torch.equal(attention(q, k, v, scale=4 / 2, enable_gqa=True), usual)  # 4 features
    assert not torch.equal(attention(q, k, v, enable_gqa=True), usual)


def test_blocks_of_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many heads are computed at a time, and whoever is beside them in the batch."""
    q, k, v = drawn(8, 5, SHAPES["groups"])
    whole = onespike.torch.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    alone = [
        onespike.torch.scaled_dot_product_attention(*x, enable_gqa=True) for x in zip(q, k, v, strict=True)
    ]
    monkeypatch.setattr("onespike.torch.job.BLOCK_ENTRIES", 16 * 9 * 4 * 4)  # 4 of 6 heads
    assert torch.equal(onespike.torch.scaled_dot_product_attention(q, k, v, enable_gqa=True), whole)
    assert torch.equal(torch.stack(alone), whole)


@pytest.mark.parametrize("step", [0, 1, 5, 1 << 40, 1 << 62])
@pytest.mark.parametrize("small", [True, False])
def test_ramp(step: int, small: bool) -> None:
    """Ramp steps that no scale gives, and scores up to the limits of both ways to the quotient."""
    code = PhaseCode(ramp_bits=8 if step else 0)
    rng = np.random.default_rng(step % 97)
    limit = 1 << (25 if small else 51)
    score = rng.integers(-limit, limit, (2, 6, 9))
    score[0] = rng.integers(-4, 5, (6, 9))
    score[:, :, 1] = score[:, :, 0]
    steps = np.array([step, step], np.int64)
    winner, fired = golden.spike_shift(score.copy(), steps, code, 12)
    ours, spikes = tensors.spike_shift(torch.tensor(score), torch.tensor(steps), code, 12, None, small=small)
    assert np.array_equal(ours, winner)
    assert np.array_equal(spikes.phase, fired.phase)
    assert np.array_equal(spikes.sign, fired.sign)


def test_long_sums_leave_float32() -> None:
    """Beyond 2**24 the products are summed in float64."""
    code = PhaseCode(trace_bits=16)
    sign = np.ones((1, 3, 300), np.int8)
    phase = np.zeros_like(sign)
    phase[0, 1] = np.arange(300) % 16
    left = golden.Spikes(sign, phase)
    expected = golden.trace_product(left, golden.transpose(left), code)
    assert expected.max() == 300 << 16 > tensors.EXACT_FLOAT32
    ours = tensors.Spikes(torch.tensor(sign), torch.tensor(phase))
    right = tensors.Spikes(ours.sign.transpose(1, 2), ours.phase.transpose(1, 2))
    assert np.array_equal(tensors.trace_product(ours, right, code), expected)


def bad(**changes: Any) -> Callable[[], Any]:
    q, k, v = drawn(9, 1, SHAPES["groups"])
    given = {"query": q, "key": k, "value": v, "enable_gqa": True} | changes
    return lambda: onespike.torch.scaled_dot_product_attention(**given)


def nan() -> Any:
    x = torch.zeros(1, 2, 9, 4)
    x[0, 1, 3, 2] = torch.nan
    return x


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (bad(dropout_p=0.1), r"dropout_p must be 0, not 0.1: .*model.eval\(\)"),
        (bad(query=[1.0]), "query must be a tensor of floating-point numbers, not list"),
        (bad(key=torch.ones(1, 2, 9, 4).int()), "key must be a tensor of floating-.*, not torch.int32"),
        (bad(value=torch.ones(1, 2, 9, 4, device="meta")), "value must be on cpu or cuda, .* not on meta"),
        (bad(query=torch.ones(4)), r"query must be \[.*\] with at least one of each, not \[4\]"),
        (bad(key=torch.ones(1, 2, 0, 4)), r"key must be .*, not \[1, 2, 0, 4\]"),
        (bad(key=torch.ones(1, 4, 9, 4)), "heads of key must be a divisor of query's 6, not 4"),
        (bad(enable_gqa=False), r"heads of key must be 6, as query \(or enable_gqa\), not 2"),
        (bad(key=torch.ones(1, 2, 9, 5)), r"query and key must have the same features.*\[1, 6, 9, 5\]"),
        (bad(key=torch.ones(1, 2, 8, 4)), "key and value the same tokens"),
        (bad(query=torch.ones(3, 6, 9, 4), key=torch.ones(2, 2, 9, 4)), "batches of query, key and value"),
        (bad(scale=-1.0), "scale must be positive and finite, not -1.0"),
        (bad(scale=float("nan")), "scale must be positive and finite, not nan"),
        (bad(attn_mask=torch.ones(9, 9) > 0, is_causal=True), "attn_mask must be absent where is_causal"),
        (bad(attn_mask=torch.ones(9, 8)), r"attn_mask must fit \[1, 6, 9, 9\], not have the shape \[9, 8\]"),
        (bad(attn_mask=torch.ones(9, 9).int()), "attn_mask must be of bool or floating-point numbers"),
        (bad(attn_mask=torch.full((9, 9), torch.nan)), "attn_mask must be finite, not nan"),
        (bad(attn_mask=torch.full((9, 9), 1e30)), "attn_mask must stay below .* in magnitude"),
        (bad(key=nan()), "key must be finite, not nan"),
        (bad(value=nan().double().nan_to_num(1e300)), r"value must be at most 3.40282e\+38"),
    ],
)  # fmt: skip
def test_bad_input(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(onespike.InputError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_unattended_keys_may_be_anything() -> None:
    q, k, v = drawn(10, 1, SHAPES["square"])
    mask = torch.ones(7) > 0
    mask[3] = False
    outputs = []
    for filling in (0.0, 1e30, torch.nan):
        k[..., 3, :] = v[..., 3, :] = filling
        outputs.append(onespike.torch.scaled_dot_product_attention(q, k, v, attn_mask=mask.expand(7, 7)))
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])
