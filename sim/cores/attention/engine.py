"""The `rtl` engine: a job through the generated core, compiled by Verilator."""

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from golden.attention.config import CoreConfig, to_table
from golden.attention.job import AttentionJob, AttentionSpikes, compute
from hw.attention.core import AttentionCore
from sim.cores.attention import driver
from sim.timing.cycles import CycleReport
from sim.verilator.build import build
from sim.verilator.payload import Fields
from sim.verilator.simulator import Pauses, Progress, Result, Simulator


@cache
def simulator(config: CoreConfig, *, quick: bool = False) -> Simulator:
    """Simulator of the core.

    Args:
        config: the core.
        quick: compile faster for a model that runs slower; see `sim.verilator.build.build`.
    """

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
    """Run all heads of a job back to back; see `sim.verilator.simulator.Simulator.run`.

    The core has its taps, which leave cycles and integers as they are.
    """
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


def shown(outputs: Mapping[str, Fields], job: AttentionJob, config: CoreConfig) -> dict[str, Any]:
    """Fields of `AttentionSpikes` in the beats of a core's ports: no context and no normaliser with `output`
    "codes", no codes with "context", no scores, winners and phases without taps."""
    fields: dict[str, Any] = {}
    if "o_winner" in outputs:
        fields["score"], fields["attn_phase"] = driver.taps(outputs, job, config)
        fields["winner"] = outputs["o_winner"].reshape(job.heads, job.tokens)
    if "o_code" in outputs:
        fields["out"] = driver.codes(outputs["o_code"], job)
    if "o_context" in outputs:
        fields["normaliser"], fields["context"] = driver.context(outputs["o_context"], job)
    return fields


def integers(outputs: Mapping[str, Fields], job: AttentionJob, config: CoreConfig) -> AttentionSpikes:
    """What the core produced; what its ports do not show is golden's."""
    fields = shown(outputs, job, config)
    missing = {} if len(fields) == len(dataclasses.fields(AttentionSpikes)) else vars(compute(job))
    return AttentionSpikes(**(missing | fields))


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
