"""The share of planted faults that the tests find: `make mutate`, or python -m tests.mutation.mutate."""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from onespike.options import SeedOption
from tests.mutation.judge import Judge, draw, sound, told
from tests.mutation.netlist import Mutant
from tests.mutation.subjects import SUBJECTS
from tests.mutation.verdicts import GOAL, NOT_JUDGED, OUTCOMES, PATH, Verdict, Verdicts, counts, score

# Seconds after which what was found is written again
WRITTEN = 10


@cache
def _judge(subject: str, each: int, seed: int) -> Judge:
    # what a dying design prints is no news
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    return Judge(subject, draw(subject, each, seed))


def _tried(subject: str, each: int, seed: int, until: float, mutant: Mutant) -> Verdict | None:
    return None if time.time() > until else _judge(subject, each, seed).tried(mutant)


def _proven(subject: str, each: int, seed: int, until: float, mutant: Mutant) -> Verdict | None:
    return None if time.time() > until else _judge(subject, each, seed).proven(mutant)


def table(verdicts: Iterable[Verdict]) -> Table:
    """What was found, a line for every component of hw/."""
    shown = Table("component", "mutants", *OUTCOMES, "score", box=None)
    for name, count in counts(verdicts).items():
        shown.add_row(name, str(count.total()), *(str(count[key]) for key in OUTCOMES), f"{score(count):.1%}")
    return shown


def main(
    subjects: Annotated[list[str] | None, typer.Argument(help="designs; all by default")] = None,
    each: Annotated[int, typer.Option(min=1, help="mutants of every component of a design")] = 20,
    seed: SeedOption = 1,
    jobs: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    minutes: Annotated[float, typer.Option(min=0, help="no mutant is begun after so long")] = 600,
    again: Annotated[
        bool, typer.Option("--again", help="judge once more what was neither killed nor equivalent")
    ] = False,
    output: Annotated[Path, typer.Option(dir_okay=False, help="verdicts, a line of JSON each")] = PATH,
) -> None:
    """Plant faults in hw/ and count those that the tests find; goes on where it ended."""
    wrong = [name for name in subjects or [] if name not in SUBJECTS]
    if wrong:
        raise typer.BadParameter(f"designs are {'; '.join(SUBJECTS)}, not {wrong[0]}")
    begin, found, console = time.time(), Verdicts(output), Console()
    console.width = max(console.width, 110)  # whole names, also where there is no terminal
    found.keep(SUBJECTS)
    drawn: dict[str, dict[Verdict, Mutant]] = {}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for subject in subjects or SUBJECTS:
            if time.time() > begin + 60 * minutes:
                # Published verdicts of a design that has changed stay until others can take their place
                console.print(f"{subject}: not begun, the time was up")
                continue
            drawn[subject] = {told(subject, mutant): mutant for mutant in draw(subject, each, seed)}
            if gone := found.begin(drawn[subject], sound(subject).form, again=again):
                console.print(f"{subject}: {gone} verdicts on another netlist are gone")
            mutants = drawn[subject]
            # A proof takes longer than all trials, which kill most
            for step, open_ in ((_tried, NOT_JUDGED), (_proven, "passed")):
                left = [mutant for one, mutant in mutants.items() if found.outcome(one) == open_]
                # So that a run that is cut off has judged a sample
                random.Random(seed).shuffle(left)
                judging = pool.map(partial(step, subject, each, seed, begin + 60 * minutes), left)
                written = time.time()
                try:
                    for verdict in track(judging, subject, len(left), console=console, transient=True):
                        if verdict:
                            found.add(verdict)
                        if time.time() > written + WRITTEN:
                            found.write()
                            written = time.time()
                finally:
                    found.write()
    judged = 0
    for subject, mutants in drawn.items():
        for one, mutant in mutants.items():
            judged += found.outcome(one) not in (NOT_JUDGED, "passed")
            if found.outcome(one) == "survived":
                console.print(f"survived in {subject}: {mutant}", markup=False, highlight=False)
    console.print(table(found))
    of_all = sum(map(len, drawn.values()))
    console.print(f"{judged} of {of_all} mutants judged, {time.time() - begin:.0f} s of {jobs} processes")
    sys.exit(not judged or score(counts(found)["all"]) < GOAL)


if __name__ == "__main__":
    typer.run(main)
