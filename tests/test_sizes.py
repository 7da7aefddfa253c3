"""A file holds one idea: how long it may be, and how long what describes a circuit may be."""

import ast
from pathlib import Path

from tests.test_imports import OURS, ROOT, files

LINES, CIRCUIT_LINES = 350, 100
# What is longer holds one state machine, or one chain of stages, whose parts share most of their signals
LONG_CIRCUITS = {
    "hw/attention/cluster.py": "the chain of delays and the lanes that hang on it, all stages of one cluster",
    "hw/link/transmitter.py": "one state machine over ident, records and check, a byte per cycle",
    "hw/network/linear_issue.py": "one state machine over passes, rows and spikes; its counters are shared",
    "hw/network/norm_unit.py": "the states of a row, measured and fired, share its sums and its place",
    "hw/stochastic/core.py": "one pipeline from columns in to columns out; two stalls act on all of it",
}


def test_no_file_is_long() -> None:
    for part in sorted({*OURS, "tests"}):
        for path in files(part):
            count = len(path.read_text().splitlines())
            assert count <= LINES, f"{path.relative_to(ROOT)}: {count} lines"


def test_long_circuits_have_a_reason() -> None:
    def longest(path: Path) -> int:
        return max(
            (
                node.end_lineno - node.lineno + 1
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.FunctionDef) and node.name == "elaborate" and node.end_lineno
            ),
            default=0,
        )

    counted = {str(path.relative_to(ROOT)): longest(path) for path in files("hw")}
    assert max(counted.values()) > CIRCUIT_LINES
    assert {name for name, count in counted.items() if count > CIRCUIT_LINES} == set(LONG_CIRCUITS)
