"""What the soaks of random cores share: their options, and the loop over seeds until the time is up."""

import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from typing import Annotated, Any

import typer

from onespike.options import in_range, whole_number
from sim.verilator.result import SimulationError

LargestLanesOption = Annotated[
    int,
    typer.Option(
        "--lanes",
        metavar="N",
        parser=whole_number,
        callback=in_range("--lanes", 1, 256),
        help="Of the largest core.",
    ),
]


def soak(
    check: Callable[[int], None],
    checked: Any,
    minutes: float | None,
    first: int,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Check the core of one seed after the other, and tell what was compared so far.

    Args:
        minutes: no core begins after so long.
        first: seed of the first core; the next ones follow.
        check: raises AssertionError or SimulationError where the RTL of a seed's core is wrong.
        checked: a dataclass of counts that `check` adds to.
        enough: no core begins after this holds.

    Raises:
        SystemExit: with the seeds of the cores that are wrong, if any is.
    """
    begin, wrong = time.monotonic(), []
    for seed in count(first):
        if enough() or (minutes is not None and time.monotonic() - begin >= 60 * minutes):
            break
        try:
            check(seed)
        except (AssertionError, SimulationError) as error:
            wrong.append(seed)
            print(f"seed {seed} is wrong: {next(iter(str(error).splitlines()), '')}", flush=True)
        counts = ", ".join(f"{number} {name}" for name, number in asdict(checked).items())
        print(f"seed {seed}: {counts}; {time.monotonic() - begin:.0f} s", flush=True)
    if wrong:
        raise SystemExit(f"wrong are the cores of the seeds {', '.join(map(str, wrong))}")
    print("every integer and every cycle as golden and the cycle model say")
