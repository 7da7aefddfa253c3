"""Stochastic attention of arrays on any engine: spikes, cycles and a report of the common form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.stochastic.attention import StochasticJob, StochasticSpikes, compute, expectation, prepare
from golden.stochastic.config import MaskKind, StochasticConfig
from golden.stochastic.plan import RandomPlan
from sim.cycles import CycleReport
from sim.report import deviation_report, tool_versions
from sim.rtl.simulator import Progress
from sim.stochastic import rtl
from sim.stochastic.cycle_model import predict

ENGINES = ("golden", "model", "rtl")
INPUTS = ("q", "k", "v")
DEFAULT_STEPS = 16


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run produced.

    Attributes:
        job: the spike trains that went in.
        spikes: what came out.
        cycles: predicted (model) or measured (rtl); None for golden, which knows no time.
        expected: float64 [heads, tokens, head_dim], exact expectation of the output rate.
    """

    job: StochasticJob
    spikes: StochasticSpikes
    cycles: CycleReport | None
    expected: NDArray[np.float64]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of an output file: trains uint8 [steps, heads, tokens, n], rates float32."""
        trains = {"q_train": self.job.q, "k_train": self.job.k, "v_train": self.job.v}
        trains |= {"score": self.spikes.score, "out": self.spikes.out}
        rates = {"out_rate": self.spikes.rate, "expected_rate": self.expected}
        return {n: a.astype(np.uint8) for n, a in trains.items()} | {
            n: a.astype(np.float32) for n, a in rates.items()
        }

    def report(self, engine: str) -> dict[str, Any]:
        """The JSON object of a report; `cycles` is null for golden."""
        job = self.job
        trains = {"q": job.q, "k": job.k, "v": job.v, "score": self.spikes.score, "out": self.spikes.out}
        return {
            "scheme": "stochastic",
            "engine": engine,
            "seed": job.config.plan.seed,
            "shape": {
                "heads": job.heads,
                "tokens": job.config.tokens,
                "head_dim": job.config.head_dim,
                "steps": job.steps,
            },
            "configuration": asdict(job.config),
            "tools": tool_versions(),
            "cycles": None if self.cycles is None else self.cycles.to_json(),
            "firing": {name: float(train.mean()) for name, train in trains.items()},
            "error": {
                "out": deviation_report(self.spikes.rate, self.expected),
                "rmse": float(np.sqrt(((self.spikes.rate - self.expected) ** 2).mean())),
                "bias": float((self.spikes.rate - self.expected).mean()),
            },
        }


def attend(
    arrays: Mapping[str, NDArray[Any]],
    *,
    engine: str = "golden",
    steps: int | None = None,
    seed: int = 1,
    rows: int | None = None,
    mask: MaskKind = "none",
    waves: Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Attention of the arrays of a file.

    Args:
        arrays: q, k, v: rates in 0..1 [heads, tokens, head_dim] (or [tokens, head_dim]), or trains
            of 0 and 1 [steps, heads, tokens, head_dim].
        engine: golden, model or rtl.
        steps: T; with rates 16 when absent, with trains theirs.
        seed: of the random-number plan, at least 1.
        rows: rows of units in parallel; all when absent.
        mask: none, diagonal or causal.
        waves: FST file to write; rtl only.
        progress: see `sim.rtl.simulator.Simulator.run`; rtl only.

    Raises:
        InputError: a bad array, option or combination.
    """
    if engine not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    if waves is not None and engine != "rtl":
        raise InputError(f"waves needs engine rtl, not {engine}, which has no signals to show")
    for name in INPUTS:
        if name not in arrays:
            raise InputError(f"input must hold the arrays q, k and v; {name} is missing")
    for name in arrays:
        if name not in INPUTS:
            raise InputError(f"input must hold the arrays q, k and v only, not {name}")
    q, k, v = (np.asarray(arrays[name]) for name in INPUTS)
    if q.ndim < 2:
        raise InputError(f"q must have 2, 3 or 4 dimensions, not {q.ndim} (shape {list(q.shape)})")
    if q.ndim < 4 and steps is None:
        steps = DEFAULT_STEPS
    tokens, head_dim = q.shape[-2:]
    wanted = steps if steps is not None else q.shape[0]
    config = StochasticConfig(
        tokens=tokens,
        head_dim=head_dim,
        rows=tokens if rows is None else rows,
        steps=wanted,
        mask=mask,
        plan=RandomPlan(seed=seed),
    )
    job = prepare(q, k, v, config, steps=steps)
    cycles: CycleReport | None
    if engine == "rtl":
        spikes, cycles = rtl.run(job, waves=waves, progress=progress)
    else:
        spikes, cycles = compute(job), predict(job) if engine == "model" else None
    return Outcome(job=job, spikes=spikes, cycles=cycles, expected=expectation(q, k, v, config))
