"""The core that the options of a command name."""

from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from golden.errors import InputError
from onespike.schemes import SCHEMES

if TYPE_CHECKING:
    from sim.cores.heads import HeadCore


def head_core(scheme: str, preset_name: str | None, config_file: Path | None) -> "HeadCore[Any, Any, Any]":
    """The core that computes attention heads in a scheme, as --preset or --config describe it.

    Raises:
        InputError: see `onespike.schemes.AttentionScheme.config`.
    """
    config = SCHEMES[scheme].config(preset_name, config_file)
    return SCHEMES[scheme].core()(config)


def network_module(scheme: str, preset_name: str | None) -> Any:
    """What makes cores of the networks of a scheme, see `onespike.networks`.

    Raises:
        InputError: --scheme and --preset do not go with --network.
    """
    SCHEMES[scheme].check_options({"--network": True})
    if preset_name is not None:
        raise InputError("--network sizes the core itself, it excludes --preset")
    return resolve_name(SCHEMES[scheme].networks)
