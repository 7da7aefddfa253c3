"""A model's folder."""

from functools import partial
from pathlib import Path

import pytest

from tests.models.model_folders import Folder, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes the folder of a reference model; see `write_folder`."""
    return partial(write_folder, tmp_path)
