"""Trained transformers on spiking hardware: the command line and the public Python names.

docs/python.md shows the names; they are those of `onespike.public`, loaded when the first is used.
Everything else is internal.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onespike.public import *  # noqa: F403

__version__: str = version("onespike")


def __getattr__(name: str) -> Any:
    # Python asks for its own names too, of which a star import wants one
    if name == "__all__" or not name.startswith("_"):
        public = import_module("onespike.public")
        if name == "__all__" or name in public.__all__:
            return getattr(public, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *import_module("onespike.public").__all__]
