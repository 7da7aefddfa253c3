"""Attention of arrays in Python, in every scheme."""

from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.integer.config import IntegerConfig
from golden.stochastic.config import StochasticConfig
from studies.attention import integer, spiked, stochastic
from studies.attention.integer import IntegerResult
from studies.attention.spiked import AttentionResult
from studies.attention.stochastic import StochasticResult

Engine = Literal["golden", "model", "rtl"]


def attention(
    q: NDArray[Any],
    k: NDArray[Any],
    v: NDArray[Any],
    *,
    engine: Engine = "golden",
    config: CoreConfig | None = None,
    window: int | None = None,
    bias: NDArray[Any] | None = None,
    mask: NDArray[Any] | None = None,
    scale_q: NDArray[Any] | None = None,
    scale_k: NDArray[Any] | None = None,
    scale_v: NDArray[Any] | None = None,
    scale_o: NDArray[Any] | None = None,
    waves: str | Path | None = None,
) -> AttentionResult:
    """SpikedAttention of arrays: one-spike phase codes, WOSS in place of softmax.

    Source: SpikedAttention (NeurIPS 2024), section 3.

    Args:
        q, k, v: float [heads, tokens, head_dim], or [tokens, head_dim] for one head; finite.
        engine: golden computes the integers, model also predicts the cycles, rtl runs the generated
            hardware in Verilator. All give the same integers.
        config: of the core; the preset `default` when absent. Golden takes its code alone, any shape.
        window: steps of the WOSS ramp, 1..T; T when absent.
        bias: float [heads, tokens, tokens], added to the logits; -5000 or less masks the key.
        mask: bool [tokens] or [heads, tokens, tokens]; True = may be attended.
        scale_q, scale_k, scale_v, scale_o: float [heads], the value of a spike of phase 0; from the data
            when absent.
        waves: .fst file to write, beside a folder .views with what to view it with; rtl only.

    Returns:
        `out` and `out_raw`, float32 [heads, tokens, head_dim]; `spikes`, the integers; `cycles`;
        `arrays()` and `report()`, what `onespike attention` writes.

    Raises:
        InputError: an array, option or size that cannot be used, or no C++ compiler (rtl).

    >>> import numpy as np, onespike
    >>> q, k, v = np.random.default_rng(0).normal(size=(3, 2, 5, 8))
    >>> result = onespike.attention(q, k, v, engine="model", config=onespike.PRESETS["tiny"])
    >>> result.out.shape, result.out.dtype.name
    ((2, 5, 8), 'float32')
    >>> print(f"cosine {result.report()['error']['out']['cosine']:.2f}, {result.cycles.total + 1} cycles")
    cosine 0.98, 415 cycles
    """
    given = {"bias": bias, "mask": mask}
    given |= {"scale_q": scale_q, "scale_k": scale_k, "scale_v": scale_v, "scale_o": scale_o}
    arrays = {"q": q, "k": k, "v": v} | {name: a for name, a in given.items() if a is not None}
    return spiked.attend(
        arrays, engine=engine, config=config, window=window, waves=None if waves is None else Path(waves)
    )


def stochastic_attention(
    q: NDArray[Any],
    k: NDArray[Any],
    v: NDArray[Any],
    *,
    engine: Engine = "golden",
    config: StochasticConfig | None = None,
    steps: int | None = None,
    seed: int | None = None,
    waves: str | Path | None = None,
) -> StochasticResult:
    """Stochastic spiking attention (SSA) of rates or trains: Bernoulli spikes, AND gates, counters.

    Source: Stochastic Spiking Attention (AICAS 2024), section III.

    Args:
        q, k, v: rates in 0..1, float [heads, tokens, head_dim] or [tokens, head_dim]; or trains of 0 and
            1 [steps, heads, tokens, head_dim].
        engine: see `attention`.
        config: of the engine; a full array that fits the input when absent.
        steps: T; 16, or as the trains, when absent.
        seed: of the random-number plan, at least 1; that of the configuration when absent.
        waves: .fst file to write, beside a folder .views with what to view it with; rtl only.

    Returns:
        `spikes`, with `rate` float64 [heads, tokens, head_dim]; `expected`, likewise; `cycles`; `arrays()`
        and `report()`, what `onespike attention --scheme stochastic` writes.

    Raises:
        InputError: an array, option or size that cannot be used, or no C++ compiler (rtl).

    >>> import numpy as np, onespike
    >>> q, k, v = np.random.default_rng(0).random((3, 2, 5, 8))
    >>> result = onespike.stochastic_attention(q, k, v, steps=32, seed=3)
    >>> result.spikes.out.shape
    (32, 2, 5, 8)
    >>> print(f"{result.report()['error']['rmse']:.2f}")
    0.07
    """
    return stochastic.attend(
        {"q": q, "k": k, "v": v},
        engine=engine,
        config=config,
        steps=steps,
        seed=seed,
        waves=None if waves is None else Path(waves),
    )


def integer_attention(
    q: NDArray[Any],
    k: NDArray[Any],
    v: NDArray[Any],
    *,
    engine: Engine = "golden",
    config: IntegerConfig | None = None,
    bias: NDArray[Any] | None = None,
    mask: NDArray[Any] | None = None,
    scale_q: NDArray[Any] | None = None,
    scale_k: NDArray[Any] | None = None,
    scale_v: NDArray[Any] | None = None,
    scale_o: NDArray[Any] | None = None,
    waves: str | Path | None = None,
) -> IntegerResult:
    """Softmax attention in integers of a few bits: what the spiking cores are measured against.

    Args:
        q, k, v, engine, bias, mask, waves: see `attention`.
        config: of the core, which says how many bits; 8 when absent.
        scale_q, scale_k, scale_v, scale_o: float [heads], the value of the largest code; from the data when
            absent.

    Returns:
        `out` and `out_raw`, float32 [heads, tokens, head_dim]; `integers`; `cycles`; `arrays()` and
        `report()`, what `onespike attention --scheme integer` writes.

    Raises:
        InputError: an array, option or size that cannot be used, or no C++ compiler (rtl).

    >>> import numpy as np, onespike
    >>> q, k, v = np.random.default_rng(0).normal(size=(3, 2, 5, 8))
    >>> result = onespike.integer_attention(q, k, v)
    >>> print(f"cosine {result.report()['error']['out']['cosine']:.4f}")
    cosine 1.0000
    """
    given = {"bias": bias, "mask": mask}
    given |= {"scale_q": scale_q, "scale_k": scale_k, "scale_v": scale_v, "scale_o": scale_o}
    arrays = {"q": q, "k": k, "v": v} | {name: a for name, a in given.items() if a is not None}
    return integer.attend(arrays, engine=engine, config=config, waves=None if waves is None else Path(waves))
