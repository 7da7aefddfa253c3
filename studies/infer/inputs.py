"""Grey images of a data set as the samples that a model takes."""

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from models.floating.engine import Floats
from models.floating.model import Model
from models.floating.swin import Swin
from models.floating.vit import Vit


def inputs_of(model: Model, images: NDArray[Any], tokens: int) -> Floats:
    """Samples of images.

    Args:
        model: a classifier of grey images, or of vectors, which are then the rows of an image.
        images: [n, side, side], 0..1. Where the model's are larger they get a black border, narrower than a
            patch.
        tokens: of an inference; they say the size of the images of a model that does not.

    Raises:
        InputError: no classifier, another kind of samples, or images of another size.
    """
    if model.outputs != "logits":
        raise InputError(f"a classifier of images must have logits, this model has {model.outputs}")
    if model.samples.kind == "vectors":
        return np.asarray(images, np.float32)
    if not isinstance(model, Vit | Swin):
        raise InputError(f"a classifier of images is not given {model.samples.kind}")
    channels = model.embedding.weight.shape[1] // model.patch**2
    if channels != 1:
        raise InputError(f"images are grey, this model is given {channels} channels")
    side = model.side if isinstance(model, Vit) else isqrt(tokens) * model.patch
    border, odd = divmod(side - images.shape[-1], 2)
    if odd or not 0 <= border < model.patch:
        found = "x".join(map(str, images.shape[1:]))
        raise InputError(f"images must be {side}x{side} pixels, or all but a narrow border, not {found}")
    return np.pad(images, ((0, 0), *((border, border),) * 2))[:, None].astype(np.float32)
