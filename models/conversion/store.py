"""A converted model on disk: tensors, integers and a description, each guarded by a checksum.

DIR/conversion.json   format, layout, options, facts of the source's folder, scheme, verdicts, checksums
DIR/model.safetensors float tensors under the names of the source
DIR/network.npz       the network of integers (`golden.network.file`), and in DIR/ends.npz what leads into it
                      and out of it; or
DIR/integers.npz      weights, biases, units and scales of every node in spikes, where floats stand between
DIR/tokenizer.json    copied, for text encoders
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import PhaseCode, read_fraction
from golden.errors import InputError, quoted
from golden.network.file import load_network, save_network
from golden.network.linear import IntegerLinear
from golden.npz import read_npz
from models.conversion.convert import Conversion
from models.conversion.lower import Ends
from models.conversion.network import IntegerModel
from models.conversion.scheme import Scheme
from models.files.optional import optional
from models.files.tensors import Tensors
from models.files.weights import read_weights
from models.floating.engine import SpikingAttention
from models.floating.model import Model
from models.floating.norm import SpikingNorm, restore_norm
from models.layouts import Options, read_model
from models.verdict import Verdict

FORMAT = "onespike conversion 4"
DESCRIPTION = "conversion.json"
TENSORS = "model.safetensors"
INTEGERS = "integers.npz"
NETWORK, ENDS = "network.npz", "ends.npz"
TOKENIZER = "tokenizer.json"
END_ARRAYS = ("unit", "mean")
LINEAR_FIELDS = ("weight", "bias", "unit", "input_scale", "input_offset")


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(
    folder: Path,
    tensors: Tensors,
    layout: str,
    options: Options,
    conversion: Conversion,
    tokenizer: Path | None,
    calibration: dict[str, Any],
) -> None:
    """Write a converted model into an existing, empty folder; `calibration` says where scales come from."""
    optional("safetensors.numpy").save_file(
        {name: np.ascontiguousarray(tensors.take_raw(name)) for name in sorted(tensors.taken)},
        folder / TENSORS,
    )
    (folder / TENSORS).chmod(0o644)  # the package writes for the owner alone
    arrays: dict[str, NDArray[Any]] = {}
    for name, layer in conversion.linears.items():
        fields = {field: getattr(layer, field) for field in LINEAR_FIELDS}
        arrays |= {f"linear/{name}/{f}": array for f, array in fields.items() if array is not None}
    for name, attention in conversion.attentions.items():
        arrays[f"attention/{name}/scales"] = attention.scales
        arrays[f"attention/{name}/balance"] = attention.balance
    for name, norm in conversion.norms.items():
        arrays |= {f"norm/{name}/offset": norm.layer.offset, f"norm/{name}/scale": norm.scale}
        arrays[f"norm/{name}/unit"] = np.array(norm.unit)
    made, ends = conversion.network, dict[str, Any]()
    if made is None:
        np.savez(folder / INTEGERS, allow_pickle=False, **arrays)
    else:
        save_network(folder / NETWORK, made.network)
        ends = {name: value for name, value in vars(made.ends).items() if name not in END_ARRAYS}
        found = {name: getattr(made.ends, name) for name in END_ARRAYS}
        given = {name: array for name, array in found.items() if array is not None}
        np.savez(folder / ENDS, allow_pickle=False, **given)
    if tokenizer is not None:
        shutil.copyfile(tokenizer, folder / TOKENIZER)
    scheme = conversion.scheme
    code = scheme.code
    description = {
        "format": FORMAT,
        "layout": layout,
        "options": asdict(options),
        "files": tensors.files,
        "left_out": tensors.left_out,
        "scheme": {
            "steps": code.steps,
            "log2_base": str(code.log2_base),
            "trace_bits": code.trace_bits,
            "ramp_bits": code.ramp_bits,
            "parts": scheme.parts,
            "granularity": scheme.granularity,
            "attention_granularity": scheme.attention_granularity,
            "window": scheme.window,
            "weight_bits": scheme.weight_bits,
            "tokens": scheme.tokens,
        },
        "ends": ends,
        "nodes": None if made is None else made.nodes,
        "calibration": calibration,
        "verdicts": [asdict(verdict) for verdict in conversion.verdicts],
        "advice": conversion.advice,
        "checksums": {
            name: checksum(folder / name)
            for name in (TENSORS, NETWORK, ENDS, INTEGERS, TOKENIZER)
            if (folder / name).is_file()
        },
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A converted model as read from its folder; `calibration` as given to `save`."""

    layout: str
    model: Model
    conversion: Conversion
    calibration: dict[str, Any]


