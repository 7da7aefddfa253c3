"""Runs a sweep: finished points lie in files of their own, so an interruption loses none."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import joblib

from golden.errors import InputError
from sim.sweep.grid import Point
from sim.sweep.measure import measure

FIELDS = ("error", "cycles", "energy", "mac_energy", "lut4")


def read_point(path: Path) -> dict[str, Any] | None:
    """A finished point, None if it is not there.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if all(name in result for name in FIELDS):
            return dict(result)
    except (OSError, ValueError, TypeError):
        pass
    raise InputError(f"{path}: damaged result of a sweep; remove it and run again")


def write_point(path: Path, result: dict[str, Any]) -> None:
    """Write a point whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".point-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(result, file)
    Path(name).replace(path)


def content_of(arrays: dict[str, Any]) -> str:
    """Checksum of a workload's arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + arrays[name].tobytes())
    return digest.hexdigest()


def finish(point: Point, arrays: dict[str, Any], path: Path) -> dict[str, Any]:
    """Measure a point and keep it; runs in a worker."""
    result = asdict(point) | measure(point, arrays)
    write_point(path, result)
    return result


def sweep(
    points: list[Point],
    workloads: dict[str, dict[str, Any]],
    folder: Path,
    seed: int,
    jobs: int | None,
    progress: Callable[[bool], None],
) -> list[dict[str, Any]]:
    """Results of all points, in their order; those already in `folder` are read, not run.

    Args:
        points: see `sim.sweep.grid.span`.
        workloads: arrays of onespike attention by the name of the model.
        folder: holds a file per point.
        seed: of the workloads; part of the identity of a point.
        jobs: processes; None leaves the choice to joblib's configuration.
        progress: called once per point with whether it was there already.

    Raises:
        InputError: a damaged file, or arrays that a core cannot run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: content_of(arrays) for name, arrays in workloads.items()}
    paths = [folder / f"{point.key(content[point.model], seed)}.json" for point in points]
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
    return [result for result in results if result is not None]


def mark_front(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results with `front`: no other point is at least as good in error, cycles and energy."""

    def beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
        pairs = [(one[name], other[name]) for name in ("error", "cycles", "energy")]
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    return [
        result
        | {"front": not any(beats(other, result) for other in results if other["model"] == result["model"])}
        for result in results
    ]
