"""Which tensors make which model: a registry of checkpoint families, one file each.

A family says how to recognise its checkpoints and how to read them. Whatever it leaves unread, a tensor,
a file, a key or an option, is refused here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from models.files.facts import Facts, as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.model import Model
from models.layouts import (
    bert,
    distilbert,
    gpt2,
    hf_swin,
    hf_vit,
    mpnet,
    swin,
    torch_encoder,
    torchvision_vit,
    vit,
)
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
        hint: which options name tensors that are otherwise refused as unknown.
    """

    about: str
    recognise: Callable[[Tensors], bool]
    read: Callable[[Tensors, Choices], Model]
    harmless: str = r"^$"
    hint: str = ""


FAMILIES: dict[str, ModuleType] = {
    "bert": bert,
    "distilbert": distilbert,
    "mpnet": mpnet,
    "gpt2": gpt2,
    "hf-vit": hf_vit,
    "hf-swin": hf_swin,
    "vit": vit,
    "swin": swin,
    "torchvision-vit": torchvision_vit,
    "torch-encoder": torch_encoder,
}
LAYOUTS = {
    name: Layout(
        about=family.ABOUT,
        recognise=family.recognise,
        read=family.read,
        harmless=getattr(family, "HARMLESS", Layout.harmless),
        hint=getattr(family, "HINT", Layout.hint),
    )
    for name, family in FAMILIES.items()
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
            tensors.refuse_leftovers(layout.harmless, layout.hint)
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
