"""Trained models in Python: converted without retraining, read back, run in floats and in spikes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError, quoted
from models.conversion.scheme import Scheme
from models.conversion.store import Stored, load
from models.floating.engine import Floats
from models.layouts import Options
from onespike.files import filled_folder
from studies.convert.convert import convert_into
from studies.evaluate.work import Mode, outputs_of


def convert(
    source: str | Path,
    samples: str | Path | NDArray[Any],
    folder: str | Path,
    *,
    scheme: Scheme | None = None,
    options: Options | None = None,
    leave_out: Sequence[str] = (),
    adapters: str | Path | None = None,
    tokenizer: str | Path | None = None,
    count: int = 100,
    seed: int = 0,
) -> Stored:
    """Convert a trained transformer without retraining, and write it to a folder.

    Source: SpikedAttention (NeurIPS 2024), section 3.

    Args:
        source: a model file or a folder with one: BERT, ViT, Swin or torch.nn.TransformerEncoder.
        samples: what sets the scales: a file as for `onespike convert --samples`; or images
            [n, channels, height, width], vectors [n, tokens, dim] or token numbers [n, tokens].
        folder: to write to; made if absent.
        scheme: what runs in spikes, and how; `Scheme()` when absent.
        options: what the files beside the weights do not say.
        leave_out: names of tensors to go on without.
        adapters: file of low-rank adapters to merge into the weights, as for `onespike convert --adapters`.
        tokenizer: tokenizer.json of a text encoder; the one beside the model when absent.
        count, seed: rows of a file of samples to use, drawn at random; arrays are used whole.

    Raises:
        RefusedModel: a node cannot be converted; holds a verdict per node.
        InputError: a file, an array or an option that cannot be used.

    >>> import numpy as np, onespike
    >>> rng = np.random.default_rng(0)
    >>> sizes = {"self_attn.in_proj_": (24, 8), "self_attn.out_proj.": (8, 8), "linear1.": (16, 8),
    ...          "linear2.": (8, 16), "norm1.": (8,), "norm2.": (8,)}
    >>> np.savez("encoder.npz", **{
    ...     f"layers.0.{name}{kind}": rng.normal(size=size[: 2 if kind == "weight" else 1])
    ...     for name, size in sizes.items() for kind in ("weight", "bias")})
    >>> options = onespike.Options(heads=2, activation="relu", norm_first=False, epsilon=1e-5, mask="none")
    >>> vectors = rng.normal(size=(20, 5, 8)).astype(np.float32)
    >>> model = onespike.convert("encoder.npz", vectors, "encoder", options=options)
    >>> print(model.layout, *sorted({verdict.outcome for verdict in model.conversion.verdicts}))
    torch-encoder approximate exact
    """
    check_range("count", count, 1, 1 << 20)
    source, tokenizer = Path(source), None if tokenizer is None else Path(tokenizer)
    samples = Path(samples) if isinstance(samples, str) else samples
    adapters = None if adapters is None else Path(adapters)
    scheme, options = scheme or Scheme(), options or Options()
    with filled_folder("folder", Path(folder)) as place:
        return convert_into(
            place,
            f"folder {folder}",
            source,
            samples,
            scheme,
            options,
            leave_out,
            adapters,
            tokenizer,
            count,
            seed,
        )


def load_model(folder: str | Path) -> Stored:
    """Read a converted model.

    Raises:
        InputError: nothing there, another format, or a file that changed since it was written.

    >>> import onespike
    >>> onespike.load_model("absent")
    Traceback (most recent call last):
    golden.errors.InputError: absent: holds no conversion.json; onespike convert writes such a folder
    """
    return load(Path(folder))


def run_model(
    folder: str | Path, samples: Sequence[NDArray[Any]], mode: Mode | None = None, *, jobs: int | None = None
) -> Floats:
    """Outputs of a converted model: embeddings, logits or vectors, float [samples, ...].

    Args:
        folder: as `convert` writes it.
        samples: token numbers [tokens], images [channels, height, width], or vectors [tokens, dim] each.
        mode: "float" or "network"; of a study with floats between nodes in spikes "attention", also dense
            inputs ("linear"), also norms ("norm"). Everything that was converted when absent.
        jobs: processes; None leaves the choice to joblib's configuration, such as a Dask cluster.

    Raises:
        InputError: no converted model, one that was not converted that far, or no samples.

    >>> import numpy as np, onespike
    >>> vectors = np.random.default_rng(1).normal(size=(2, 5, 8))  # for the model that `convert` made
    >>> spikes, floats = (onespike.run_model("encoder", vectors, mode) for mode in ("network", "float"))
    >>> bool(np.linalg.norm(spikes - floats) < 0.2 * np.linalg.norm(floats))
    True
    """
    modes: tuple[Mode, ...] = ("float", *load(Path(folder)).conversion.parts)
    if mode is not None and mode not in modes:
        raise InputError(f"mode must be one of {', '.join(modes)} for {folder}, not {quoted(mode)}")
    if not len(samples):
        raise InputError("samples must be at least one, there are none")
    return outputs_of(Path(folder), modes[-1] if mode is None else mode, list(samples), jobs).values
