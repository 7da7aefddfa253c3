"""SpikedAttention of arrays on any engine: spikes, decoded outputs, cycles and a report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig, preset
from golden.attention.exact import softmax_attention
from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales, decode_outputs, prepare
from golden.code import check_range
from golden.errors import InputError
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.heads import HeadCore
from sim.timing.cycles import CycleReport, StageActivity
from studies.attention.engines import Progress, check_engine, run_engine
from studies.attention.report import attention_report, deviation_in_words

if TYPE_CHECKING:
    from sim.board.board import Board
    from studies.page.page import Page


@dataclass(frozen=True, kw_only=True)
class AttentionResult:
    """What a run produced.

    Attributes:
        scheme: of the core.
        engine: that ran.
        config: of the core; golden took its code alone.
        job: the integers that went in.
        scales: what leads back to numbers.
        spikes: the integers that came out.
        out: float32 [heads, tokens, head_dim], the decoded output codes.
        out_raw: likewise, scale_v * context / normaliser, before output codes.
        exact: likewise float64, exact softmax attention.
        exact_map: float64 [heads, tokens, tokens], its weights.
        cycles: predicted (model) or measured (rtl); None for golden and board, which know no time.
        activity: events and lane utilisation; None for golden.
        seed: noted in the report.
        board: what the board says of itself; None for the others.
    """

    title: ClassVar[str] = "Spiked attention"

    scheme: str
    engine: str
    config: CoreConfig
    job: AttentionJob
    scales: HeadScales
    spikes: AttentionSpikes
    out: NDArray[np.float32]
    out_raw: NDArray[np.float32]
    exact: NDArray[np.float64]
    exact_map: NDArray[np.float64]
    cycles: CycleReport | None
    activity: StageActivity | None
    seed: int = 0
    board: dict[str, Any] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of an output file.

        The score of a key that may not be attended is no part of the result; it is written as 0, so
        that files of different engines are equal.
        """
        job, spikes = self.job, self.spikes
        codes = {"q": job.q, "k": job.k, "v": job.v, "out": spikes.out}
        score = spikes.score if job.allowed is None else np.where(job.allowed, spikes.score, 0)
        return {
            "out": self.out,
            "out_raw": self.out_raw,
            **{f"{name}_sign": code.sign for name, code in codes.items()},
            **{f"{name}_phase": code.phase for name, code in codes.items()},
            "score": score,
            "winner": spikes.winner,
            "attn_phase": spikes.attn_phase,
            "normaliser": spikes.normaliser,
            "context": spikes.context,
            "ramp_step": job.ramp_step,
            **{f"scale_{name}": scale for name, scale in vars(self.scales).items()},
        }

    def report(self) -> dict[str, Any]:
        """The JSON object of a report."""
        report = attention_report(
            scheme=self.scheme,
            engine=self.engine,
            seed=self.seed,
            config=self.config,
            job=self.job,
            spikes=self.spikes,
            out=self.out,
            out_raw=self.out_raw,
            exact=self.exact,
            cycles=self.cycles,
            activity=self.activity,
        )
        return report | ({} if self.board is None else {"board": self.board})

    def summary(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What of a report is told to people."""
        shape, code, firing, error = (report[key] for key in ("shape", "configuration", "firing", "error"))
        fires = ", ".join(f"{name} {firing[name]:.1%}" for name in ("q", "k", "v", "out"))
        return [
            ("shape", "{heads} heads, {tokens} tokens, head_dim {head_dim}".format(**shape)),
            ("code", f"T = {code['steps']}, B = 2^({code['log2_base']}), window {report['window']}"),
            ("firing", fires),
            ("attention", f"{firing['survivors_per_row']:.2f} of {shape['tokens']} keys fire in a row"),
            ("output codes against softmax", deviation_in_words(error["out"])),
            ("raw output against softmax", deviation_in_words(error["out_raw"])),
        ]

    def page(self, report: Mapping[str, Any]) -> "Page":
        """The report for the browser."""
        from studies.attention.spiked_page import page

        return page(self, report)


def attend(
    arrays: Mapping[str, NDArray[Any]],
    *,
    source: str = "input",
    engine: str = "golden",
    config: CoreConfig | None = None,
    kind: "type[HeadCore[Any, AttentionJob, AttentionSpikes]]" = SpikedAttentionCore,
    window: int | None = None,
    option: str = "",
    seed: int = 0,
    board: "Board[CoreConfig, AttentionJob, AttentionSpikes] | None" = None,
    waves: Path | None = None,
    progress: Progress = lambda what, share: None,
) -> AttentionResult:
    """Attention of the arrays of a file.

    Args:
        arrays: arguments of `golden.attention.job.prepare` by name: q, k, v, and bias, mask, scales.
        source: what to call them in errors.
        engine: golden, model, rtl or board.
        config: of the core; the default preset, or that of the board, when absent.
        kind: of core.
        window: steps of the WOSS ramp, 1..T; T when absent.
        option: what stands before `window` and `seed` in errors; `--` on the command line.
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
    if window is not None:
        check_range(f"{option}window", window, 1, config.code.steps)
    check_range(f"{option}seed", seed, 0, 2**32 - 1)
    core = kind(config)
    try:
        job, scales = prepare(**arrays, code=config.code, window=window)
        if engine != "golden":
            core.check(job)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    ran = run_engine(engine, job, core, waves=waves, board=board, progress=progress)
    out, out_raw = decode_outputs(job, ran.spikes, scales)
    q, k, v = (np.reshape(arrays[name], job.q.shape) for name in "qkv")
    exact, exact_map = softmax_attention(q, k, v, arrays.get("bias"), job.allowed)
    return AttentionResult(
        scheme=kind.scheme,
        engine=engine,
        config=config,
        job=job,
        scales=scales,
        out=out,
        out_raw=out_raw,
        exact=exact,
        exact_map=exact_map,
        seed=seed,
        board=None if board is None else board.to_json(),
        **vars(ran),
    )
