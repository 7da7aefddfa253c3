"""Packages that only reading models needs."""

import importlib
from typing import Any

from golden.errors import InputError


def optional(module: str) -> Any:
    """A module of the extra `models`.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise InputError(
            f"models need the package {package}, it is not installed (pip install -e '.[models]')"
        ) from None
