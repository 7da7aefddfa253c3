"""Area of a core: from its synthesis where there was one, else an estimate that says so."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sim.cores.core import Core
from studies.sweep.synthesis import find_synthesised
from synth.families import FAMILIES
from synth.flow import ROOT

FAMILY = FAMILIES["ecp5"]


@dataclass(frozen=True, kw_only=True)
class Area:
    """Area of a core.

    Attributes:
        lut4: LUT4-equivalents, link included; None where unknown.
        area_source: synthesised, estimated (`synth.estimate`, on an ECP5), or unknown: a core that was
            not synthesised and of which there is no estimate.
        closed_mhz: clock that the build closed at; None without one.
    """

    lut4: int | None
    area_source: Literal["synthesised", "estimated", "unknown"]
    closed_mhz: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def area_of(core: Core[Any, Any, Any], synthesis: Path = ROOT) -> Area:
    """Area of a core.

    Raises:
        InputError: a report of the cache cannot be read.
    """
    build = find_synthesised(core, synthesis)
    if build is not None:
        return Area(lut4=build.report.lut4, area_source="synthesised", closed_mhz=build.clock_mhz)
    need = core.estimate(FAMILY)
    if need is None:
        return Area(lut4=None, area_source="unknown", closed_mhz=None)
    return Area(lut4=need.lut4, area_source="estimated", closed_mhz=None)
