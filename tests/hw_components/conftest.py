"""The benches use the stream drivers of tests/benches and the workloads of tests/hw."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "benches"), str(TESTS / "hw")]
