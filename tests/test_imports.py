"""Who may import whom: what is computed, when it happens and how it is built are stated independently."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"golden", "sim", "hw", "synth", "onespike", "training"}

# Configurations, limits and tables: all that hardware may know of golden beside constants
GOLDEN_IN_HW = {
    *("PhaseCode", "CoreConfig", "NetworkConfig", "StochasticConfig", "Bank", "InputError", "writing"),
    *("decay_constants", "resolution", "roots", "rows", "shift_matrix", "signed_digits", "transform"),
    *("load_network", "sized_config", "to_table"),
}
# What the command line needs of numpy: files, checks of what is in them, an order to search in
NUMPY_IN_COMMANDS = {
    *("savez_compressed", "bool_", "float32", "finfo"),
    *("abs", "isfinite", "where", "random"),
}


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import of a file, at its top or inside; no name where a module is imported."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            for alias in node.names:
                whole = find(f"{module}.{alias.name}") is not None
                yield (f"{module}.{alias.name}", "") if whole else (module, alias.name)


def find(module: str) -> Path | None:
    """File of a module of ours."""
    place = ROOT.joinpath(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.exists()), None)


def files(part: str) -> list[Path]:
    return sorted((ROOT / part).rglob("*.py"))


def foreign(part: str, allowed: set[str]) -> list[str]:
    """Imports of a part from the parts of ours that it may not know."""
    return [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files(part)
        for module, _ in imports(path)
        if module.split(".")[0] in OURS - allowed
    ]


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("golden", {"golden"}),
        ("hw", {"hw", "golden"}),
        ("synth", {"synth", "hw", "golden"}),
        ("sim", {"sim", "synth", "hw", "golden"}),
    ],
)
def test_parts(part: str, allowed: set[str]) -> None:
    assert files(part)
    assert foreign(part, allowed) == []


def test_hardware_takes_configurations_and_tables_only() -> None:
    """Never what computes: a run function of golden inside the hardware would prove nothing."""
    taken = [
        f"{path.relative_to(ROOT)}: {module} {name}"
        for path in files("hw")
        for module, name in imports(path)
        if module.split(".")[0] == "golden" and not name.isupper() and name not in GOLDEN_IN_HW
    ]
    assert taken == []


CYCLE_MODELS = sorted((ROOT / "sim").rglob("cycle_model.py"))


@pytest.mark.parametrize("path", CYCLE_MODELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_cycle_models_know_golden_and_each_other_only(path: Path) -> None:
    """Directly or through what they import: two statements that agree are evidence."""
    models = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in CYCLE_MODELS}
    seen, waiting = set(), [path]
    while waiting:
        for module, _ in imports(waiting.pop()):
            source = find(module)
            if source is not None and module not in seen:
                seen.add(module)
                waiting.append(source)
    assert seen
    other = {module for module in seen if module.split(".")[0] != "golden"}
    assert other <= {"sim.cycles", *models}


def test_commands_hold_no_arithmetic_of_arrays() -> None:
    """The command line calls the engines; of numpy it uses what files need."""
    used = set()
    for path in files("onespike"):
        names = {name for module, name in imports(path) if module.split(".")[0] == "numpy"}
        assert names <= {"", "NDArray"}, (
            f"{path.relative_to(ROOT)}: numpy is imported as np, its types by name"
        )
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
                used.add(node.attr)
    assert used <= NUMPY_IN_COMMANDS