def load(folder: Path) -> Stored:
    """Read a converted model.

    Raises:
        InputError: nothing there, another format, or a file that changed since it was written.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{folder}: holds no {DESCRIPTION}; onespike convert writes such a folder")
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        if description["format"] != FORMAT:
            raise InputError(f"{path}: format must be {quoted(FORMAT)}, not {quoted(description['format'])}")
        for name, expected in description["checksums"].items():
            if not (folder / name).is_file() or checksum(folder / name) != expected:
                raise InputError(f"{folder / name}: missing or changed since it was converted; convert again")
        scheme = read_scheme(description["scheme"])
        options = Options(**description["options"])
        files = dict(description["files"])
        left_out = list(description["left_out"])
        verdicts = [Verdict(**verdict) for verdict in description["verdicts"]]
        advice = [str(line) for line in description["advice"]]
        calibration = dict(description["calibration"])
        ends, nodes = dict(description["ends"]), description["nodes"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            text = str(error)
            raise InputError(text if text.startswith(str(folder)) else f"{path}: {text}") from None
        raise InputError(f"{path}: damaged description ({type(error).__name__}: {error})") from None
    weights = folder / TENSORS
    tensors = Tensors(path=weights, arrays=read_weights(weights), files=files, left_out=left_out)
    layout, model = read_model(tensors, options)
    network: IntegerModel | None = None
    linears: dict[str, IntegerLinear] = {}
    attentions: dict[str, SpikingAttention] = {}
    norms: dict[str, SpikingNorm] = {}
    if scheme.parts == "network":
        arrays = read_npz(folder / ENDS)
        network = IntegerModel(
            network=load_network(folder / NETWORK),
            ends=Ends(**ends, unit=arrays["unit"], mean=arrays.get("mean")),
            nodes=[tuple(names) for names in nodes],
        )
    else:
        linears, attentions, norms = read_integers(folder / INTEGERS, scheme)
    conversion = Conversion(
        scheme=scheme,
        linears=linears,
        attentions=attentions,
        norms=norms,
        verdicts=verdicts,
        network=network,
        advice=advice,
    )
    return Stored(layout=layout, model=model, conversion=conversion, calibration=calibration)


def read_scheme(table: dict[str, Any]) -> Scheme:
    code = PhaseCode(
        steps=table["steps"],
        log2_base=read_fraction("log2_base", table["log2_base"]),
        trace_bits=table["trace_bits"],
        ramp_bits=table["ramp_bits"],
    )
    return Scheme(
        code=code,
        parts=table["parts"],
        granularity=table["granularity"],
        attention_granularity=table["attention_granularity"],
        window=table["window"],
        weight_bits=table["weight_bits"],
        tokens=table["tokens"],
    )


def read_integers(
    path: Path, scheme: Scheme
) -> tuple[dict[str, IntegerLinear], dict[str, SpikingAttention], dict[str, SpikingNorm]]:
    """Dense layers, attention and norms by node."""
    code = scheme.code
    window = code.steps if scheme.window is None else scheme.window
    fields: dict[str, dict[str, dict[str, NDArray[Any]]]] = {"linear": {}, "attention": {}, "norm": {}}
    for key, array in read_npz(path).items():
        kind, name, field = key.split("/")
        fields[kind].setdefault(name, {})[field] = array
    linears = {name: IntegerLinear(code=code, **arrays) for name, arrays in fields["linear"].items()}
    attentions = {
        name: SpikingAttention(code=code, window=window, **arrays)
        for name, arrays in fields["attention"].items()
    }
    norms = {
        name: restore_norm(arrays["offset"], arrays["scale"], float(arrays["unit"]), code)
        for name, arrays in fields["norm"].items()
    }
    return linears, attentions, norms
