"""What was found of each mutant: a file in the repository that `make mutate` reads and goes on with.

`docs/verification.md` has its table between two marks, as `python -m tests.mutation.verdicts` prints it.
"""

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from golden.errors import quoted
from sim.verilator.cache import digest
from tests.mutation.components import COMPONENTS
from tests.mutation.subjects import SUBJECTS

PATH = Path(__file__).with_name("verdicts.jsonl")
NOT_JUDGED = "not judged"
OUTCOMES = ("killed", "survived", "equivalent", "passed", NOT_JUDGED)
GOAL = 0.97


@dataclass(frozen=True)
class Verdict:
    """Of one mutant.

    Attributes:
        design: its name among the subjects.
        component: file of hw/.
        mutant: `key` of it: form of the netlist and place in it, no names.
        outcome: one of OUTCOMES. Passed: all trials pass, and no proof was tried yet.
        killer: the first trial that failed.
    """

    design: str
    component: str
    mutant: str
    outcome: str = NOT_JUDGED
    killer: str = ""


def key(form: str, place: str) -> str:
    """What a mutant is known by: a verdict stays while the netlist is the same graph."""
    return f"{form[:8]} {digest([form, place])[:12]}"


def _read(path: Path) -> Iterator[Verdict]:
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        try:
            one = Verdict(**json.loads(line))
        except (ValueError, TypeError):  # no JSON, no object, or other fields
            one = None
        if (
            one is None
            or one.outcome not in OUTCOMES
            or not all(isinstance(field, str) for field in asdict(one).values())
        ):
            raise typer.BadParameter(
                f"{path}, line {number}: must be a verdict, JSON of the texts design, component, mutant, "
                f"outcome ({', '.join(OUTCOMES)}) and killer, not {quoted(line)}"
            )
        yield one


class Verdicts:
    """The file: a line for every mutant that was drawn, sorted, those of one netlist for every design.

    Raises:
        typer.BadParameter: a line is no verdict.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._of = {one.mutant: one for one in _read(path)} if path.exists() else {}

    def __iter__(self) -> Iterator[Verdict]:
        return iter(sorted(self._of.values(), key=lambda one: (one.design, one.component, one.mutant)))

    def outcome(self, of: Verdict) -> str:
        """What stands there of the mutant of a verdict."""
        return self._of[of.mutant].outcome

    def keep(self, designs: Container[str]) -> None:
        """Those of other designs go."""
        self._of = {mutant: one for mutant, one in self._of.items() if one.design in designs}

    def begin(self, drawn: Iterable[Verdict], form: str, *, again: bool) -> int:
        """Note mutants of one design that are to be judged: those that are not; `again`, also those that are
        neither killed nor equivalent. Lines of another netlist of that design go; returns how many."""
        fresh = {one.mutant: one for one in drawn}
        designs = {one.design for one in fresh.values()}
        gone = [one for one in self if one.design in designs and not one.mutant.startswith(f"{form[:8]} ")]
        for one in gone:
            del self._of[one.mutant]
        decided = ("killed", "equivalent")
        kept = {
            mutant: one
            for mutant, one in self._of.items()
            if not again or mutant not in fresh or one.outcome in decided
        }
        self._of = fresh | kept
        return len(gone)

    def add(self, verdict: Verdict) -> None:
        self._of[verdict.mutant] = verdict

    def write(self) -> None:
        """In whole or not at all."""
        beside = self._path.with_suffix(".part")
        lines = (
            json.dumps({name: value for name, value in asdict(one).items() if value}, separators=(",", ":"))
            for one in self
        )
        beside.write_text("".join(f"{line}\n" for line in lines))
        beside.replace(self._path)


def counts(verdicts: Iterable[Verdict]) -> dict[str, Counter[str]]:
    """Outcomes of every component of hw/, and of all."""
    found = {file: Counter[str]() for file in COMPONENTS}
    for verdict in verdicts:
        found.setdefault(verdict.component, Counter())[verdict.outcome] += 1
    return dict(sorted(found.items())) | {"all": sum(found.values(), Counter())}


def score(count: Counter[str]) -> float:
    """Share of killed ones among those that are not proven equivalent, judged or not."""
    different = count.total() - count["equivalent"]
    return count["killed"] / different if different else 0.0


def markdown(verdicts: Iterable[Verdict], designs: Iterable[str]) -> str:
    """A row for every component that has mutants, and which of the designs have none."""
    verdicts = [*verdicts]
    drawn = {one.design for one in verdicts}
    rows = [
        [f"`{name.removesuffix('.py')}`" if name != "all" else name, str(count.total())]
        + [str(count[outcome]) for outcome in OUTCOMES]
        + [f"{100 * score(count):.0f}"]
        for name, count in counts(verdicts).items()
        if count.total()
    ]
    head = ["component", "mutants", *OUTCOMES, "score, %"]
    rule = ["---", *["---:"] * (len(head) - 1)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))
    missing = [f"`{design}`" for design in designs if design not in drawn]
    return f"{table}\nDesigns without any verdict: {'; '.join(missing) or 'none'}.\n"


def main(
    verdicts: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="file of verdicts")] = PATH,
) -> None:
    """Print the table of the verdicts."""
    print(markdown(Verdicts(verdicts), SUBJECTS), end="")


if __name__ == "__main__":
    typer.run(main)
