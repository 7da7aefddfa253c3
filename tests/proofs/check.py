"""What is asked of a property: it holds in every case, its covers are reached, its faults show."""

import importlib
import inspect
import os
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.engine import Decider
from tests.proofs.property import Property


@dataclass(frozen=True)
class Task:
    """One run: case `number` of a property as it is, or (`fault`) its first case with fault `number`."""

    module: str
    name: str
    number: int
    fault: bool

    @property
    def prop(self) -> type[Property]:
        return getattr(importlib.import_module(self.module), self.name)


@dataclass(frozen=True)
class Outcome:
    """`right`: it holds and every cover is reached, or the fault shows; `seconds` of a processor."""

    task: Task
    right: bool
    how: str
    seconds: float


def properties() -> Iterator[type[Property]]:
    """Every property, in the order of their files."""
    here = Path(__file__).parent
    for path in sorted(here.glob("*/*.py")):
        module = importlib.import_module(f"tests.proofs.{path.parent.name}.{path.stem}")
        for part in vars(module).values():
            if inspect.isclass(part) and issubclass(part, Property) and part.__module__ == module.__name__:
                yield part


def tasks(prop: type[Property]) -> list[Task]:
    cases = [Task(prop.__module__, prop.__name__, n, False) for n in range(len(prop.cases))]
    return cases + [Task(prop.__module__, prop.__name__, n, True) for n in range(len(prop.faults))]


def run(task: Task) -> Outcome:
    """Run one task in a folder of its own."""
    prop, begin = task.prop, _processor_time()
    case = prop.cases[0 if task.fault else task.number]
    fault = prop.faults[task.number].planted() if task.fault else nullcontext()
    with tempfile.TemporaryDirectory() as folder, fault:
        decider = Decider(prop(**case), Path(folder))
        if task.fault:
            verdict = decider.counterexample(prop.reach)
            right, how = not verdict.holds, verdict.how
        else:
            verdict = decider.prove(prop.depth)
            reached = decider.reached(prop.reach)
            right, how = verdict.holds and reached == decider.covers > 0, verdict.how
            if reached != decider.covers:
                how += f"; {decider.covers - reached} of {decider.covers} covers not reached"
    return Outcome(task, right, how, _processor_time() - begin)


def _processor_time() -> float:
    """Seconds of this process and of those that it waited for: the same on a busy machine."""
    return sum(os.times()[:4])
