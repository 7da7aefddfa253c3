"""Runs a sweep: finished points lie in files of their own, so an interruption loses none."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import joblib

from golden.errors import InputError
from studies.sweep.area import area_of
from studies.sweep.grid import Point
from studies.sweep.measure import Workload, key_of
from studies.sweep.synthesis import read_cache
from synth.flow import ROOT

FIELDS = ("error", "accuracy", "cycles", "energy", "mac_energy")
REFUSED = "refused"
GOALS = ("error", "cycles", "energy", "lut4")


def read_point(path: Path) -> dict[str, Any] | None:
    """A finished point, None if it is not there.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if REFUSED in result or all(name in result for name in FIELDS):
            return dict(result)
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    raise InputError(f"{path}: damaged result of a sweep; remove it and run again")


def write_point(path: Path, result: dict[str, Any]) -> None:
    """Write a point whole or not at all; what an interruption leaves is overwritten by the next run."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result), encoding="utf-8")
    part.replace(path)


def finish(point: Point, workload: Workload, path: Path) -> dict[str, Any]:
    """Measure a point and keep it; runs in a worker. A core that cannot be is a result too."""
    try:
        found = workload.measure(point)
    except InputError as error:
        found = {REFUSED: str(error)}
    result = asdict(point) | found
    write_point(path, result)
    return result


def sweep(
    points: list[Point],
    workloads: Mapping[str, Workload],
    folder: Path,
    seed: int,
    jobs: int | None,
    progress: Callable[[bool], None],
    synthesis: Path = ROOT,
) -> list[dict[str, Any]]:
    """Results of all points, in their order; those already in `folder` are read, not run.

    Args:
        points: see `studies.sweep.grid.span`.
        workloads: by the name of the model.
        folder: holds a file per point.
        seed: of the workloads; part of the identity of a point.
        jobs: processes; None leaves the choice to joblib's configuration.
        progress: called once per point with whether it was there already.
        synthesis: cache of onespike synth; areas are looked up anew each time.

    Returns:
        One dictionary per point; those with the key `refused` hold nothing but the reason.

    Raises:
        InputError: a damaged file, or no core of the grid can run its workload.
    """
    read_cache(synthesis)  # a corrupt report shall not show up after hours
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: workload.content for name, workload in workloads.items()}
    paths = [folder / f"{key_of(point, content[point.model], seed)}.json" for point in points]
    results = [read_point(path) for path in paths]
    todo = [index for index, result in enumerate(results) if result is None]
    for _ in range(len(points) - len(todo)):
        progress(True)
    tasks = (
        joblib.delayed(finish)(points[index], workloads[points[index].model], paths[index]) for index in todo
    )
    done = joblib.Parallel(n_jobs=jobs, return_as="generator")(tasks)
    for index, result in zip(todo, done, strict=True):
        results[index] = result
        progress(False)
    whole = [result for result in results if result is not None]
    if all(REFUSED in result for result in whole):
        raise InputError(f"no point of the grid can be run: {whole[0][REFUSED]}")
    areas = [
        {} if REFUSED in result else area_of(workloads[point.model].core(point), synthesis).to_json()
        for point, result in zip(points, whole, strict=True)
    ]
    return [result | area for result, area in zip(whole, areas, strict=True)]


def mark_front(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results with `front`: no other point of the model is at least as good in all of GOALS."""

    def beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
        # An unknown area is the same as any other
        pairs = [(one[name], other[name]) for name in GOALS if None not in (one[name], other[name])]
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    measured = [result for result in results if REFUSED not in result]
    return [
        result
        | {
            "front": REFUSED not in result
            and not any(beats(other, result) for other in measured if other["model"] == result["model"])
        }
        for result in results
    ]
