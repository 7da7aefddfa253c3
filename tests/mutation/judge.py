"""What becomes of a mutant: the first test that fails on it, or a proof that it is the sound design."""

import inspect
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hw.export.verilog import Manifest
from sim.verilator.build import SOURCES, build_verilog
from sim.verilator.cache import cached, digest
from sim.verilator.result import Result, SimulationError
from sim.verilator.simulator import Simulator
from tests.mutation import forms, netlist
from tests.mutation.equivalence import Graph, Part, parts
from tests.mutation.netlist import SELECT, Mutant, Mutated, Netlist, Site
from tests.mutation.subject import Subject
from tests.mutation.subjects import SUBJECTS
from tests.mutation.verdicts import NOT_JUDGED, Verdict, key

MODES = ("inv", "const0", "const1", "cnot0", "cnot1")
# A mutant is stuck after so many times the longest wait of the sound design, and so many cycles
STALL = 2, 1000


@cache
def _subject(name: str) -> Subject:
    return SUBJECTS[name]()


@cache
def sound(subject: str) -> Netlist:
    """Netlist of a subject, made once and kept in the cache."""
    chosen = _subject(subject)

    def make(folder: Path) -> None:
        made = netlist.netlist(chosen.make(), chosen.module)
        (folder / "netlist.il").write_text(made.rtlil)
        (folder / "manifest.json").write_text(made.manifest.to_json())
        (folder / "sites.json").write_text(json.dumps([asdict(site) for site in made.sites]))
        (folder / "form").write_text(made.form)

    sources = [inspect.getsource(module) for module in (netlist, forms)]
    kept = cached("mutation", digest([SOURCES, chosen.design, *sources]), make)
    sites = (Site(**site) for site in json.loads((kept / "sites.json").read_text()))
    manifest = Manifest.from_json((kept / "manifest.json").read_text())
    form = (kept / "form").read_text()
    return Netlist((kept / "netlist.il").read_text(), manifest, tuple(sites), form)


def draw(subject: str, each: int, seed: int) -> list[Mutant]:
    """`each` mutants of every component of the subject's folder, no two alike."""
    places, of = defaultdict(list), _subject(subject)
    # By what they are: another name draws no other mutant
    for site in sorted(sound(subject).sites, key=lambda site: (site.form, site.port, site.bit, site.cell)):
        if site.file.startswith(of.folder) and site.file not in of.apart:
            places[site.file].append(site)
    drawn: list[Mutant] = []
    for file in sorted(places):
        rng, chosen = random.Random(f"{seed} {subject} {file}"), set()
        while len(chosen) < min(each, 2 * len(places[file])):
            site = rng.choice(places[file])
            mode = rng.choice(MODES if site.width > 1 else MODES[:3])
            control = rng.choice([bit for bit in range(site.width) if bit != site.bit] or [0])
            chosen.add((site, mode, control if mode.startswith("cnot") else 0))
        for site, mode, control in sorted(chosen, key=repr):
            drawn.append(Mutant(len(drawn) + 1, mode, site, control))
    return drawn


Runs = list[tuple[tuple[Any, ...], dict[str, Any], Result]]
"""Streams, how they ran, and what came of it on the sound design."""


class Switched(Simulator):
    """A compiled design that holds many mutants.

    Attributes:
        number: of the mutant that runs; 0 for none.
        noted: where runs are noted, if they are.
        stall: cycles without a transfer after which it is stuck; the simulator's own number when absent.
    """

    number = 0
    noted: Runs | None = None
    stall: int | None = None

    def run(self, *streams: Any, **how: Any) -> Result:
        stall = {} if self.stall is None else {"stall": self.stall}
        result = super().run(*streams, **how | {"ports": {SELECT: self.number}} | stall)
        if self.noted is not None:
            self.noted.append((streams, how, result))
        return result

    def repeats(self, runs: Runs) -> bool:
        """Whether all of it comes out as it did, every bit in the same cycle."""
        try:
            return all(_same(self.run(*streams, **how), result) for streams, how, result in runs)
        except SimulationError:
            return False


