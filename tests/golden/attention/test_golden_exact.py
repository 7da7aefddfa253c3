"""Softmax attention in float64 against its definition."""

import numpy as np

from golden.attention.exact import softmax_attention


def test_against_loops() -> None:
    rng = np.random.default_rng(3)
    q, k, v = rng.standard_normal((3, 2, 5, 4))
    bias = rng.standard_normal((2, 5, 5))
    allowed = rng.random((2, 5, 5)) < 0.6
    allowed[..., 2] = True
    out, weights = softmax_attention(q, k, v, bias, allowed)
    for h, i in np.ndindex(2, 5):
        power = [np.exp(q[h, i] @ k[h, j] / 2 + bias[h, i, j]) if allowed[h, i, j] else 0.0 for j in range(5)]
        expected = np.array(power) / sum(power)
        np.testing.assert_allclose(weights[h, i], expected, rtol=1e-12)
        np.testing.assert_allclose(out[h, i], expected @ v[h], rtol=1e-11, atol=1e-13)


def test_large_logits_do_not_overflow() -> None:
    q = np.full((2, 1), 1e3)
    out, weights = softmax_attention(q, np.array([[1e3], [-1e3]]), np.array([[1.0], [2.0]]))
    assert weights.tolist() == [[1, 0], [1, 0]]
    assert out.tolist() == [[1], [1]]
