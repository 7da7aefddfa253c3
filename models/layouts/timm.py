"""What the config.json of a timm model says: an architecture, and arguments that differ from it."""

import re
from dataclasses import dataclass
from typing import Any

from models.files.facts import Facts, as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors
from models.floating.engine import Linear
from models.layouts.options import Choices

# Of config.json: names of classes, where the weights come from, and how images are to be prepared
HARMLESS_KEYS = (
    *("pretrained_cfg", "label_names", "label_descriptions", "classifier", "first_conv", "pool_size"),
    *("input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std", "tag"),
)
# Of the arguments: training, and what the tensors say by their shapes or by being there
HARMLESS_ARGUMENTS = (
    *("drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate"),
    *("weight_init", "init_values", "qkv_bias", "img_size"),
)
# timm's names where ours differ
ACTIVATIONS = {"gelu_tanh": "gelu_pytorch_tanh"}
POOLS = {"token": "cls", "avg": "mean"}


@dataclass(frozen=True, kw_only=True)
class Timm:
    """What config.json says of a model.

    Attributes:
        name: its architecture, None where nothing says it; then nothing is usual.
        arguments: those of the model that differ from the architecture's.
        activation: None where it is the architecture's.
        pooling: likewise.
    """

    name: re.Match[str] | None
    arguments: Facts
    activation: str | None
    pooling: str | None

    def agree(self, **actual: tuple[Any, Any]) -> None:
        """Arguments that the tensors say again; where one is absent, what the architecture has by its name.

        Args:
            actual: by argument, (that of the architecture, None if it says nothing; that of the tensors).
        """
        for key, (usual, here) in actual.items():
            self.arguments.agree(**{key: here})
            if self.name and self.arguments.table.get(key) is None and usual not in (None, here):
                reason = f"{self.name[0]} has {key} = {usual}, the tensors {here}"
                self.arguments.refuse("architecture", reason)


def read_timm(tensors: Tensors, choices: Choices, names: str, features: int, head: Linear | None) -> Timm:
    """Read it.

    Args:
        tensors: the model's.
        names: regular expression of the architectures that are known.
        features: those that the head reads.
        head: the classifier.
    """
    config = tensors.facts(CONFIG)
    config.harmless(*HARMLESS_KEYS)
    arguments = tensors.inner(config, "model_args")
    arguments.harmless(*HARMLESS_ARGUMENTS)
    for facts in (config, arguments):
        facts.agree(num_classes=0 if head is None else len(head.weight))
    config.agree(num_features=features)
    architecture = choices.maybe("architecture", config.take("architecture", "text"))
    name = None if architecture is None else re.fullmatch(names, architecture.partition(".")[0])
    if architecture is not None and name is None:
        forms = re.sub(r"\?P<\w+>", "", names).replace(r"\d+", "N")
        tensors.refuse("architecture", f"architecture must be {forms}, not {as_json(architecture)}")
    activation = arguments.take("act_layer", "text")
    said = [facts.one_of("global_pool", POOLS) for facts in (config, arguments)]
    pools = sorted({pool for pool in said if pool is not None})
    if len(pools) > 1:
        tensors.refuse(CONFIG, f"{CONFIG} says global_pool twice: {', '.join(pools)}")
    return Timm(
        name=name,
        arguments=arguments,
        activation=ACTIVATIONS.get(activation, activation),
        pooling=POOLS[pools[0]] if pools else None,
    )
