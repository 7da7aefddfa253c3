"""Files of trained vision transformers."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from golden.inputs import check_array
from golden.npz import read_npz
from models.floating.small_vit import VisionTransformer, VitConfig


def save_vit(path: Path, network: VisionTransformer) -> None:
    """Write a network as float32 arrays with its sizes and metadata in JSON."""
    description = json.dumps({"config": asdict(network.config), "metadata": network.metadata})
    arrays = {name: value.astype(np.float32) for name, value in network.parameters.items()}
    np.savez_compressed(path, description=np.array(description), **arrays)  # type: ignore[arg-type]


def load_vit(path: Path) -> VisionTransformer:
    """Read a network that `save_vit` wrote.

    Raises:
        InputError: the file cannot be read, is truncated, lacks an array, or an array has a wrong
            shape, NaN or infinity.
    """
    arrays = read_npz(path)
    try:
        description = json.loads(str(arrays.pop("description")))
        config = VitConfig(**description["config"])
        metadata = dict(description["metadata"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: must hold a description of the network, {quoted(error)}") from None
    parameters: dict[str, NDArray[np.floating]] = {}
    for name, shape in config.parameter_shapes.items():
        if name not in arrays:
            raise InputError(f"{path}: must hold the array {name}")
        parameters[name] = check_array(f"{path}: {name}", arrays.pop(name), (len(shape),))
        if parameters[name].shape != shape:
            raise InputError(
                f"{path}: {name} must have the shape {list(shape)}, not {list(parameters[name].shape)}"
            )
    if arrays:
        raise InputError(f"{path}: must not hold the unknown array {min(arrays)}")
    return VisionTransformer(config, parameters, metadata)
