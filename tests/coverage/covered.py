"""A compiled component that counts which of its lines ran, which bits toggled, and which events happened."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hw.export.verilog import export
from sim.verilator import build
from sim.verilator.cache import cached, digest
from sim.verilator.result import Result
from sim.verilator.simulator import Simulator
from sim.verilator.toolchain import compile_model
from tests.coverage.watched import Watched

HERE = Path(__file__).parent
FOLDER = "ONESPIKE_COVERAGE"

Point = tuple[str, str, str]
"""Kind (line, branch or toggle), instance, and place of a point of coverage."""


class Covered(Simulator):
    """A compiled component.

    Attributes:
        events: that happened in any run; see `Watched`.
    """

    def __init__(self, component: Watched, name: str, finish: Callable[[str], str] = str) -> None:
        verilog, manifest = export(component, name)
        verilog = finish(verilog)
        binding = "\n".join(build._binding(manifest)) + "\n"
        recipe = build._recipe(False, True)
        recipe = replace(
            recipe,
            main=HERE / "covered.cpp",
            # Where counters stand between signals Verilator may take a vector for a loop: slower, not wrong
            verilator_flags=("--flatten", "--coverage-line", "--coverage-toggle", "-Wno-UNOPTFLAT"),
            defines=(*recipe.defines, "VM_COVERAGE=1"),
        )

        def make(directory: Path) -> None:
            source, scratch = directory / f"{name}.v", directory / "obj"
            scratch.mkdir()
            source.write_text(verilog)
            (scratch / "binding.h").write_text(binding)
            compile_model(recipe, [source], name, scratch, directory / "model.so")
            shutil.rmtree(scratch)

        kept = cached("verilator", digest((verilog, binding, *recipe.key)), make)
        super().__init__(verilog, manifest, lambda waves: kept / "model.so")
        self.component = component
        self.events: set[str] = set()
        self._names = ""
        self._counts = np.zeros((), np.int64)

    @property
    def counts(self) -> Counter[Point]:
        """How often each point was passed, in all runs."""
        counts = Counter[Point]()
        for name, count in zip(self._names.splitlines(), self._counts.tolist(), strict=True):
            kind, instance, place = name.split("\t")
            counts[kind.removeprefix("v_"), instance, place] += count
        return counts

    def run(self, *streams: Any, **how: Any) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            os.environ[FOLDER] = folder
            result = super().run(*streams, **how)
            self._names = self._names or (Path(folder) / "names").read_text()
            self._counts = self._counts + np.fromfile(Path(folder) / "counts", np.uint32)
        self.events |= self.component.happened(result.ports)
        return result
