"""What synthesis found of a core: reports that `onespike synth` left in its cache, and shipped ones."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from golden.errors import InputError
from sim.cores.core import Core
from synth.figures import BUILDS
from synth.flow import REPORT, ROOT
from synth.report import BuildReport


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """A placed and routed core.

    Attributes:
        path: of the report.
        report: its figures, link included.
    """

    path: Path
    report: BuildReport

    @property
    def clock_mhz(self) -> float:
        """The clock that the build closed at: its constraint, or what it reached where that is less."""
        return min(self.report.clock_mhz, self.report.fmax_mhz)


def shipped() -> list[Synthesised]:
    """The builds of `synth/figures/boards.json`."""
    names = {field.name for field in fields(BuildReport)}
    table = json.loads(BUILDS.read_text(encoding="utf-8"))
    reports = [{name: value for name, value in row.items() if name in names} for row in table]
    return [Synthesised(path=BUILDS, report=BuildReport.from_json(json.dumps(row))) for row in reports]


def read_cache(root: Path = ROOT) -> list[Synthesised]:
    """All builds of the cache.

    Raises:
        InputError: a report of the cache cannot be read.
    """
    found = []
    for path in sorted(root.glob(f"*/*/{REPORT}")):
        try:
            build = Synthesised(path=path, report=BuildReport.from_json(path.read_text(encoding="utf-8")))
            report = build.report
            if not (build.clock_mhz > 0 and report.lut4 >= 0 and isinstance(report.parameters, dict)):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: corrupt report in the synthesis cache ({type(error).__name__}); remove it"
            ) from None
        found.append(build)
    return found


def find_synthesised(core: Core[Any, Any, Any], root: Path = ROOT) -> Synthesised | None:
    """The fastest build of exactly this core, of the cache or, if there is none, of those that are shipped.

    Raises:
        InputError: a report of the cache cannot be read.
    """
    wanted = core.to_table()

    def fastest(builds: list[Synthesised]) -> Synthesised | None:
        same = [b for b in builds if all(b.report.parameters.get(n) == v for n, v in wanted.items())]
        return max(same, key=lambda build: build.clock_mhz, default=None)

    return fastest(read_cache(root)) or fastest(shipped())
