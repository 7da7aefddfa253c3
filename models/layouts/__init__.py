"""Which tensors make which model: a registry of checkpoint families, one file each.

A family says how to recognise its checkpoints and how to read them. Whatever it leaves unread, a tensor,
a file, a key or an option, is refused here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from models.files.facts import Facts, as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.model import Model
from models.layouts import bert, swin, torch_encoder, vit
from models.layouts.options import Choices, Options
from models.verdict import RefusedModel

__all__ = ["LAYOUTS", "Layout", "Options", "read_model"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A family of checkpoints.

    Attributes:
        about: which they are, for people.
        recognise: whether tensors are of it.
        read: the model; what is wrong is remembered in the tensors.
        harmless: regular expression of names of tensors that take no part in the outputs.
    """

    about: str
    recognise: Callable[[Tensors], bool]
    read: Callable[[Tensors, Choices], Model]
    harmless: str = r"^$"


LAYOUTS: dict[str, Layout] = {
    "bert": Layout(about=bert.ABOUT, recognise=bert.recognise, read=bert.read, harmless=bert.HARMLESS),
    "swin": Layout(about=swin.ABOUT, recognise=swin.recognise, read=swin.read, harmless=swin.HARMLESS),
    "vit": Layout(about=vit.ABOUT, recognise=vit.recognise, read=vit.read),
    "torch-encoder": Layout(
        about=torch_encoder.ABOUT, recognise=torch_encoder.recognise, read=torch_encoder.read
    ),
}


def read_model(tensors: Tensors, options: Options) -> tuple[str, Model]:
    """Recognise the layout and read the model.

    Returns:
        (layout, model).

    Raises:
        RefusedModel: no known layout; what the layout needs is missing or wrong; a tensor, file, fact or
            option that nothing reads; with a verdict for every node.
    """
    for name, layout in LAYOUTS.items():
        if layout.recognise(tensors):
            choices = Choices(options, tensors)
            model = layout.read(tensors, choices)
            choices.settle(name)
            tensors.refuse_leftovers(layout.harmless)
            tensors.settle()
            return name, model
    some = ", ".join(sorted(tensors.arrays)[:3])
    known = "; ".join(f"{name} ({layout.about})" for name, layout in LAYOUTS.items())
    raise RefusedModel(
        f"{tensors.path}: unknown architecture{said_of(tensors.facts(CONFIG))} (tensors {some}, ...); known "
        f"layouts: {known}",
        tensors.nodes,
        [(node, "unknown architecture") for node in tensors.nodes],
    )


def said_of(config: Facts) -> str:
    """What config.json calls the model."""
    keys = ("model_type", "architecture", "architectures")
    return "".join(f", {key} {as_json(config.table[key])}" for key in keys if key in config.table)
