"""Outputs of a model's network of integers in several codes; each that is ready lies in a file of its own."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.errors import InputError
from golden.npz import read_npz
from models.conversion.network import CONVERSION, IntegerModel, integers_of, rows_of
from models.floating.engine import Activity, FloatEngine
from models.floating.model import Model
from models.floating.recording import Ranges
from studies.evaluate.work import Outputs, pieces

ARRAYS = ("values", "neurons", "spikes")


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """One model and its samples, for any code.

    Attributes:
        model: in floats.
        ranges: of the calibration samples.
        calibration: batches that scales and biases come from.
        samples: without a batch axis, that are scored.
        weight_bits: width of a weight.
        origin: what makes the outputs what they are, beside the code; it names the files.
        also: given the integers of a code, and where its outputs will lie, before they are written.
    """

    model: Model
    ranges: Ranges
    calibration: list[NDArray[Any]]
    samples: list[NDArray[Any]]
    weight_bits: int
    origin: dict[str, Any] = field(default_factory=dict)
    also: Callable[[IntegerModel, Path], None] | None = None

    def place(self, folder: Path, code: PhaseCode | None) -> Path:
        """File of the outputs in a code, None for floats."""
        known = self.origin | {"code": None, "bits": None}
        if code is not None:
            known |= {"code": asdict(code), "bits": self.weight_bits, "conversion": CONVERSION}
        key = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:16]
        name = "float" if code is None else f"{code.steps}-{str(code.log2_base).replace('/', '_')}"
        return folder / f"{name}-{key}.npz"

    def measure(self, code: PhaseCode | None, path: Path) -> Path:
        """Compute the outputs in a code and keep them; runs in a worker."""
        values, counted = list[NDArray[np.floating]](), dict[str, Activity]()
        work = pieces(self.samples)
        if code is None:
            values = [self.model.run(piece.batch, FloatEngine()) for piece in work]
        else:
            rows = rows_of(self.model, self.calibration)
            made = integers_of(
                self.model, self.ranges, rows, code, self.weight_bits, samples=self.calibration
            )
            values = [made.run(self.model, piece.batch, counted) for piece in work]
            if self.also is not None:
                self.also(made, path)
        ordered = np.empty((len(self.samples), *values[0].shape[1:]))
        for piece, found in zip(work, values, strict=True):
            ordered[piece.where] = found
        neurons, spikes = (sum(getattr(a, name) for a in counted.values()) for name in ARRAYS[1:])
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, values=ordered, neurons=neurons, spikes=spikes)
        part.replace(path)
        return path


def outputs_of(
    contest: Contest, codes: list[PhaseCode], folder: Path, jobs: int, progress: Callable[[bool], None]
) -> dict[str, Outputs]:
    """Outputs by mode: "float", then every code by `name_of`; those in `folder` are read, not computed.

    Args:
        progress: told once per mode whether it was there already.

    Raises:
        InputError: a damaged file, or a code in which the model has no integers.
    """
    import joblib  # as long to load as NumPy; only what evaluates shall wait for it

    folder.mkdir(parents=True, exist_ok=True)
    wanted = [None, *codes]
    paths = [contest.place(folder, code) for code in wanted]
    missing = [(code, path) for code, path in zip(wanted, paths, strict=True) if not path.is_file()]
    for _ in range(len(wanted) - len(missing)):
        progress(True)
    tasks = (joblib.delayed(contest.measure)(code, path) for code, path in missing)
    done: Iterator[Path] = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
    for _ in done:
        progress(False)
    names = ["float", *map(name_of, codes)]
    return {name: read(path, len(contest.samples)) for name, path in zip(names, paths, strict=True)}


def read(path: Path, samples: int) -> Outputs:
    """Outputs that were kept; the activity of all nodes is one entry."""
    arrays = read_npz(path)
    if set(arrays) != set(ARRAYS) or len(arrays["values"]) != samples:
        raise InputError(f"{path}: damaged result; remove it and run again")
    total = Activity(neurons=int(arrays["neurons"]), spikes=int(arrays["spikes"]))
    return Outputs(values=arrays["values"], activity={"all": total})


def name_of(code: PhaseCode) -> str:
    """How tables name a code."""
    return f"T={code.steps} B=2^({code.log2_base})"
