"""Outputs of a converted model over a data set, in parallel pieces by joblib.

Each worker reads the model from its folder once. Any joblib backend serves: processes on this machine
by default, or a Dask cluster that sees the same folder, named by
``joblib.parallel_config("dask")`` around the call.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.conversion.store import Stored, load
from models.floating.engine import Activity, Engine, FloatEngine, SpikingEngine

Mode = Literal["float", "network", "attention", "linear", "norm"]
MODES: tuple[Mode, ...] = ("float", "network", "attention", "linear", "norm")
# Samples of a batch: large enough for the matrix products, small enough for a progress bar
BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Work of one call: samples of one shape.

    Attributes:
        where: their places in the data set.
        batch: the samples.
    """

    where: NDArray[np.intp]
    batch: NDArray[Any]


@dataclass
class Outputs:
    """Outputs of all samples, [samples, ...], and the spikes counted on the way."""

    values: NDArray[np.floating]
    activity: dict[str, Activity] = field(default_factory=dict)


def pieces(samples: list[NDArray[Any]], size: int = BATCH) -> list[Piece]:
    """Samples of equal shape together, so that nothing is padded; large pieces first."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, sample in enumerate(samples):
        groups.setdefault(sample.shape, []).append(index)
    found = []
    for members in groups.values():
        for start in range(0, len(members), size):
            where = np.array(members[start : start + size])
            found.append(Piece(where=where, batch=np.stack([samples[i] for i in where])))
    return sorted(found, key=lambda piece: -piece.batch.size)


@lru_cache(maxsize=2)
def loaded(folder: str) -> Stored:
    """The model of this worker process."""
    return load(Path(folder))


def compute_piece(folder: str, mode: Mode, piece: Piece) -> tuple[Piece, NDArray[Any], dict[str, Activity]]:
    """Outputs of one piece; runs in a worker."""
    stored = loaded(folder)
    if mode == "network":
        assert stored.conversion.network is not None
        counted: dict[str, Activity] = {}
        return piece, stored.conversion.network.run(stored.model, piece.batch, counted), counted
    engine: Engine = FloatEngine() if mode == "float" else stored.conversion.engine(mode)
    outputs = stored.model.run(piece.batch, engine)
    activity = engine.activity if isinstance(engine, SpikingEngine) else {}
    return piece, outputs, activity


def outputs_of(
    folder: Path,
    mode: Mode,
    samples: list[NDArray[Any]],
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Outputs:
    """Outputs of every sample.

    Args:
        folder: a converted model, as `models.conversion.store.save` writes it.
        mode: floats, the network of integers, or for studies floats between attention in spikes, every
            dense input in spikes too, or layer norms as well.
        samples: inputs of the model without the batch axis.
        jobs: processes; None leaves the choice to joblib's configuration.
        progress: called with the number of samples that became ready.
    """
    import joblib  # as long to load as NumPy; only what evaluates shall wait for it

    work = pieces(samples)
    tasks = (joblib.delayed(compute_piece)(str(folder.resolve()), mode, piece) for piece in work)
    done: Iterator[Any] = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
    values: NDArray[np.floating] | None = None
    activity: dict[str, Activity] = {}
    for piece, outputs, counted in done:
        if values is None:
            values = np.empty((len(samples), *outputs.shape[1:]))
        values[piece.where] = outputs
        for name, part in counted.items():
            total = activity.setdefault(name, Activity())
            total.neurons += part.neurons
            total.spikes += part.spikes
            total.steps += part.steps
        if progress is not None:
            progress(len(piece.where))
    assert values is not None, "data sets are not empty"
    return Outputs(values=values, activity=dict(sorted(activity.items())))
