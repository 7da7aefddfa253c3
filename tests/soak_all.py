"""Random cores of every kind in turn, many jobs each, until enough is compared; see `make soak-all`."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from onespike.files import write_json
from onespike.options import MinutesOption, SeedOption
from sim.verilator.build import ROOT, SOURCES
from sim.verilator.cache import digest
from sim.verilator.result import SimulationError
from tests.golden.network import rooms
from tests.hw.attention import random_jobs
from tests.hw.integer import random_jobs as integer_jobs
from tests.hw.network import random_cores
from tests.hw.stochastic import random_engines, random_networks

# Jobs of a core: to compile it takes longer than to run a few. Those that fill it compare the most integers
RUNS, FULL, NETWORKS, JOBS = 200, 40, 60, 100
MOST_LANES = 16
# Of a spiking network every spike is compared, by far the most integers per second: images until so many are
SPIKES, MOST_IMAGES = 10**7, 5000


def attention(seed: int) -> random_jobs.Checked:
    checked = random_jobs.Checked()
    random_jobs.check_core(seed, RUNS, checked, most_lanes=MOST_LANES, full=FULL)
    return checked


def integer(seed: int) -> random_jobs.Checked:
    checked = random_jobs.Checked()
    integer_jobs.check_core(seed, RUNS, checked, most_lanes=MOST_LANES, full=FULL)
    return checked


def network(seed: int) -> random_cores.Checked:
    checked = random_cores.Checked()
    scale = replace(random_cores.USUAL, networks=NETWORKS, **random_cores.kinds_of(seed))
    random_cores.check_core(random_cores.random_core(seed, scale), seed, checked)
    return checked


def stochastic(seed: int) -> random_engines.Checked:
    rng, checked = np.random.default_rng(seed), random_engines.Checked()
    random_engines.check_engine(random_engines.random_engine(rng, checked), rng, JOBS, checked)
    return checked


def stochastic_network(seed: int) -> random_networks.Checked:
    rng, checked = np.random.default_rng(seed), random_networks.Checked()
    core = random_networks.random_core(rng, checked)
    random_networks.check_core(*core, rng, checked, images=1)
    images = min(max(SPIKES // checked.integers, 1), MOST_IMAGES)
    random_networks.check_core(*core, rng, checked, images=images)
    return checked


KINDS: Mapping[str, Callable[[int], Any]] = {
    "attention": attention,
    "integer": integer,
    "network": network,
    "stochastic": stochastic,
    "stochastic network": stochastic_network,
}


def key() -> str:
    """Of all that decides what a seed compares: the hardware, what runs it and says its cycles, and what
    draws cores and their jobs."""
    drawn = (RUNS, FULL, NETWORKS, JOBS, MOST_LANES, SPIKES, MOST_IMAGES)
    sources = [*(ROOT / "tests").rglob("random_*.py"), Path(rooms.__file__)]
    sources += [path for part in ("sim/timing", "sim/cores") for path in (ROOT / part).rglob("*.py")]
    return digest([SOURCES, repr(drawn), *(path.read_bytes() for path in sorted(sources))])


class Compared:
    """What was compared of each core, on disk: a run goes on where the last one of this design ended.

    Attributes:
        cores: `integers`, `cycles` and `seconds` of processor time of each core, by "SEED KIND".
        counted: those of them that this run came to, whoever compared them.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._key = path, key()
        found = json.loads(path.read_text()) if path.exists() else {}
        self.cores: dict[str, dict[str, int]] = found["cores"] if found.get("key") == self._key else {}
        self.counted: dict[str, dict[str, int]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)

    def check(self, seed: int, kind: str, *, late: bool = False) -> bool:
        """Compare the core of a seed, unless it was; False: it was not, and it is too `late` to begin.

        Raises:
            AssertionError, SimulationError: it is wrong; nothing is noted.
        """
        name = f"{seed} {kind}"
        if name in self.cores:
            self.counted[name] = self.cores[name]
            return True
        if late:
            return False
        begin = sum(os.times()[:4])
        checked = KINDS[kind](seed)
        seconds = round(sum(os.times()[:4]) - begin)
        core = {"integers": checked.integers, "cycles": checked.cycles, "seconds": seconds}
        self.cores[name] = self.counted[name] = core
        write_json(self._path, {"key": self._key, "cores": self.cores})
        print(f"{name}: {checked.integers} integers, {seconds} s; {self.integers} in all", flush=True)
        return True

    @property
    def integers(self) -> int:
        return sum(core["integers"] for core in self.counted.values())

    def table(self) -> Table:
        """A line for every kind, of what counts."""
        lines = {kind: Counter[str]() for kind in (*KINDS, "all")}
        for name, core in self.counted.items():
            for line in (name.partition(" ")[2], "all"):
                lines[line].update(core | {"cores": 1})
        columns = ("cores", "integers", "cycles", "seconds")
        shown = Table("kind", *columns, box=None)
        for kind, counts in lines.items():
            shown.add_row(kind, *(f"{counts[column]:,}" for column in columns))
        return shown


def main(
    minutes: MinutesOption = 30,
    seed: SeedOption = 1000,
    integers: Annotated[int, typer.Option(min=1, help="enough of them")] = 10**8,
    output: Annotated[Path, typer.Option(help="what was compared of each core")] = Path(
        "build/soak-all.json"
    ),
) -> None:
    """Random cores of every kind in the RTL until enough is compared, in as many runs as that takes."""
    begin, compared, wrong = time.monotonic(), Compared(output), []
    for one, kind in ((one, kind) for one in count(seed) for kind in KINDS):
        late = minutes is not None and time.monotonic() - begin >= 60 * minutes
        try:
            if compared.integers >= integers or not compared.check(one, kind, late=late):
                break
        except (AssertionError, SimulationError) as error:
            wrong.append(f"{one} {kind}")
            print(f"{wrong[-1]} is wrong: {next(iter(str(error).splitlines()), '')}", flush=True)
    Console().print(compared.table())
    print(f"different: {len(wrong)} cores {wrong}")
    print(f"compared: {compared.integers:,} of {integers:,} integers, from seed {seed} on")
    if compared.integers < integers:
        print("not finished, the time was up: the same command goes on from here")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    typer.run(main)
