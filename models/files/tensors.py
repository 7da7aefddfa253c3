"""What a model is read from: its tensors, each taken by name and checked, and the facts of its folder."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError, quoted
from models.files.facts import Facts, as_json
from models.files.folder import MODULES, facts_beside, modules_of, weights_of
from models.files.names import usual_names
from models.files.weights import read_weights
from models.verdict import RefusedModel, refusal

Floats = NDArray[np.float32]


@dataclass
class Tensors:
    """Named tensors of one model.

    A reader takes what its layout needs. What is wrong is remembered, so that the reader comes to its
    end and `settle` refuses the model with a verdict for every node.

    Attributes:
        path: where they were read, for messages.
        arrays: by name; any dtype.
        files: contents of the JSON files beside it, by name.
        left_out: names of tensors that the user wants the model to be without.
        taken: names used so far.
        opened: facts that were looked at so far, by file.
        problems: (node, reason) of what was refused so far.
    """

    path: Path
    arrays: dict[str, NDArray[Any]]
    files: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    opened: dict[str, Facts] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def has(self, node: str) -> bool:
        """Whether any tensor of an optional dense layer or norm is there."""
        return f"{node}.weight" in self.arrays or f"{node}.bias" in self.arrays

    def refuse(self, node: str, reason: str) -> None:
        """Remember why a node cannot be converted, once."""
        if (node, reason) not in self.problems:
            self.problems.append((node, reason))

    def settle(self) -> None:
        """Raises RefusedModel if anything was refused."""
        if self.problems:
            raise RefusedModel(f"{self.path}: {refusal(self.problems)}", self.nodes, self.problems)

    def facts(self, file: str) -> Facts:
        """The facts of a JSON file beside the tensors, none where it is absent."""
        if file not in self.opened:
            table = self.files.get(file, {})
            if not isinstance(table, dict):
                self.refuse(file, f"{file} must hold a table, not {as_json(table)}")
                table = {}
            self.opened[file] = Facts(file, table, self.refuse)
        return self.opened[file]

    def modules(self) -> list[dict[str, str]]:
        """What modules.json names; empty where there is none."""
        self.opened[MODULES] = Facts(MODULES, {}, self.refuse)  # a list: all of it is the reader's
        return modules_of(self.files)

    def inner(self, facts: Facts, key: str) -> Facts:
        """The facts of a table inside another, none where it is absent."""
        file = f"{key} of {facts.file}"
        if file not in self.opened:
            self.opened[file] = Facts(file, facts.take(key, "table", {}), self.refuse)
        return self.opened[file]

    def leave_out(self, prefixes: Iterable[str]) -> None:
        """Go on without the tensors whose names are, or begin with, one of `prefixes`.

        Raises:
            InputError: no tensor has such a name.
        """
        for prefix in prefixes:
            start = prefix.rstrip(".")
            names = sorted(name for name in self.arrays if f"{name}.".startswith(f"{start}."))
            if not names:
                raise InputError(f"{self.path}: --leave-out must name tensors, {quoted(prefix)} names none")
            self.left_out += names
            for name in names:
                del self.arrays[name]

    @property
    def nodes(self) -> list[str]:
        """Nodes of all tensors, numbers in names in their order."""
        return list(dict.fromkeys(node_of(name) for name in sorted(self.arrays, key=natural)))

    def take(self, name: str, *shape: int | None) -> Floats:
        """A tensor as float32; None in `shape` stands for any size.

        Refused: missing, of another shape, empty, no real numbers, not finite. Then zeros take its
        place; a size that only it could tell becomes 0, which fits every other.
        """
        array = self.arrays.get(name)
        unknown = tuple(size or 0 for size in shape)
        if array is None:
            self.refuse(node_of(name), f"tensor {name} is missing")
            return np.zeros(unknown, np.float32)
        self.taken.add(name)
        fits = array.ndim == len(shape) and all(
            found and (not size or size == found) for size, found in zip(shape, array.shape, strict=True)
        )
        reason = None
        if not fits:
            wanted = ", ".join(str(size) if size else "any" for size in shape)
            reason = f"must have the shape [{wanted}], not {list(array.shape)}"
        elif array.dtype.kind != "f":
            reason = f"must hold floats, not {array.dtype}: quantised weights are not followed"
        else:
            with np.errstate(over="ignore"):
                values = array.astype(np.float32)
            finite = np.isfinite(values)
            if finite.all():
                return values
            where = [int(i) for i in np.argwhere(~finite)[0]]
            reason = f"must be finite in float32, not {array[tuple(where)]} at {where}"
        self.refuse(node_of(name), f"tensor {name} {reason}")
        if array.ndim == len(shape):
            unknown = tuple(size or found for size, found in zip(shape, array.shape, strict=True))
        return np.zeros(unknown, np.float32)

    def take_raw(self, name: str) -> Floats:
        """A tensor that was taken before, as float32."""
        return self.arrays[name].astype(np.float32)

    def maybe(self, name: str, *shape: int | None) -> Floats | None:
        """`take`, or None where the tensor is absent."""
        return self.take(name, *shape) if name in self.arrays else None

    def count(self, pattern: str) -> int:
        """Highest number at `{}` in names that begin with `pattern`, plus one; 0 where there is none."""
        expression = re.compile(re.escape(pattern).replace(r"\{\}", r"(\d+)"))
        found = [int(match[1]) for name in self.arrays if (match := expression.match(name))]
        # No block is without tensors: a wild number is a leftover, not a reason to look for as many
        return min(max(found, default=-1) + 1, len(self.arrays))

    def refuse_leftovers(self, harmless: str, hint: str) -> None:
        """Refuse tensors that nothing used, files that nothing opened, and facts that nothing followed.

        Args:
            harmless: regular expression of names of tensors that take no part in the outputs.
            hint: which options might have named them; may be empty.
        """
        for name in sorted(self.arrays, key=natural):
            if name not in self.taken and not re.search(harmless, name):
                self.refuse(
                    node_of(name),
                    f"tensor {name} is of an unknown part of the model; {hint}"
                    f"--leave-out {node_of(name)} goes on without it",
                )
        for file in self.files:
            if file not in self.opened:
                self.refuse(file, f"{file} beside the tensors is neither followed nor harmless")
        for facts in self.opened.values():
            facts.settle()


def node_of(tensor: str) -> str:
    """The node that a tensor belongs to: its name without the last part."""
    return tensor.rpartition(".")[0] or tensor


def natural(name: str) -> list[tuple[int, str]]:
    """Key that sorts numbers in names by their value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def read_tensors(path: Path) -> Tensors:
    """Tensors of a .safetensors, .npz, .pt, .pth or .bin file, or of a folder that holds one or its shards.

    Raises:
        InputError: nothing there, an unknown or damaged file, or more than one model.
    """
    weights = weights_of(path)
    arrays = usual_names(weights, read_weights(weights))
    return Tensors(path=weights, arrays=arrays, files=facts_beside(path, weights))
