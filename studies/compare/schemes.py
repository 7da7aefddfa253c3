"""Both attention schemes on the same input: spikes, cycles, error and, where measured, area.

Each scheme has its own reference: SpikedAttention approximates softmax attention, stochastic
spiking attention the product of its rates without softmax. The errors say how well each does
what it sets out to do, not which of the two attentions a network needs.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from numpy.typing import NDArray

from golden.attention.config import CoreConfig, lane_per_token
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from golden.toml import read_toml
from studies.attention.spiked import attend as attend_spiked
from studies.attention.stochastic import attend
from synth.figures import ENGINES


def compare(
    arrays: Mapping[str, NDArray[Any]],
    *,
    source: str = "input",
    core: CoreConfig | None = None,
    engine: StochasticConfig | None = None,
    steps: int | None = None,
    seed: int | None = None,
    option: str = "",
) -> dict[str, Any]:
    """Reports of both schemes, cycles by their cycle models.

    Args:
        arrays: q, k, v: rates in 0..1, float [heads, tokens, head_dim].
        source: what to call them in errors.
        core: of SpikedAttention; a lane per token when absent.
        engine: of stochastic attention; the full array when absent.
        steps: T of stochastic attention.
        seed: of its random-number plan; that of the engine (1) when absent.
        option: see `studies.attention.stochastic.attend`.

    Returns:
        spiked and stochastic: the report of `onespike attention`, and under `area` what was
        measured of an engine of exactly this configuration, or None.

    Raises:
        InputError: an array that one of the schemes does not take, or an engine that cannot hold it.
    """
    stochastic = attend(
        arrays, source=source, engine="model", config=engine, steps=steps, seed=seed, option=option
    )
    core = lane_per_token(*arrays["q"].shape[1:]) if core is None else core
    spiked = attend_spiked(
        arrays,
        source=f"{source}: SpikedAttention",
        engine="model",
        config=core,
    )
    # What is drawn is drawn by the stochastic scheme; its seed may be larger than any of the other
    noted = {"seed": stochastic.job.config.plan.seed, "area": spiked_area(core)}
    return {
        "spiked": spiked.report() | noted,
        "stochastic": stochastic.report() | {"area": stochastic_area(stochastic.job.config)},
    }


def spiked_area(core: CoreConfig) -> dict[str, Any] | None:
    """Area of a SpikedAttention core; None where none of its configuration was measured.

    Only cores of `golden.attention.config.lane_per_token` were.
    """
    area = measured_area("spiked", core.tokens, core.head_dim, core.lanes)
    if area is None or core != lane_per_token(core.tokens, core.head_dim):
        return None
    return area


def stochastic_area(config: StochasticConfig) -> dict[str, Any] | None:
    """Area of a stochastic engine; None where none of its size and plan was measured.

    The seed of the plan and the largest T decide constants and no more than a few cells.
    """
    plan = config.plan
    if replace(plan, seed=1) != RandomPlan() or config.mask != "none" or config.encoders:
        return None
    return measured_area("stochastic", config.tokens, config.head_dim, config.rows)


def measured_area(scheme: str, tokens: int, head_dim: int, rows: int) -> dict[str, Any] | None:
    """Area of an engine alone as `onespike dev area` measured it; None where it did not.

    Args:
        rows: rows of units, or token lanes.

    Returns:
        lut4 (LUT4-equivalents after synthesis), flip_flops, block_rams and, after place and route,
        fmax_mhz.
    """
    wanted = {"scheme": scheme, "tokens": tokens, "head_dim": head_dim, "rows": rows}
    for entry in _areas():
        if wanted.items() <= entry.items():
            return {key: value for key, value in entry.items() if key not in wanted}
    return None


@cache
def _areas() -> list[dict[str, Any]]:
    return list(read_toml(ENGINES)["engine"])
