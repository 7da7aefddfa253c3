"""Of what `make coverage` found, the tables of `docs/verification.md`: python -m tests.coverage.table."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.coverage.cover import KINDS


def markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Points of every folder of hw/ that were reached, and cases of every goal, over all designs.

    Args:
        found: of each design, what `tests.coverage.cover.of_subject` says.
    """
    folders: defaultdict[str, Counter[str]] = defaultdict(Counter)
    goals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for design in found.values():
        for file, counts in design["points"].items():
            folders[file.rpartition("/")[0]].update(counts)
        for goal, cases in design["goals"].items():
            goals[goal].update(cases=cases["cases"], missing=len(cases["missing"]))
    folders = dict(sorted(folders.items())) | {"all": sum(folders.values(), Counter())}
    points = (
        [f"`{folder}`" if folder != "all" else folder]
        + [_share(counts[f"{kind} reached"], counts[kind]) for kind in KINDS]
        for folder, counts in folders.items()
    )
    cases = (
        [goal, _share(count["cases"] - count["missing"], count["cases"])] for goal, count in goals.items()
    )
    return (
        f"{_table(['folder', *KINDS], points)}\n{_table(['goal', 'cases'], cases)}\n{len(found)} designs.\n"
    )


def _share(reached: int, of: int) -> str:
    return f"{reached} of {of} ({100 * reached / of:.1f} %)" if of else "none"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))


def main(
    found: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="what was found")] = Path(
        "build/coverage.json"
    ),
) -> None:
    """Print the tables of what was found."""
    print(markdown(json.loads(found.read_text())), end="")


if __name__ == "__main__":
    typer.run(main)
