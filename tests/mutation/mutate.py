"""The share of planted faults that the tests find: `make mutate`, or python -m tests.mutation.mutate."""

import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from onespike.options import SeedOption
from tests.mutation.components import COMPONENTS
from tests.mutation.judge import Judge, Verdict, draw, sound
from tests.mutation.netlist import Mutant
from tests.mutation.subjects import SUBJECTS

OUTCOMES = ("killed", "survived", "equivalent", "not judged")
GOAL = 0.97


class Found:
    """Verdicts on disk, a line each: what is there is not judged again, but for lines of another form."""

    def __init__(self, path: Path, *, again: bool) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.verdicts, skipped = dict[tuple[str, str], Verdict](), 0
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                one = Verdict(**json.loads(line))
            except (TypeError, ValueError):  # fields of another day, or a line that was cut off
                skipped += 1
            else:
                self.verdicts[one.design, one.place] = one
        if skipped:
            print(f"{skipped} lines of {path} are no verdicts as they are now: skipped, to be tried again")
        if again:
            decided = ("killed", "equivalent")
            self.verdicts = {key: one for key, one in self.verdicts.items() if one.outcome in decided}

    def of(self, subject: str, mutant: Mutant) -> Verdict | None:
        return self.verdicts.get((sound(subject).form, mutant.place))

    def outcome(self, subject: str, mutant: Mutant) -> str | None:
        verdict = self.of(subject, mutant)
        return verdict.outcome if verdict else None

    def add(self, verdict: Verdict) -> None:
        self.verdicts[verdict.design, verdict.place] = verdict
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")


@cache
def _judge(subject: str, each: int, seed: int) -> Judge:
    # what a dying design prints is no news
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    return Judge(subject, draw(subject, each, seed))


def _tried(subject: str, each: int, seed: int, until: float, mutant: Mutant) -> Verdict | None:
    return None if time.time() > until else _judge(subject, each, seed).tried(mutant)


def _proven(subject: str, each: int, seed: int, until: float, mutant: Mutant) -> Verdict | None:
    return None if time.time() > until else _judge(subject, each, seed).proven(mutant)


def table(verdicts: Iterable[Verdict], drawn: Counter[str]) -> tuple[Table, float]:
    """What was found, a line for every component of hw/, and the score."""
    counts = {file: Counter({"not judged": drawn[file]}) for file in {*COMPONENTS, *drawn}}
    for verdict in verdicts:
        counts[verdict.component][verdict.outcome] += 1
        counts[verdict.component]["not judged"] -= 1
    shown = Table("component", "mutants", *OUTCOMES, "score", box=None)
    total: Counter[str] = sum(counts.values(), Counter())
    for name, count in [*sorted(counts.items()), ("all", total)]:
        score = _score(count)
        shown.add_row(name, str(count.total()), *(str(count[key]) for key in OUTCOMES), f"{score:.1%}")
    return shown, _score(total)


def _score(count: Counter[str]) -> float:
    """Share of killed ones among those that are not proven equivalent, judged or not."""
    different = count.total() - count["equivalent"]
    return count["killed"] / different if different else 0.0


def main(
    subjects: Annotated[list[str] | None, typer.Argument(help="designs; all by default")] = None,
    each: Annotated[int, typer.Option(min=1, help="mutants of every component of a design")] = 20,
    seed: SeedOption = 1,
    jobs: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    minutes: Annotated[float, typer.Option(min=0, help="no mutant is begun after so long")] = 600,
    again: Annotated[
        bool, typer.Option("--again", help="judge once more what was neither killed nor equivalent")
    ] = False,
    output: Annotated[Path, typer.Option(help="verdicts, a line of JSON each")] = Path("build/mutants.jsonl"),
) -> None:
    """Plant faults in hw/ and count those that the tests find; goes on where it ended."""
    wrong = [name for name in subjects or [] if name not in SUBJECTS]
    if wrong:
        raise typer.BadParameter(f"designs are {'; '.join(SUBJECTS)}, not {wrong[0]}")
    begin, found, console = time.time(), Found(output, again=again), Console()
    console.width = max(console.width, 110)  # whole names, also where there is no terminal
    drawn = {subject: draw(subject, each, seed) for subject in subjects or SUBJECTS}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        # A proof takes longer than all trials, which kill most
        for step, open_ in ((_tried, (None,)), (_proven, ("passed",))):
            for subject, mutants in drawn.items():
                left = [mutant for mutant in mutants if found.outcome(subject, mutant) in open_]
                # So that a run that is cut off has judged a sample
                random.Random(seed).shuffle(left)
                judging = pool.map(partial(step, subject, each, seed, begin + 60 * minutes), left)
                for verdict in track(judging, subject, len(left), console=console, transient=True):
                    if verdict:
                        found.add(verdict)
    every = [(subject, mutant) for subject, mutants in drawn.items() for mutant in mutants]
    verdicts = [one for one in (found.of(*one) for one in every) if one and one.outcome in OUTCOMES]
    shown, score = table(verdicts, Counter(mutant.site.file for _, mutant in every))
    console.print(shown)
    for verdict in verdicts:
        if verdict.outcome == "survived":
            console.print(f"survived in {verdict.subject}: {verdict.mutant}", markup=False, highlight=False)
    console.print(
        f"{len(verdicts)} of {len(every)} mutants judged, {time.time() - begin:.0f} s of {jobs} processes"
    )
    sys.exit(not verdicts or score < GOAL)


if __name__ == "__main__":
    typer.run(main)
