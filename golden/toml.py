"""Tables of TOML files, read whole or refused."""

import tomllib
from pathlib import Path
from typing import Any

from golden.errors import InputError


def read_toml(path: Path) -> dict[str, Any]:
    """The table of a TOML file.

    Raises:
        InputError: the file cannot be read, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:  # also of integers too long and arrays too deep to read
        raise InputError(f"{path}: not a TOML file ({error})") from None
