"""Cores are told apart by their objects and by one table; nothing else asks for the name of a scheme."""

import ast
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

from onespike.schemes import SCHEMES
from sim.cores.heads import HeadCore

ROOT = Path(__file__).parents[1]
PARTS = ("sim", "synth", "studies", "onespike")
CONFIGURATIONS = {"CoreConfig", "IntegerConfig", "NetworkConfig", "StochasticConfig"}


def branches(tree: ast.AST) -> Iterator[ast.expr]:
    """What is compared with the name of a scheme or asked for the class of a configuration or a core."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = (n for side in (node.left, *node.comparators) for n in ast.walk(side))
            if any(isinstance(n, ast.Constant) and n.value in SCHEMES for n in sides):
                yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            classes = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
            if any(name in CONFIGURATIONS or name.endswith("Core") for name in classes):
                yield node
        elif isinstance(node, ast.match_case):
            names = [n.value for n in ast.walk(node.pattern) if isinstance(n, ast.Constant)]
            yield from (ast.Constant(name, lineno=node.pattern.lineno) for name in names if name in SCHEMES)


def test_no_branch_on_a_scheme() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for part in PARTS
        for path in sorted((ROOT / part).rglob("*.py"))
        for node in branches(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        'if scheme == "spiked": pass',
        'x = 1 if report["scheme"] != "stochastic" else 2',
        'scheme in ("stochastic", "other")',
        "isinstance(config, CoreConfig | NetworkConfig)",
        "isinstance(core, (StochasticCore, int))",
        'match scheme:\n  case "spiked": pass',
    ],
)
def test_a_branch_is_found(text: str) -> None:
    assert len(list(branches(ast.parse(text)))) == 1


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_the_table_names_what_is_there(scheme) -> None:
    kind = scheme.core()
    assert issubclass(kind, HeadCore)
    assert kind.scheme == scheme.name
    assert isinstance(kind.of_size(3, 4), kind)
    assert callable(resolve_name(scheme.study).attend)
