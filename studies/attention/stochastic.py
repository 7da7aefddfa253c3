"""Stochastic attention of arrays on any engine: spikes, cycles and a report of the common form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError
from golden.inputs import INPUTS
from golden.stochastic.attention import StochasticJob, StochasticSpikes, expectation, prepare
from golden.stochastic.config import MAX_SIZE, MAX_STEPS, StochasticConfig
from golden.stochastic.lfsr import check_seed
from golden.stochastic.table import to_table
from sim.cores.stochastic.core import StochasticCore
from sim.timing.cycles import CycleReport, StageActivity
from studies.attention.engines import Progress, check_engine, run_engine
from studies.attention.report import deviation_in_words, deviation_report, tool_versions

if TYPE_CHECKING:
    from sim.board.board import Board
    from studies.page.page import Page

DEFAULT_STEPS = 16


@dataclass(frozen=True, kw_only=True)
class StochasticResult:
    """What a run produced.

    Attributes:
        engine: that ran.
        job: the spike trains that went in.
        spikes: what came out.
        cycles: predicted (model) or measured (rtl); None for golden and board, which know no time.
        activity: events and utilisation; None for golden.
        expected: float64 [heads, tokens, head_dim], exact expectation of the output rate.
        board: what the board says of itself; None for the others.
    """

    title: ClassVar[str] = "Stochastic spiking attention"

    engine: str
    job: StochasticJob
    spikes: StochasticSpikes
    cycles: CycleReport | None
    activity: StageActivity | None
    expected: NDArray[np.float64]
    board: dict[str, Any] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of an output file: trains uint8 [steps, heads, tokens, n], rates float32."""
        trains = {"q_train": self.job.q, "k_train": self.job.k, "v_train": self.job.v}
        trains |= {"score": self.spikes.score, "out": self.spikes.out}
        rates = {"out_rate": self.spikes.rate, "expected_rate": self.expected}
        return {n: a.astype(np.uint8) for n, a in trains.items()} | {
            n: a.astype(np.float32) for n, a in rates.items()
        }

    def report(self) -> dict[str, Any]:
        """The JSON object of a report, in the form of `studies.attention.report.attention_report`."""
        job = self.job
        trains = {"q": job.q, "k": job.k, "v": job.v, "score": self.spikes.score, "out": self.spikes.out}
        done = None if self.activity is None else self.activity.to_json()
        deviation = self.spikes.rate - self.expected
        return {
            "scheme": "stochastic",
            "engine": self.engine,
            "seed": job.config.plan.seed,
            "shape": {
                "heads": job.heads,
                "tokens": job.config.tokens,
                "head_dim": job.config.head_dim,
                "steps": job.steps,
            },
            "configuration": to_table(job.config),
            "tools": tool_versions(),
            "cycles": None if self.cycles is None else self.cycles.to_json(),
            **(done or {"events": None, "busy_cycles": None, "lane_utilisation": None}),
            "firing": {name: float(train.mean()) for name, train in trains.items()}
            | {"survivors_per_row": float(self.spikes.score.sum(axis=-1).mean())},
            "error": {
                "out": deviation_report(self.spikes.rate, self.expected),
                "rmse": float(np.sqrt((deviation**2).mean())),
                "bias": float(deviation.mean()),
            },
            **({} if self.board is None else {"board": self.board}),
        }

    def summary(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What of a report is told to people."""
        shape, firing, error = (report[key] for key in ("shape", "firing", "error"))
        survivors = f"{firing['survivors_per_row']:.2f} of {shape['tokens']} keys fire in a row and step"
        fires = ", ".join(f"{name} {firing[name]:.1%}" for name in ("q", "k", "v", "score", "out"))
        return [
            ("shape", "{heads} heads, {tokens} tokens, head_dim {head_dim}, {steps} steps".format(**shape)),
            ("firing per step", fires),
            ("attention", survivors),
            ("rates against expectation", deviation_in_words(error["out"])),
            ("error of a rate", f"RMS {error['rmse']:.4f}, mean {error['bias']:+.4f}"),
        ]

    def page(self, report: Mapping[str, Any]) -> "Page":
        """The report for the browser."""
        from studies.attention.stochastic_page import page

        return page(self, report)


def attend(
    arrays: Mapping[str, NDArray[Any]],
    *,
    source: str = "input",
    engine: str = "golden",
    config: StochasticConfig | None = None,
    steps: int | None = None,
    seed: int | None = None,
    option: str = "",
    board: "Board[StochasticConfig, StochasticJob, StochasticSpikes] | None" = None,
    waves: Path | None = None,
    progress: Progress = lambda what, share: None,
) -> StochasticResult:
    """Attention of the arrays of a file.

    Args:
        arrays: q, k, v: rates in 0..1 [heads, tokens, head_dim] (or [tokens, head_dim]), or trains
            of 0 and 1 [steps, heads, tokens, head_dim].
        source: what to call them in errors.
        engine: golden, model, rtl or board.
        config: the engine's parameters; a full array that fits the input when absent.
        steps: T; with rates 16, or what the configuration allows, when absent; with trains theirs.
        seed: of the random-number plan, at least 1; that of the configuration (1) when absent. A
            board has one seed.
        option: what stands before `steps` and `seed` in errors; `--` on the command line.
        board: an open board, engine board only; a configuration must then be the board's own.
        waves: FST file to write, see `studies.attention.engines.run_engine`; rtl only.
        progress: told by rtl and board.

    Raises:
        InputError: a bad array, option or combination.
        LinkError: the board stopped answering.
    """
    check_engine(engine, board, waves)
    if steps is not None:
        check_range(f"{option}steps", steps, 1, MAX_STEPS)
    q, k, v = _inputs(arrays, source)
    if q.ndim == 4 and steps not in (None, len(q)):
        raise InputError(f"{option}steps must agree with the trains of {source} ({len(q)}), not {steps}")
    fitting = board is None and config is None
    if board is not None:
        if config is not None:
            board.require(config)
        config = board.config
    elif config is None:
        config = full_array(q, source)
    if seed is not None:
        check_seed(f"{option}seed", seed, config.plan.width)
        config = replace(config, plan=replace(config.plan, seed=seed))
        if board is not None:
            board.require(config)
    wanted = len(q) if q.ndim == 4 else min(DEFAULT_STEPS, config.steps) if steps is None else steps
    if wanted > config.steps:
        name = f"{source}: steps" if steps is None else f"{option}steps"
        raise InputError(f"{name} must be at most {config.steps} for this engine, not {wanted}")
    if fitting:
        config = replace(config, steps=wanted)
    try:
        job = prepare(q, k, v, config, steps=wanted)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    ran = run_engine(engine, job, StochasticCore(config), waves=waves, board=board, progress=progress)
    return StochasticResult(
        engine=engine,
        job=job,
        **vars(ran),
        expected=expectation(q, k, v, config),
        board=None if board is None else board.to_json(),
    )


def _inputs(arrays: Mapping[str, NDArray[Any]], source: str) -> list[NDArray[Any]]:
    for name in INPUTS:
        if name not in arrays:
            raise InputError(f"{source}: must hold the arrays q, k and v; {name} is missing")
    for name in arrays:
        if name not in INPUTS:
            raise InputError(f"{source}: must hold the arrays q, k and v only, not {name}")
    inputs = [np.asarray(arrays[name]) for name in INPUTS]
    q = inputs[0]
    if q.ndim < 2 or not q.size:
        raise InputError(f"{source}: q must have 2, 3 or 4 dimensions and no empty one, not {list(q.shape)}")
    return inputs


def full_array(q: NDArray[Any], source: str) -> StochasticConfig:
    """The full array for rates or trains [..., tokens, head_dim], with the largest T of its default plan.

    Raises:
        InputError: there is no engine of this size.
    """
    tokens, head_dim = q.shape[-2:]
    check_range(f"{source}: tokens", tokens, 1, MAX_SIZE)
    check_range(f"{source}: head_dim", head_dim, 1, MAX_SIZE)
    config = StochasticConfig(tokens=tokens, head_dim=head_dim, rows=tokens, steps=1)
    return replace(config, steps=min(MAX_STEPS, config.distinct_steps))