def _same(one: Result, other: Result) -> bool:
    return (
        (one.cycles, one.ports) == (other.cycles, other.ports)
        and all(np.array_equal(one.accepted[name], cycles) for name, cycles in other.accepted.items())
        and all(
            np.array_equal(one.outputs[name].words, beats.words)
            and np.array_equal(one.outputs[name].cycles, beats.cycles)
            for name, beats in other.outputs.items()
        )
    )


def _longest_wait(result: Result) -> int:
    """Most cycles without a transfer."""
    outputs = [beats.cycles for beats in result.outputs.values()]
    cycles = np.sort(np.concatenate([[0], *result.accepted.values(), *outputs]))
    return int(np.diff(cycles).max(initial=0))


class Judge:
    """Judges the mutants of one subject by its `trials`."""

    def __init__(self, subject: str, mutants: Sequence[Mutant]) -> None:
        self._name, self._subject = subject, _subject(subject)
        self.trials = tuple(self._subject.trials)
        self._mutated = _mutated(subject, mutants)
        self._graphs: dict[Part, Graph] = {}

    @cached_property
    def _simulator(self) -> Switched:
        """Compiled for the first trial: a proof needs none."""
        verilog = self._subject.finish(self._mutated.verilog)
        built = build_verilog(verilog, self._mutated.manifest)
        return Switched(built.verilog, built.manifest, built._library)

    @cached_property
    def _sound(self) -> dict[str, Runs]:
        """What the trials run on the sound design, which passes them."""
        simulator = self._simulator
        simulator.number, found = 0, {}
        for name, trial in self._subject.trials.items():
            simulator.noted = found[name] = []
            trial(simulator)
            assert found[name], f"a trial runs its subject, {name} does not"
        simulator.noted = None
        longest = max(_longest_wait(result) for runs in found.values() for _, _, result in runs)
        simulator.stall = STALL[0] * longest + STALL[1]
        return found

    def failed(self, number: int, trials: Iterable[str]) -> tuple[str, str] | None:
        """The first of these trials that fails on a mutant, and what it says; None if all pass.

        A trial depends on what comes of its runs only. So they alone are repeated, without computing again
        what should come, until something differs; then the trial itself decides whether it looks there.
        """
        runs = self._sound
        self._simulator.number = number
        for name in trials:
            if self._simulator.repeats(runs[name]):
                continue
            try:
                self._subject.trials[name](self._simulator)
            except Exception as error:  # whatever makes a test fail
                return name, f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return None

    def tried(self, mutant: Mutant) -> Verdict:
        """Whether a trial kills a mutant, or all pass."""
        failed = self.failed(mutant.number, self.trials)
        return told(self._name, mutant, "killed", failed[0]) if failed else told(self._name, mutant, "passed")

    def proven(self, mutant: Mutant) -> Verdict:
        """What a mutant is that passes all trials."""
        found = parts(self._mutated.rtlil, mutant.site.module)
        same = any(self._graph(part).equivalent(mutant.number) for part in found)
        return told(self._name, mutant, "equivalent" if same else "survived")

    def _graph(self, part: Part) -> Graph:
        if part not in self._graphs:
            self._graphs[part] = Graph(self._mutated, part, self._subject.contracts)
        return self._graphs[part]


def told(subject: str, mutant: Mutant, outcome: str = NOT_JUDGED, killer: str = "") -> Verdict:
    """A verdict on a mutant of a subject."""
    return Verdict(subject, mutant.site.file, key(sound(subject).form, mutant.place), outcome, killer)


def _mutated(subject: str, mutants: Sequence[Mutant]) -> Mutated:
    """The mutants in the netlist of a subject, made once and kept in the cache."""
    start = sound(subject)

    def make(folder: Path) -> None:
        made = netlist.mutated(start, mutants)
        (folder / "mutated.il").write_text(made.rtlil)
        (folder / "mutated.v").write_text(made.verilog)

    manifest = netlist.selected(start.manifest, mutants)
    kept = cached("mutation", digest([start.rtlil, *(repr(mutant) for mutant in mutants)]), make)
    return Mutated((kept / "mutated.il").read_text(), (kept / "mutated.v").read_text(), manifest)
