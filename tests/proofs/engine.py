"""Decides properties: Yosys makes an and-inverter graph of them, ABC proves it or finds a counterexample.

Unbounded proofs are by property-directed reachability (Bradley, VMCAI 2011; Een, Mishchenko and Brayton,
FMCAD 2011): it finds an inductive invariant by itself, and checks at the end that it is one.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl._ir import PortDirection

from tests.proofs.property import Property

# A covered condition becomes the assertion that it never holds
COVER = """
(* techmap_celltype = "$cover" *)
module never(input A, input EN);
    \\$assert _TECHMAP_REPLACE_ (.A(!(A && EN)), .EN(1'b1));
endmodule
"""

SCRIPT = """
read_rtlil property.il
hierarchy -top property
proc
flatten
memory_collect
memory_map
chformal -lower
delete t:$print
opt_clean
design -save whole
chformal -cover -remove
{map}
write_aiger -zinit -B -I -L claims.aig
design -load whole
select -count t:$cover
chformal -assert -remove
techmap -map cover.v
{map}
write_aiger -zinit -B -I -L covers.aig
"""
MAP = "dffunmap; opt -full; techmap; opt -full; dffunmap; aigmap; opt_clean"

RUN = "from pyosys import libyosys; libyosys.run_pass('script prove.ys')"


# Assumptions become part of the one output that says that an assertion failed
ONE_BAD = "fold; orpos; strash"
# Steps of induction that are tried, and conflicts after which a step is given up
INDUCTION = 8
CONFLICTS = 300_000
# A search that found something
FOUND = re.compile(r"was asserted in frame (\d+)")
# After which reachability gives up
SECONDS = 600


class ProofError(Exception):
    """A tool said something that is no verdict."""


@dataclass(frozen=True)
class Verdict:
    """What was found: `holds`, and how: by induction, by reachability, or to a depth; or where it fails."""

    holds: bool
    how: str


class Decider:
    """The graphs of one property, in a folder of their own."""

    def __init__(self, prop: Property, folder: Path) -> None:
        self._folder = folder
        fragment, inputs = prop.design()
        ports = {f"{n}_{signal.name}": (signal, PortDirection.Input) for n, signal in enumerate(inputs)}
        (folder / "property.il").write_text(rtlil.convert(fragment, name="property", ports=ports))
        (folder / "cover.v").write_text(COVER)
        (folder / "prove.ys").write_text(SCRIPT.format(map=MAP))
        log = self._run([sys.executable, "-c", RUN])
        self.covers = int(re.findall(r"^(\d+) objects\.", log, re.M)[-1])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProofError(
                f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"
            )
        return done.stdout

    def _abc(self, graph: str, commands: str) -> str:
        import pyosys

        abc = Path(pyosys.__file__).with_name("yosys-abc")
        return self._run([str(abc), "-q", f"read_aiger {graph}; {commands}"])

    def prove(self, depth: int | None) -> Verdict:
        """Whether every assertion holds, in all cycles or in the first `depth`."""
        if depth is not None:
            return self.search(depth)
        # Cheap where the assertions carry each other from cycle to cycle
        log = self._abc("claims.aig", f"{ONE_BAD}; dc2; ind -F {INDUCTION} -C {CONFLICTS} -v")
        if "Networks are equivalent" in log:
            steps = int(re.findall(r"^Frame +(\d+)", log, re.M)[-1])
            base = self.search(steps + 1)
            return Verdict(True, f"induction {steps}") if base.holds else base
        log = self._abc("claims.aig", f"{ONE_BAD}; pdr -v -T {SECONDS}")
        if found := re.search(r"Verification of invariant with (\d+) clauses was successful", log):
            return Verdict(True, f"reachability, {found[1]} clauses")
        return self._failed(log)

    def search(self, depth: int) -> Verdict:
        """Whether no assertion fails in the first `depth` cycles."""
        return self._told(self._abc("claims.aig", f"{ONE_BAD}; bmc3 -F {depth}"), depth)

    @staticmethod
    def _told(log: str, depth: int) -> Verdict:
        if re.search(r"No output (asserted|failed)", log):
            return Verdict(True, f"{depth} cycles")
        return Decider._failed(log)

    @staticmethod
    def _failed(log: str) -> Verdict:
        if found := FOUND.search(log):
            return Verdict(False, f"fails in cycle {found[1]}")
        raise ProofError(log[-2000:])

    def counterexample(self, depth: int) -> Verdict:
        """Whether an assertion fails in the first `depth` cycles: its cycle is not the first."""
        for commands in _late_first(depth):
            verdict = self._told(self._abc("claims.aig", f"{ONE_BAD}; {commands}"), depth)
            if not verdict.holds:
                break
        return verdict

    def reached(self, depth: int) -> int:
        """How many of the `covers` are reached in the first `depth` cycles."""
        # each by itself: one search for all of them crashes ABC now and then
        ones = (f"fold; strash; &get -n; &cone -O {n} -R 1; &put" for n in range(self.covers))
        return sum(
            any(FOUND.search(self._abc("covers.aig", f"{one}; {search}")) for search in _late_first(depth))
            for one in ones
        )


def _late_first(depth: int) -> tuple[str, str]:
    """Searches for something in the first `depth` cycles. Reset is free: what can be there in some cycle can
    mostly be there in the last one, too, and to look there alone is much cheaper."""
    return f"bmc3 -S {depth - 1} -F {depth}", f"bmc3 -F {depth}"
