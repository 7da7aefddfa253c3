"""A trained model from its file to a folder of integers: read, calibrate, convert, write."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from golden.errors import writing
from models.conversion.convert import convert
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.conversion.store import TOKENIZER, Stored, save
from models.files.adapters import merge_adapters
from models.files.folder import TOKENIZER_CONFIG
from models.files.tensors import read_tensors
from models.files.text import check_settings
from models.layouts import Options, read_model
from studies.convert.picture import PICTURE, picture
from studies.evaluate.samples import Calibration, calibration_samples, check_samples


def convert_into(
    place: Path,
    label: str,
    source: Path,
    samples: Path | NDArray[Any],
    scheme: Scheme,
    options: Options,
    leave_out: Sequence[str],
    adapters: Path | None,
    tokenizer: Path | None,
    count: int,
    seed: int,
    progress: Callable[[str], None] = lambda what: None,
) -> Stored:
    """Read, calibrate, convert and write; of a network also a picture of its errors.

    Args:
        place: an empty folder.
        label: what the user calls it (for errors).
        source: a model file, or a folder with one.
        samples: a file of samples, or arrays [n, ...] of them.
        scheme: what runs in spikes, and how.
        options: what the files beside the weights do not say.
        leave_out: names of tensors to go on without.
        adapters: file of low-rank adapters to merge into the weights, or None.
        tokenizer: of a text encoder; the one beside the model when absent.
        count, seed: rows of a file of samples to use, drawn at random; arrays are used whole.
        progress: told what begins.

    Raises:
        RefusedModel: a node cannot be converted; holds a verdict per node.
        InputError: a file, an array or an option that cannot be used.
    """
    progress("read")
    tensors = read_tensors(source)
    tensors.leave_out(list(leave_out))
    if adapters is not None:
        merge_adapters(tensors, adapters)
    layout, model = read_model(tensors, options)
    beside = tokenizer or tensors.path.parent / TOKENIZER
    if isinstance(samples, Path):
        calibration = calibration_samples(model, samples, beside, count, seed)
    else:
        check_samples(model, Path("samples"), list(samples))
        calibration = Calibration(samples=[sample[None] for sample in samples], origin={})
    if model.samples.kind == "sentences":
        check_settings(beside, tensors.facts(TOKENIZER_CONFIG))
    progress(f"calibrate on {len(calibration.samples)} samples")
    ranges, layers = record(model, calibration.samples)
    progress("convert and compare")
    conversion = convert(model, ranges, layers, scheme, calibration.samples)
    progress("write")
    with writing(label):
        copied = beside if model.samples.kind == "sentences" else None
        save(place, tensors, layout, options, conversion, copied, calibration.origin)
        if conversion.network is not None:
            picture(conversion, f"{layout}: error along the depth", place / PICTURE)
    return Stored(layout=layout, model=model, conversion=conversion, calibration=calibration.origin)
