"""Integer attention of arrays on any engine: codes, cycles and a report of the common form."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.exact import softmax_attention
from golden.attention.job import HeadScales
from golden.code import check_range
from golden.errors import InputError
from golden.integer.config import IntegerConfig, preset, to_table
from golden.integer.job import IntegerAttention, IntegerJob, decode_outputs, prepare
from sim.cores.integer.core import IntegerAttentionCore
from sim.timing.cycles import CycleReport, StageActivity
from studies.attention.engines import Progress, check_engine, run_engine
from studies.attention.report import deviation_in_words, deviation_report, tool_versions

if TYPE_CHECKING:
    from sim.board.board import Board
    from studies.page.page import Page


@dataclass(frozen=True, kw_only=True)
class IntegerResult:
    """What a run produced.

    Attributes:
        engine: that ran.
        config: of the core; golden took its bits alone.
        job: the integers that went in.
        scales: what leads back to numbers.
        integers: that came out.
        out: float32 [heads, tokens, head_dim], the decoded output codes.
        out_raw: likewise, scale_v / M * context / normaliser, before output codes.
        exact: likewise float64, exact softmax attention.
        exact_map: float64 [heads, tokens, tokens], its weights.
        cycles: predicted (model) or measured (rtl); None for golden and board, which know no time.
        activity: events and lane utilisation; None for golden.
        seed: noted in the report.
        board: what the board says of itself; None for the others.
    """

    title: ClassVar[str] = "Integer attention"

    engine: str
    config: IntegerConfig
    job: IntegerJob
    scales: HeadScales
    integers: IntegerAttention
    out: NDArray[np.float32]
    out_raw: NDArray[np.float32]
    exact: NDArray[np.float64]
    exact_map: NDArray[np.float64]
    cycles: CycleReport | None
    activity: StageActivity | None
    seed: int = 0
    board: dict[str, Any] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of an output file; codes are int8, distances of masked keys 0."""
        codes = {
            "q_code": self.job.q,
            "k_code": self.job.k,
            "v_code": self.job.v,
            "out_code": self.integers.out,
        }
        found = self.integers
        distance = (
            found.distance if self.job.allowed is None else np.where(self.job.allowed, found.distance, 0)
        )
        return {
            "out": self.out,
            "out_raw": self.out_raw,
            **{name: code.astype(np.int8) for name, code in codes.items()},
            "distance": distance,
            "weight": found.weight,
            "normaliser": found.normaliser,
            "context": found.context,
            **{f"scale_{name}": scale for name, scale in vars(self.scales).items()},
        }

    def report(self) -> dict[str, Any]:
        """The JSON object of a report, in the form of `studies.attention.report.attention_report`."""
        job = self.job
        done = None if self.activity is None else self.activity.to_json()
        codes = {"q": job.q, "k": job.k, "v": job.v, "out": self.integers.out}
        return {
            "scheme": IntegerAttentionCore.scheme,
            "engine": self.engine,
            "seed": self.seed,
            "shape": {"heads": job.heads, "tokens": job.tokens, "head_dim": job.head_dim},
            "configuration": to_table(self.config),
            "tools": tool_versions(),
            "cycles": None if self.cycles is None else self.cycles.to_json(),
            **(done or {"events": None, "busy_cycles": None, "lane_utilisation": None}),
            "firing": {name: float(np.count_nonzero(code) / code.size) for name, code in codes.items()}
            | {"survivors_per_row": float(np.count_nonzero(self.integers.weight, axis=-1).mean())},
            "error": {
                "out": deviation_report(self.out, self.exact),
                "out_raw": deviation_report(self.out_raw, self.exact),
            },
            **({} if self.board is None else {"board": self.board}),
        }

    def summary(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What of a report is told to people."""
        shape, firing, error = (report[key] for key in ("shape", "firing", "error"))
        others = ", ".join(f"{name} {firing[name]:.1%}" for name in ("q", "k", "v", "out"))
        return [
            ("shape", "{heads} heads, {tokens} tokens, head_dim {head_dim}".format(**shape)),
            ("codes", f"{self.config.bits} bits"),
            ("other than zero", others),
            ("attention", f"{firing['survivors_per_row']:.2f} of {shape['tokens']} keys weigh in a row"),
            ("output codes against softmax", deviation_in_words(error["out"])),
            ("raw output against softmax", deviation_in_words(error["out_raw"])),
        ]

    def page(self, report: Mapping[str, Any]) -> "Page":
        """The report for the browser."""
        from studies.attention.integer_page import page

        return page(self, report)


def attend(
    arrays: Mapping[str, NDArray[Any]],
    *,
    source: str = "input",
    engine: str = "golden",
    config: IntegerConfig | None = None,
    option: str = "",
    seed: int = 0,
    board: "Board[IntegerConfig, IntegerJob, IntegerAttention] | None" = None,
    waves: Path | None = None,
    progress: Progress = lambda what, share: None,
) -> IntegerResult:
    """Integer attention of the arrays of a file.

    Args:
        arrays: arguments of `golden.integer.job.prepare` by name: q, k, v, and bias, mask, scales.
        source: what to call them in errors.
        engine: golden, model, rtl or board.
        config: of the core; the default preset, or that of the board, when absent.
        option: what stands before `seed` in errors; `--` on the command line.
        seed: noted in the report; nothing is drawn here.
        board: an open board, engine board only; a configuration must then be the board's own.
        waves: FST file to write, see `studies.attention.engines.run_engine`; rtl only.
        progress: told by rtl and board.

    Raises:
        InputError: a bad array, option or combination.
        LinkError: the board stopped answering.
    """
    check_engine(engine, board, waves)
    if board is not None:
        if config is not None:
            board.require(config)
        config = board.config
    elif config is None:
        config = preset("default")
    check_range(f"{option}seed", seed, 0, 2**32 - 1)
    core = IntegerAttentionCore(config)
    try:
        job, scales = prepare(**arrays, bits=config.bits)
        if engine != "golden":
            core.check(job)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    ran = run_engine(engine, job, core, waves=waves, board=board, progress=progress)
    out, out_raw = decode_outputs(job, ran.spikes, scales)
    q, k, v = (np.reshape(arrays[name], job.q.shape) for name in "qkv")
    exact, exact_map = softmax_attention(q, k, v, arrays.get("bias"), job.allowed)
    return IntegerResult(
        engine=engine,
        config=config,
        job=job,
        scales=scales,
        integers=ran.spikes,
        out=out,
        out_raw=out_raw,
        exact=exact,
        exact_map=exact_map,
        cycles=ran.cycles,
        activity=ran.activity,
        seed=seed,
        board=None if board is None else board.to_json(),
    )
