"""The `rtl` engine: a job through the generated core, compiled by Verilator."""

import dataclasses
from functools import cache
from pathlib import Path

from golden.attention import AttentionJob, AttentionSpikes, compute
from golden.config import CoreConfig, to_table
from hw.core import AttentionCore
from sim.cycles import CycleReport
from sim.rtl import driver
from sim.rtl.build import build
from sim.rtl.simulator import Pauses, Progress, Result, Simulator


@cache
def simulator(config: CoreConfig, *, quick: bool = False) -> Simulator:
    """Simulator of the core with its taps, which leave cycles and integers as they are.

    Args:
        config: the core.
        quick: compile faster for a model that runs slower; see `sim.rtl.build.build`.
    """
    config = dataclasses.replace(config, taps=True)

    def core() -> AttentionCore:
        return AttentionCore(config)

    return build(core, "attention_core", parameters=to_table(config), quick=quick)


def simulate(
    job: AttentionJob,
    config: CoreConfig,
    *,
    pauses: Pauses = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    quick: bool = False,
    progress: Progress | None = None,
    waves: Path | None = None,
) -> Result:
    """Run all heads of a job back to back; see `simulator` and `sim.rtl.simulator.Simulator.run`."""
    config.check_job(job)
    config = dataclasses.replace(config, taps=True)
    return simulator(config, quick=quick).run(
        driver.input_beats(job, config),
        driver.output_beats(job, config),
        pauses=pauses,
        seed=seed,
        reset_at=reset_at,
        progress=progress,
        waves=waves,
    )


def integers(result: Result, job: AttentionJob, config: CoreConfig) -> AttentionSpikes:
    """What the core produced. With `output` "codes" it shows no context and no normaliser, with
    "context" no codes: those are golden's."""
    config = dataclasses.replace(config, taps=True)
    score, attn_phase = driver.taps(result, job, config)
    winner = result["o_winner"].reshape(job.heads, job.tokens)
    produced = {"score": score, "winner": winner, "attn_phase": attn_phase}
    if config.output != "context":
        produced["out"] = driver.codes(result["o_code"], job)
    if config.output != "codes":
        produced["normaliser"], produced["context"] = driver.context(result["o_context"], job)
    missing = {} if config.output == "both" else vars(compute(job))
    return AttentionSpikes(**(missing | produced))


def run(
    job: AttentionJob,
    config: CoreConfig,
    *,
    waves: Path | None = None,
    progress: Progress | None = None,
) -> tuple[AttentionSpikes, CycleReport]:
    """Run a job through the RTL.

    Returns:
        The integers the hardware produced, and the cycle in which each row was complete.

    Raises:
        InputError: the configuration cannot hold the job, or there is no C++ compiler.
    """
    result = simulate(job, config, waves=waves, progress=progress)
    return integers(result, job, config), driver.completion(result, job, config)
