"""What is counted in a netlist, and where it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from synth.families import FAMILIES
from synth.netlist import count, count_lone, read_top, resources_of
from synth.units import by_unit, die, unit_of


def cell(kind: str, outputs: dict[str, int], **inputs: int | str) -> dict[str, Any]:
    return {
        "type": kind,
        "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
        "connections": {port: [bit] for port, bit in (inputs | outputs).items()},
    }


def lut(out: int, *inputs: int | str) -> dict[str, Any]:
    return cell("SB_LUT4", {"O": out}, **{f"I{n}": bit for n, bit in enumerate(inputs)})


def flip_flop(out: int, data: int) -> dict[str, Any]:
    return cell("SB_DFFESR", {"Q": out}, D=data, C=2)


def write(path: Path, *cells: dict[str, Any], output: int = 99) -> Path:
    top = {
        "attributes": {"top": "00000000000000000000000000000001"},
        "ports": {"o": {"direction": "output", "bits": [output]}},
        "cells": {str(n): each for n, each in enumerate(cells)},
    }
    model = {"attributes": {}, "ports": {}, "cells": {"x": flip_flop(3, 4)}}
    path.write_text(json.dumps({"modules": {"SB_LUT4": model, "top": top}}))
    return path


LONE = {
    "fed by its LUT": (0, [lut(10, 3, 4, "0", "0"), flip_flop(11, 10)]),
    "LUT read twice": (1, [lut(10, 3, 4, "0", "0"), flip_flop(11, 10), lut(12, 10, 3, "0", "0")]),
    "LUT is an output": (1, [lut(99, 3, 4, "0", "0"), flip_flop(11, 99)]),
    "fed by a flip-flop": (1, [lut(10, 3, 4, "0", "0"), flip_flop(11, 10), flip_flop(12, 11)]),
    "fed by a pin": (1, [flip_flop(11, 5)]),
    "carry with its sum": (0, [cell("SB_CARRY", {"CO": 9}, I0=5, I1=6, CI=7), lut(10, "0", 5, 6, 7)]),
    "carry of a comparison": (1, [cell("SB_CARRY", {"CO": 9}, I0=5, I1=6, CI=7), lut(10, "0", 5, 6, 8)]),
    "constants alike": (0, [cell("SB_CARRY", {"CO": 9}, I0=5, I1="0", CI="1"), lut(10, "0", 5, "1", "x")]),
}


@pytest.mark.parametrize(("lone", "cells"), LONE.values(), ids=LONE.keys())
def test_lone_cells(tmp_path: Path, lone: int, cells: list[dict[str, Any]]) -> None:
    assert count_lone(read_top(write(tmp_path / "n.json", *cells)), FAMILIES["ice40"]) == lone


def test_flip_flops_of_the_ecp5_have_places_of_their_own(tmp_path: Path) -> None:
    assert count_lone(read_top(write(tmp_path / "n.json", flip_flop(11, 5))), FAMILIES["ecp5"]) == 0


def test_resources_are_those_of_the_top_module(tmp_path: Path) -> None:
    cells = (lut(10, 3, 4, "0", "0"), flip_flop(11, 10), flip_flop(12, 11))
    found = resources_of(read_top(write(tmp_path / "n.json", *cells)), FAMILIES["ice40"])
    assert (found.lut4, found.flip_flops, found.logic_cells) == (1, 2, 2)


def test_equivalents() -> None:
    cells = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "TRELLIS_FF": 7, "DP16KD": 1, "MULT18X18D": 1}
    need = count(cells, FAMILIES["ecp5"])
    assert (need.lut4, need.logic_cells, need.flip_flops) == (28, 28, 7)
    assert (need.block_rams, need.dsps) == (1, 1)
    assert count({"LUT4": 4, "ALU": 3, "DFFRE": 5}, FAMILIES["gowin"], lone_cells=2).logic_cells == 9


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("clock.synchronise.stage0_TRELLIS_FF_Q", "board"),
        ("link", "link"),
        ("link.transmitter.crc$52_LUT4_Z", "link"),
        ("link.component", "control"),
        ("link.component.cluster_3.bits_TRELLIS_FF_Q", "clusters"),
        ("link.component.cluster_3.trace_12.score_decay.trace", "lanes"),
        ("link.component.cluster_0.ramp_1.held", "lanes"),
        ("link.component.cluster_0.winner_tree.node_0_1.a", "winner search"),
        ("link.component.winner_queue.level", "winner search"),
        ("link.component.cluster_0.adder_tree.sum_0", "trees"),
        ("link.component.cluster_1.values.memory", "memories"),
        ("link.component.context_rows.rows", "memories"),
        ("link.component.threshold.level", "output"),
        ("link.component.threshold_heads.waiting", "control"),
        ("link.component.ramp.phase", "control"),
    ],
)
def test_units_of_the_attention_core(cell: str, unit: str) -> None:
    assert unit_of(cell, attention=True) == unit


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("link.reader.left", "link"),
        ("link.component.neuron_cluster_12.sum", "neuron cluster"),
        ("link.component.norm.root", "norm"),
        ("link.component.busy_LUT4_Z", "control"),
    ],
)
def test_units_of_another_component_are_its_parts(cell: str, unit: str) -> None:
    assert unit_of(cell, attention=False) == unit


def test_resources_by_unit() -> None:
    kinds = {
        "clock.ready": "SB_LUT4",
        "link.crc.a": "SB_LUT4",
        "link.crc.b": "SB_DFF",
        "link.ring": "SB_RAM40_4K",
        "link.component.part_0.a": "SB_LUT4",
        "link.component.part_1.a": "SB_LUT4",
        "link.component": "$scopeinfo",
    }
    found = by_unit({name: {"type": kind} for name, kind in kinds.items()}, FAMILIES["ice40"])
    assert found == {
        "link": {"lut4": 1, "flip_flops": 1, "block_rams": 1},
        "board": {"lut4": 1, "flip_flops": 0, "block_rams": 0},
        "part": {"lut4": 2, "flip_flops": 0, "block_rams": 0},
    }


@pytest.mark.parametrize("bel", ["X3/Y7/SLICEA.COMB0", "X3/Y7/lc4", "X3Y7/LUT4"])
def test_places_by_unit(tmp_path: Path, bel: str) -> None:
    """As nextpnr of each family writes them."""
    placed = {"attributes": {"NEXTPNR_BEL": bel}}
    cells = {"link.crc": placed, "link.crc.b": {"attributes": {}}, "$nextpnr_CCU2C_1": placed}
    path = tmp_path / "placed.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    assert die(path) == {"link": [(3, 7)]}
