"""What the benches of the hardware reach, and what they do not: `make coverage`."""

import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer
from amaranth.hdl import Fragment
from amaranth.lib import wiring
from rich.console import Console
from rich.table import Table

from sim.verilator.build import ROOT, SOURCES
from sim.verilator.cache import digest
from tests.coverage.covered import Covered
from tests.coverage.watched import Watched
from tests.coverage.workload import noted
from tests.mutation.components import COMPONENTS, written
from tests.mutation.subjects import SUBJECTS

KINDS = ("line", "branch", "toggle")


def files(component: wiring.Component, top: str) -> dict[str, str]:
    """The file of hw/ in which an instance of a `Watched` component is written, by the instance's name."""
    found: dict[str, str] = {}

    def walk(fragment: Fragment, name: str, file: str) -> None:
        for part in fragment.origins or ():
            file = written(type(part)) or file
        found[name] = file
        for inner, label, _ in fragment.subfragments:
            walk(inner, f"{name}.{label}", file)

    walk(Fragment.get(component, None), f"TOP.{top}.core", "")
    return found


def of_subject(name: str) -> dict[str, Any]:
    """What the tests of a subject reach: `points` of each file by kind, those reached under "KIND reached",
    and `goals`, the cases of each and those missing."""
    subject = SUBJECTS[name]()
    places = files(subject.make(), subject.module)
    covered = Covered(Watched(subject.make()), subject.module, subject.finish)
    with noted() as heads:
        for trial in subject.trials.values():
            trial(covered)
    points: dict[str, Counter[str]] = defaultdict(Counter)
    for (kind, instance, place), count in covered.counts.items():
        # Names that Yosys made up are no signals of ours
        if kind in KINDS and places.get(instance) and "__024auto" not in place:
            points[places[instance]].update({kind: 1, f"{kind} reached": int(count > 0)})
    events = covered.component.events
    goals = {"events": {"cases": len(events), "missing": sorted(set(events) - covered.events)}}
    for counted in heads.values():
        goals |= {goal.name: {"cases": goal.cases, "missing": [*goal.missing]} for goal in counted.goals()}
    return {"points": points, "goals": goals}


def key() -> str:
    """Of all that decides what a design's tests reach: the hardware, what computes and runs it, and the
    tests."""
    parts = ("golden", "sim", "tests")
    paths = sorted(path for part in parts for path in (ROOT / part).rglob("*.py"))
    return digest([SOURCES, *(path.read_bytes() for path in paths)])


def main(
    subjects: Annotated[list[str] | None, typer.Argument(help="designs; all by default")] = None,
    output: Annotated[Path, typer.Option(help="all that is missing, as JSON")] = Path("build/coverage.json"),
) -> None:
    """Run the tests of the cores on designs that count, and print what they reach of each file of hw/; goes
    on where it ended."""
    begin = time.monotonic()
    output.parent.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {}
    total: defaultdict[str, Counter[str]] = defaultdict(Counter, {file: Counter() for file in COMPONENTS})
    goals = Table("design", "goal", "cases", "reached", "missing", box=None)
    sources = key()
    for name in subjects or SUBJECTS:
        if told.get(name, {}).get("sources") != sources:
            told[name] = {"sources": sources} | of_subject(name)
            output.write_text(json.dumps(told, indent=1) + "\n")
        for file, counts in told[name]["points"].items():
            total[file] += Counter(counts)
        for goal, found in told[name]["goals"].items():
            missing = found["missing"]
            shown = "; ".join(missing[:3]) + ("; ..." if len(missing) > 3 else "")
            goals.add_row(name, goal, str(found["cases"]), str(found["cases"] - len(missing)), shown)
    table = Table("component", *KINDS, box=None)
    for file, counts in [*total.items(), ("all", sum(total.values(), Counter()))]:
        parts = ((counts[f"{kind} reached"], counts[kind]) for kind in KINDS)
        table.add_row(file, *(f"{reached} of {cases}" for reached, cases in parts))
    console = Console()
    console.width = max(console.width, 160)
    console.print(table, goals, f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    typer.run(main)
