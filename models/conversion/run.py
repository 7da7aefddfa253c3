"""Any model of the known layouts, run on a batch of its inputs."""

from typing import Any

from numpy.typing import NDArray

from models.floating.bert import Bert
from models.floating.engine import Engine, Floats
from models.floating.torch_encoder import TorchEncoder
from models.layouts import Model


def run(model: Model, batch: NDArray[Any], engine: Engine) -> Floats:
    """Outputs of a model: embeddings or logits of a text encoder, logits of a vision model, vectors else.

    Args:
        model: the model.
        batch: token numbers [batch, tokens], images [batch, channels, height, width], or vectors
            [batch, tokens, dim].
        engine: how nodes compute.
    """
    if isinstance(model, Bert):
        return model.embed(batch, engine) if model.classifier is None else model.classify(batch, engine)
    if isinstance(model, TorchEncoder):
        return model.encode(batch, engine)
    return model.classify(batch, engine)
