"""Who may import whom: what is computed, when it happens and how it is built are stated independently."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"golden", "models", "hw", "sim", "synth", "energy", "studies", "onespike", "training"}

# Configurations, limits and tables: all that hardware may know of golden beside constants
GOLDEN_IN_HW = {
    *("PhaseCode", "CoreConfig", "KeySerialConfig", "IntegerConfig", "NetworkConfig", "StochasticConfig"),
    "Bank",
    *("StochasticNetworkConfig", "LayerOp", "HeadsOp", "Kind"),
    *("MemoryConfig", "ReaderTiming", "SdramChip"),
    *("InputError", "OutsideError", "cut", "writing"),
    *("AttentionOp", "LinearOp", "NormOp", "Neuron", "Source", "Target", "words"),
    *("decay_constants", "resolution", "roots", "rows", "shift_matrix", "signed_digits", "transform"),
    *("bits_for", "index_width", "most_octaves", "left_shift", "weights"),
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
        ("models", {"models", "golden"}),
        ("hw", {"hw", "golden"}),
        ("synth", {"synth", "hw", "golden"}),
        ("sim/timing", {"sim", "golden"}),
        ("sim", {"sim", "synth", "hw", "golden"}),
        ("energy", {"energy", "sim", "golden"}),
        ("studies", OURS - {"onespike", "training"}),
        ("onespike", OURS - {"training"}),
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


def test_cycle_models_know_golden_and_each_other_only() -> None:
    """Two statements that agree are evidence only while neither is made from the other."""
    models = files("sim/timing")
    assert models
    for path in models:
        known = {".".join(module.split(".")[:2]) for module, _ in imports(path) if module.startswith("sim.")}
        assert known <= {"sim.timing"}, f"{path.relative_to(ROOT)}: {sorted(known)}"


def test_hardware_and_cycle_models_do_not_meet_in_energy() -> None:
    """Energy counts what the cycle models count; it runs no hardware."""
    for path in files("energy"):
        known = {".".join(module.split(".")[:2]) for module, _ in imports(path) if module.startswith("sim.")}
        assert known <= {"sim.timing"}, f"{path.relative_to(ROOT)}: {sorted(known)}"


def test_no_two_folders_import_each_other() -> None:
    """A folder is one part of ours or a folder in it; files of a part that lie in no folder stand alone."""

    def place(module: str) -> str:
        path = find(module)
        assert path is not None, module
        parts = path.relative_to(ROOT).parts
        return "/".join(parts[:2]) if len(parts) > 2 else "/".join(parts).removesuffix("/__init__.py")

    arrows = {
        (place(".".join(path.relative_to(ROOT).with_suffix("").parts)), place(module))
        for part in OURS
        for path in files(part)
        for module, _ in imports(path)
        if module.split(".")[0] in OURS and find(module) is not None
    }
    assert arrows
    assert sorted((a, b) for a, b in arrows if a < b and (b, a) in arrows) == []


def test_commands_hold_no_arithmetic_of_arrays() -> None:
    """The command line calls the engines; of numpy it uses what files need. Tensors stand apart."""
    used = set()
    for path in set(files("onespike")) - set(files("onespike/torch")):
        names = {name for module, name in imports(path) if module.split(".")[0] == "numpy"}
        assert names <= {"", "NDArray"}, (
            f"{path.relative_to(ROOT)}: numpy is imported as np, its types by name"
        )
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
                used.add(node.attr)
    assert used <= NUMPY_IN_COMMANDS
