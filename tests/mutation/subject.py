"""A design under mutation, and how tests that compile a core of their own run one that holds mutants."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest.mock import patch

from amaranth.lib import wiring

from sim.cores import rtl
from sim.cores.core import Core
from sim.verilator.simulator import Simulator
from tests.mutation.contracts import Contract

Trial = Callable[[Simulator], None]


@dataclass(frozen=True)
class Subject:
    """A design under mutation.

    Attributes:
        folder: of hw/, or the start of a file's name; only components of such files are mutated here.
        design: all that decides what `make` makes, beside hw/ and golden/.
        make: a fresh component.
        module: name of its Verilog module.
        trials: tests by name.
        apart: files of that folder that have a design of their own here, and are not mutated in this one.
        finish: makes what is simulated of the Verilog.
        contracts: what its modules may rely on in a proof.
    """

    folder: str
    design: str
    make: Callable[[], wiring.Component]
    module: str
    trials: Mapping[str, Trial] = field(repr=False)
    apart: tuple[str, ...] = ()
    finish: Callable[[str], str] = str
    contracts: tuple[Contract, ...] = ()


@contextmanager
def standing_in(core: Core[Any, Any, Any], simulator: Simulator) -> Iterator[None]:
    """While this lasts, tests that run this core get the simulator."""

    def build(component: object, name: str, *, parameters: Mapping[str, Any], quick: bool) -> Simulator:
        assert parameters == {"core": repr(core)}, "a trial runs its subject"
        return simulator

    rtl.compiled.cache_clear()
    try:
        with patch.object(rtl, "build", build):
            yield
    finally:
        rtl.compiled.cache_clear()


def of_core(
    folder: str,
    core: Core[Any, Any, Any],
    tests: Mapping[str, Callable[[], object]],
    contracts: tuple[Contract, ...] = (),
) -> Subject:
    """A core with tests that run it through `sim.cores.rtl`."""

    def trial(test: Callable[[], object], simulator: Simulator) -> None:
        with standing_in(core, simulator):
            test()

    trials = {name: partial(trial, test) for name, test in tests.items()}
    return Subject(folder, repr(core), core.component, core.module, trials, contracts=contracts)
