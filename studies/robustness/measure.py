"""A task of sentences against length, code and bits of weights; a classifier of images against noise."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.network import account_by_layer, whole
from golden.code import PhaseCode
from golden.errors import InputError
from golden.stochastic.inference import classify
from golden.stochastic.network import SpikingNetwork
from models.conversion.network import IntegerModel
from models.conversion.record import record
from models.conversion.store import checksum
from models.floating.model import Model
from models.verdict import RefusedModel
from studies.data.datasets import Images
from studies.evaluate.report import label_report, sts_report
from studies.evaluate.task import Task
from studies.evaluate.work import Outputs
from studies.infer.cases import COLOUR_CALIBRATION, WHITE
from studies.infer.cores import sized_core
from studies.infer.inputs import inputs_of
from studies.losses.measure import Contest, name_of, outputs_of
from studies.robustness.texts import join, read_rows

LENGTHS = (16, 32, 64, 128, 256)
BITS = (8, 6, 4)
# Standard deviations of the noise, of 255 levels of a pixel
NOISES = (0, 8, 16, 32, 64)
# Of all inputs together that set the scales at a length, so that each length sees as many values
CALIBRATION_TOKENS, LEAST_CALIBRATION = 640, 4
# The core whose energy is counted, and on how many inputs
LANES, COUNTED = 64, 2
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A model of sentences and a file of its task.

    Attributes:
        name: of the task, for people.
        model: in floats; files: it was read from; tokenizer: its tokenizer.json.
        data: rows that are scored, and others that set scales.
        folder: outputs that are ready.
        jobs: processes.
        seed: of every draw.
    """

    name: str
    model: Model
    files: list[Path]
    tokenizer: Path
    data: Path
    folder: Path
    jobs: int
    seed: int

    def contest(self, calibration: list[NDArray[Any]], samples: list[NDArray[Any]]) -> Contest:
        """What the outputs of a code are measured with, of 8-bit weights."""
        ranges, _ = record(self.model, calibration)
        return Contest(
            model=self.model, ranges=ranges, calibration=calibration, samples=samples, weight_bits=8,
            origin=origin_of(self.files, calibration, samples),
        )  # fmt: skip

    def report(self, outputs: dict[str, Outputs], truth: NDArray[Any]) -> dict[str, Any]:
        """See `studies.evaluate.report`."""
        if self.model.outputs == "logits":
            return label_report(outputs, labels=truth, seed=self.seed)
        return sts_report(outputs, scores=truth, seed=self.seed)


def origin_of(
    files: list[Path], calibration: list[NDArray[Any]], samples: list[NDArray[Any]]
) -> dict[str, Any]:
    """What makes the outputs of a code what they are: the files of the model, and every value it is given."""
    values = hashlib.sha256()
    for array in (*calibration, *samples):
        values.update(f"{array.shape} {array.dtype}".encode() + array.tobytes())
    return {"files": [checksum(path) for path in files], "inputs": values.hexdigest()}


def point_of(report: dict[str, Any], code: PhaseCode, **where: Any) -> dict[str, Any]:
    """One point of a figure: where it stands, and what the report of its outputs says."""
    entry = report["modes"][name_of(code)]
    return where | {
        "steps": code.steps,
        "log2_base": str(code.log2_base),
        "samples": report["samples"],
        "float": report["modes"]["float"]["score"],
        "score": entry["score"],
        "loss": entry["loss"],
        "cosine": entry["cosine"],
    }


