"""The files of hw/ that hold components, from the design itself."""

import inspect
from pathlib import Path

from tests.hw.test_every_component import components
from tests.mutation.netlist import HW

COMPONENTS = tuple(sorted({str(Path(inspect.getfile(kind)).relative_to(HW)) for kind in components()}))
