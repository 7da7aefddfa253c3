"""Images of a data set as the samples that a model takes."""

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
        model: a classifier of images, or of vectors, which are then the rows of a grey image.
        images: [n, side, side], or [n, side, side, 3] in colour, 0..1. Where the model's are larger they get
            a black border, narrower than a patch.
        tokens: of an inference; they say the size of the images of a model that does not.

    Raises:
        InputError: no classifier, another kind of samples, or images of another size.
    """
    if model.outputs != "logits":
        raise InputError(f"a classifier of images must have logits, this model has {model.outputs}")
    if model.samples.kind == "vectors":
        if images.ndim != 3:
            raise InputError("a model of vectors is given the rows of grey images, not images in colour")
        return np.asarray(images, np.float32)
    if not isinstance(model, Vit | Swin):
        raise InputError(f"a classifier of images is not given {model.samples.kind}")
    channels = images.shape[3] if images.ndim == 4 else 1
    if channels_of(model) != channels:
        raise InputError(f"images have {channels} channels, this model is given {channels_of(model)}")
    side = model.side if isinstance(model, Vit) else isqrt(tokens) * model.patch
    border, odd = divmod(side - images.shape[1], 2)
    if odd or not 0 <= border < model.patch:
        found = "x".join(map(str, images.shape[1:3]))
        raise InputError(f"images must be {side}x{side} pixels, or all but a narrow border, not {found}")
    maps = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.pad(maps, ((0, 0), (0, 0), *((border, border),) * 2)).astype(np.float32)


def channels_of(model: Vit | Swin) -> int:
    """Channels of the images that a model is given."""
    if isinstance(model, Vit):
        return model.channels
    return model.embedding.weight.shape[1] // model.patch**2