def against_length(subject: Subject, code: PhaseCode, samples: int, progress: Progress) -> dict[str, Any]:
    """Loss, and energy per inference by the counted events, with inputs of `LENGTHS` tokens.

    Args:
        samples: inputs, or pairs of them.

    Raises:
        InputError: the file has too few rows, or the model takes no inputs of that length.
    """
    model, rows = subject.model, read_rows(subject.model, subject.data)
    sides, points = len(rows.texts[0]), []
    metric = ""
    for tokens in LENGTHS:
        progress(f"{subject.name}: {tokens} tokens")
        if tokens > model.samples.length:
            raise InputError(f"the model must take {tokens} tokens, it takes {model.samples.length}")
        aside = max(LEAST_CALIBRATION, CALIBRATION_TOKENS // tokens) // sides
        try:
            joined = join(
                rows, subject.tokenizer, tokens, aside + samples, np.random.default_rng(subject.seed)
            )
        except InputError as error:
            raise InputError(f"{subject.data}: {error}") from None
        cut = aside * sides
        calibration = [sample[None] for sample in joined.samples[:cut]]
        contest = subject.contest(calibration, joined.samples[cut:])
        contest = replace(contest, also=partial(write_energy, model, contest.samples[:COUNTED]))
        outputs = outputs_of(contest, [code], subject.folder, subject.jobs, lambda ready: None)
        report = subject.report(outputs, joined.truth[aside:])
        metric = report["metric"]
        kept = energy_file(contest.place(subject.folder, code))
        points.append(point_of(report, code, tokens=tokens, energy=json.loads(kept.read_text())))
    return {"task": subject.name, "metric": metric, "points": points}


def energy_file(outputs: Path) -> Path:
    """Where the energy of a network lies, beside its outputs."""
    return outputs.with_suffix(".energy.json")


def write_energy(model: Model, samples: list[NDArray[Any]], made: IntegerModel, path: Path) -> None:
    """µJ per inference of the samples, in spikes and in 8-bit multiply-accumulates, on one core for streamed
    weights; see `energy.network`."""
    rows = made.of_rows(len(samples[0]))
    config = sized_core(rows, LANES, streamed=True).config
    layers = [
        each for sample in samples for each in account_by_layer(rows, config, entry(made, model, sample))
    ]
    spiking, dense = whole(layers, len(samples))
    found = {
        "spiking": spiking.microjoule,
        "dense": dense.microjoule,
        "lanes": LANES,
        "samples": len(samples),
    }
    energy_file(path).write_text(json.dumps(found))


def entry(made: IntegerModel, model: Model, sample: NDArray[Any]) -> NDArray[np.int64]:
    """What enters the network for a sentence."""
    found = made.encode(model, sample[None])
    assert isinstance(found, np.ndarray), "embedded tokens are integers of the stream"
    return found


def against_codes(
    subject: Subject,
    task: Task,
    calibration: list[NDArray[Any]],
    wanted: dict[int, list[PhaseCode]],
    progress: Progress,
) -> dict[int, dict[str, Any]]:
    """By the bits of a weight, the losses of codes on the task's own inputs, or why they are refused."""
    contest, found = subject.contest(calibration, task.samples), dict[int, dict[str, Any]]()
    for bits, codes in wanted.items():
        progress(f"{subject.name}: {bits} bits")
        part = replace(contest, weight_bits=bits)
        try:
            outputs = outputs_of(part, codes, subject.folder, subject.jobs, lambda ready: None)
        except RefusedModel as error:
            if not found:
                raise
            # that fewer bits cannot say it is a result, too
            found[bits] = {"points": [], "refused": {str(bits): str(error)}}
            continue
        report = task.report(outputs)
        points = [point_of(report, code, weight_bits=bits) for code in codes]
        found[bits] = {"metric": report["metric"], "points": points, "refused": {}}
    return found


def noisy(images: NDArray[np.uint8], deviation: int, seed: int) -> NDArray[np.uint8]:
    """Images with white Gaussian noise of so many levels on every channel of every pixel, cut to 0..255."""
    noise = np.random.default_rng(seed).normal(0, deviation, images.shape)
    return np.clip(np.rint(images + noise), 0, WHITE).astype(np.uint8)


def against_noise(
    model: Model, stochastic: SpikingNetwork, data: Images, code: PhaseCode, steps: int, samples: int,
    files: list[Path], folder: Path, jobs: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Accuracy of a float network, of its integers in spikes, and of a stochastic network of T = `steps`.

    All see the same noisy images; the scales come from training images without noise.
    """

    def given(images: NDArray[np.uint8]) -> NDArray[np.floating]:
        return inputs_of(model, images / np.float32(WHITE), 0)

    levels = [noisy(data.test[:samples], deviation, seed) for deviation in NOISES]
    calibration = np.array_split(given(data.train[:COLOUR_CALIBRATION]), 6)
    ranges, _ = record(model, calibration)
    noised = [*given(np.concatenate(levels))]
    contest = Contest(
        model=model, ranges=ranges, calibration=calibration, samples=noised, weight_bits=8,
        origin=origin_of(files, calibration, noised),
    )  # fmt: skip
    outputs = outputs_of(contest, [code], folder, jobs, lambda ready: None)
    labels, points = data.test_labels[:samples], []
    for number, (deviation, images) in enumerate(zip(NOISES, levels, strict=True)):
        part = slice(number * len(labels), (number + 1) * len(labels))
        classes = classify(stochastic, images, steps)
        found = {name: Outputs(values=each.values[part]) for name, each in outputs.items()}
        found["stochastic"] = Outputs(values=np.eye(found["float"].values.shape[1])[classes])
        report = label_report(found, labels, seed)
        point = point_of(report, code, deviation=deviation)
        points.append(point | {"stochastic": report["modes"]["stochastic"]["score"]})
    return {"metric": report["metric"], "stochastic_steps": steps, "points": points}
