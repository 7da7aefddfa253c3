"""What the tensors do not say: options that are asked for, and refused where they contradict the facts."""

from dataclasses import dataclass, fields
from typing import Any

from models.files.facts import as_json
from models.files.folder import CONFIG
from models.files.tensors import Tensors

POOLINGS = ("mean", "cls")
ENCODER_POOLINGS = (*POOLINGS, "last")  # of a torch.nn.TransformerEncoder
MASKS = ("none", "causal")


@dataclass(frozen=True, kw_only=True)
class Options:
    """None takes the folder's word, or the usual value of a model whose kind the folder names.

    Attributes:
        architecture: model_type of transformers, or architecture of timm.
        heads: attention heads.
        activation: function between the MLP's layers.
        norm_first: torch.nn.TransformerEncoder with norm_first=True.
        epsilon: of the norms.
        pooling: "mean" of the tokens, "cls", the first one, or "last", the last one.
        mask: "none", or "causal", each token sees those up to itself.
        embedding, class_token, positions, head: names of what surrounds a torch.nn.TransformerEncoder: a
            dense layer before it, a token before all others, the positions that are then added, and a
            dense layer behind the pooled tokens.
    """

    architecture: str | None = None
    heads: int | None = None
    activation: str | None = None
    norm_first: bool | None = None
    epsilon: float | None = None
    pooling: str | None = None
    mask: str | None = None
    embedding: str | None = None
    class_token: str | None = None
    positions: str | None = None
    head: str | None = None


# How the options are given on the command line
FLAGS = {field.name: f"--{field.name.replace('_', '-')}" for field in fields(Options)}
FLAGS |= {"norm_first": "--norm-first or --norm-last"}


class Choices:
    """Options beside what the folder says.

    Attributes:
        asked: options that a reader asked for.
        missing: what neither says, as it is given on the command line.
    """

    def __init__(self, options: Options, tensors: Tensors) -> None:
        self.options = options
        self.tensors = tensors
        self.asked: set[str] = set()
        self.missing: list[str] = []

    def pick(self, name: str, said: Any, usual: Any = None) -> Any:
        """What the folder or the option says, else the usual value; missing if there is none.

        An option that contradicts the folder is refused.
        """
        found = self.maybe(name, said)
        if found is None and usual is None:
            self.missing.append(FLAGS[name])
        return usual if found is None else found

    def maybe(self, name: str, said: Any) -> Any:
        """What the folder or the option says, or None."""
        self.asked.add(name)
        option = getattr(self.options, name)
        if None not in (option, said) and option != said:
            reason = f"the folder says {name} = {as_json(said)}, the option {FLAGS[name]} {as_json(option)}"
            self.tensors.refuse(name, reason)
        return option if said is None else said

    def settle(self, layout: str) -> None:
        """Refuse what is missing, and options that nothing asked for."""
        if self.missing:
            flags = ", ".join(self.missing)
            # A name that the layout could have gone by says all of it
            named = "architecture" in self.asked and FLAGS["architecture"] not in self.missing
            self.tensors.refuse(
                "options",
                f"neither the file nor a {CONFIG} says what the outputs depend on; give "
                f"{'--architecture, or ' if named else ''}{flags} to onespike convert",
            )
        for name, flag in FLAGS.items():
            if getattr(self.options, name) is not None and name not in self.asked:
                self.tensors.refuse(name, f"{flag} is nothing that can be chosen for the layout {layout}")
