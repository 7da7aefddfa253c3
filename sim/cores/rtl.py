"""Jobs through a core compiled by Verilator, whatever the core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from hw.export.verilog import Manifest
from sim.timing.cycles import CycleReport
from sim.verilator.build import build, verilog_of
from sim.verilator.payload import Fields
from sim.verilator.result import Beats, Result
from sim.verilator.simulator import Simulator

if TYPE_CHECKING:
    from sim.cores.core import Core

Integers = TypeVar("Integers")


@dataclass(frozen=True, kw_only=True)
class Run(Generic[Integers]):
    """A job that went through the RTL.

    Attributes:
        integers: what came back; what the ports do not show is golden's.
        cycles: when each row was complete.
        result: beats and cycles of all streams.
    """

    integers: Integers
    cycles: CycleReport
    result: Result


def exported(core: "Core[Any, Any, Any]") -> tuple[str, Manifest]:
    """Verilog of a core's component as it is compiled, and its manifest."""
    return verilog_of(core.component, core.module, parameters=_made_from(core))


def _made_from(core: "Core[Any, Any, Any]") -> dict[str, str]:
    return {"core": repr(core)}


@cache
def compiled(core: "Core[Any, Any, Any]", *, quick: bool) -> Simulator:
    """Simulator of a core's component; `quick` as in `sim.verilator.build.build`."""
    return build(core.component, core.module, parameters=_made_from(core), quick=quick)


def run_in_turn(
    core: "Core[Any, Any, Integers]", jobs: Sequence[Any], *, quick: bool = False, **how: Any
) -> list[Run[Integers]]:
    """Run jobs back to back, from reset on; see `sim.cores.core.Core.run_in_turn`."""
    inputs = [core.input_beats(job) for job in jobs]
    outputs = [core.output_beats(job) for job in jobs]
    fed = {name: [part[name] for part in inputs if name in part] for name in inputs[0]}
    expect = {name: sum(part[name] for part in outputs) for name in outputs[0]}
    result = compiled(core, quick=quick).run({n: join(parts) for n, parts in fed.items()}, expect, **how)
    runs = []
    begin = dict.fromkeys((*fed, *expect), 0)
    for job, taken, given in zip(jobs, inputs, outputs, strict=True):
        counts = {name: count_of(fields) for name, fields in taken.items()} | given
        part = slice_of(result, begin, counts)
        begin |= {name: begin[name] + count for name, count in counts.items()}
        runs.append(Run(integers=core.integers(job, part), cycles=core.completion(job, part), result=part))
    return runs


def count_of(fields: Fields) -> int:
    """Beats of the fields of a stream."""
    return count_of(next(iter(fields.values()))) if isinstance(fields, Mapping) else len(fields)


def join(parts: Sequence[Fields]) -> Any:
    """Beats of several jobs, one after the other, field by field."""
    if isinstance(parts[0], Mapping):
        return {name: join([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(parts)


def slice_of(result: Result, begin: Mapping[str, int], counts: Mapping[str, int]) -> Result:
    """The beats of one job of many: `counts` of each stream, from `begin` on."""

    def rows(name: str) -> slice:
        return slice(begin[name], begin[name] + counts.get(name, 0))

    return replace(
        result,
        outputs={
            name: Beats(beats.words[rows(name)], beats.cycles[rows(name)], beats.layout)
            for name, beats in result.outputs.items()
        },
        accepted={name: cycles[rows(name)] for name, cycles in result.accepted.items()},
    )
