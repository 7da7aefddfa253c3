"""Names of tensors as their layout has them, without what wrappers around a model add."""

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from golden.errors import InputError

# torch.compile names itself in the middle of a name, DataParallel in front of all of them
COMPILED = re.compile(r"(^|(?<=\.))_orig_mod\.")
PARALLEL = "module."
# Of layer norms in files that came from TensorFlow
OLD = {"gamma": "weight", "beta": "bias"}
OLD_NORM = re.compile(r"(?<=LayerNorm\.)(gamma|beta)$")


def usual_names(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same tensors by their usual names.

    Raises:
        InputError: two of them would have one name.
    """
    names = {name: COMPILED.sub("", name) for name in arrays}
    while all(name.startswith(PARALLEL) for name in names.values()):
        names = {old: new.removeprefix(PARALLEL) for old, new in names.items()}
    names = {old: OLD_NORM.sub(lambda match: OLD[match[1]], new) for old, new in names.items()}
    usual: dict[str, NDArray[Any]] = {}
    for old, new in names.items():
        if new in usual:
            raise InputError(f"{path}: must hold the tensor {new} once, it holds it as {old} too")
        usual[new] = arrays[old]
    return usual
