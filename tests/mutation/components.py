"""The files of hw/ that hold components, from the design itself."""

import inspect
from pathlib import Path

from tests.hw.test_every_component import components
from tests.mutation.netlist import HW


def written(kind: type) -> str:
    """The file of hw/ that holds a class; "" where it is another's."""
    path = Path(inspect.getfile(kind))
    return str(path.relative_to(HW)) if path.is_relative_to(HW) else ""


COMPONENTS = tuple(sorted({written(kind) for kind in components()}))
