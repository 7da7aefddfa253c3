"""A compiled component that counts which of its lines ran, which bits toggled, and which events happened."""

import os
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hw.export.verilog import export
from sim.verilator import build
from sim.verilator.cache import cached, digest
from sim.verilator.result import Result
from sim.verilator.simulator import Simulator
from sim.verilator.toolchain import compile_model
from tests.coverage.watched import Watched

HERE = Path(__file__).parent
FILE = "ONESPIKE_COVERAGE"

Point = tuple[str, str, str]
"""Kind (line, branch or toggle), module, and place of a point of coverage."""


class Covered(Simulator):
    """A compiled component.

    Attributes:
        counts: how often each point was passed, in all runs.
        events: that happened in any run; see `Watched`.
    """

    def __init__(self, component: Watched, name: str) -> None:
        verilog, manifest = export(component, name)
        binding = "\n".join(build._binding(manifest)) + "\n"
        recipe = build._recipe(False, False)
        recipe = replace(
            recipe,
            main=HERE / "covered.cpp",
            verilator_flags=("--coverage-line", "--coverage-toggle"),
            defines=(*recipe.defines, "VM_COVERAGE=1"),
            runtime=(*recipe.runtime, "verilated_cov.cpp"),
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
        self.counts: Counter[Point] = Counter()
        self.events: set[str] = set()

    def run(self, *streams: Any, **how: Any) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "counts"
            os.environ[FILE] = str(path)
            result = super().run(*streams, **how)
            for line in path.read_text(errors="replace").splitlines():
                if line.startswith("C '"):
                    key, _, count = line[3:].rpartition("' ")
                    self.counts[_point(key)] += int(count)
        self.events |= self.component.happened(result.ports)
        return result


@cache
def _point(key: str) -> Point:
    """A point, of its key in a file of Verilator."""
    parts = dict(part.partition("\2")[::2] for part in key.split("\1")[1:])
    kind, _, module = parts["page"].partition("/")
    return kind.removeprefix("v_"), module, f"{parts['l']}:{parts.get('n', '')} {parts.get('o', '')}"
