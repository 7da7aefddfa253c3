"""Logic that is packed into carry cells leaves what a netlist computes as it was."""

from itertools import product
from typing import Any

import numpy as np

from synth.carry_cells import PINS, lookup, pack, table

Bit = int | str
OUT = {"S0": 90, "S1": 91, "COUT": 92}
ADDER = "1001011010101010"  # what Yosys gives half an adder: A + (B ^ C) with D = 1


def cell(kind: str, parameters: dict[str, str], outputs: dict[str, int], inputs: dict[str, Bit]) -> Any:
    return {
        "type": kind,
        "attributes": {},
        "parameters": parameters,
        "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
        "connections": {port: [bit] for port, bit in (inputs | outputs).items()},
    }


def lut(out: int, init: int, *inputs: Bit) -> Any:
    nets = dict(zip(PINS, [*inputs, "0", "0", "0", "0"][:4], strict=True))
    return cell("LUT4", {"INIT": f"{init:016b}"}, {"Z": out}, nets)


def carry(init: str, low: list[Bit], high: list[Bit], into: Bit = 1) -> Any:
    pins = {
        f"{pin}{half}": bit
        for half, bits in enumerate((low, high))
        for pin, bit in zip(PINS, bits, strict=True)
    }
    inject = dict.fromkeys(("INJECT1_0", "INJECT1_1"), "NO")
    return cell("CCU2C", {"INIT0": init, "INIT1": init} | inject, OUT, {"CIN": into} | pins)


def module(*cells: Any, ports: tuple[int, ...] = tuple(OUT.values())) -> Any:
    named = {str(n): each for n, each in enumerate(cells)}
    return {"ports": {"o": {"direction": "output", "bits": list(ports)}}, "cells": named}


def outputs(netlist: Any, values: dict[Bit, int]) -> list[int]:
    """What the carry cell of a netlist gives, by the model of its vendor."""
    known = {"0": 0, "1": 1, "x": 0, **values}
    for each in netlist["cells"].values():
        if each["type"] == "LUT4":
            nets = each["connections"]
            known[nets["Z"][0]] = lookup(
                table(each["parameters"]["INIT"]), [known[nets[pin][0]] for pin in PINS]
            )
    (adder,) = (each for each in netlist["cells"].values() if each["type"] == "CCU2C")
    bit, found = known[adder["connections"]["CIN"][0]], []
    for half in "01":
        init = table(adder["parameters"][f"INIT{half}"])
        pins = [known[adder["connections"][pin + half][0]] for pin in PINS]
        propagate = lookup(init, pins)
        found.append(propagate ^ bit)
        bit = bit if propagate else lookup(init[:4], pins[:2])
    return [*found, bit]


def check(netlist: Any, free: list[int], gone: int) -> None:
    """Pack; as many LUTs are gone, and every output is the same for all values of the free nets."""
    rows = [dict(zip(free, row, strict=True)) for row in product((0, 1), repeat=len(free))]
    before = [outputs(netlist, row) for row in rows]
    assert pack(netlist) == gone
    assert [outputs(netlist, row) for row in rows] == before


CHOICE, BOTH = 0b1100_1010, 0b1000  # C ? B : A; A and B
FIXED: list[Bit] = ["0", "0", "0", "1"]


def test_chosen_operand() -> None:
    adder = carry(ADDER, [2, 10, "0", "1"], FIXED)
    check(module(lut(10, CHOICE * 0x0101, 3, 4, 5), adder), [1, 2, 3, 4, 5], 1)


def test_both_operands_gated() -> None:
    adder = carry(ADDER, [10, 11, "0", "1"], FIXED)
    check(module(lut(10, BOTH * 0x1111, 3, 4), lut(11, BOTH * 0x1111, 5, 4), adder), [1, 3, 4, 5], 2)


def test_subtracted_operand() -> None:
    """What is gated fits; a choice does not: with two pins at 0 a half would have to know the other two."""
    adder = carry(ADDER, [2, 10, "1", "1"], [6, 11, "1", "1"])
    luts = lut(10, CHOICE * 0x0101, 3, 4, 5), lut(11, BOTH * 0x1111, 7, 5)
    check(module(*luts, adder), [1, 2, 3, 4, 5, 6, 7], 1)


def test_more_inputs_than_a_half_has() -> None:
    adder = carry(ADDER, [2, 10, "0", "1"], FIXED)
    check(module(lut(10, 0x8000, 3, 4, 5, 6), adder), [1, 2, 3, 4, 5, 6], 0)


def test_operand_that_is_read_elsewhere_stays() -> None:
    adder = carry(ADDER, [2, 10, "0", "1"], FIXED)
    check(module(lut(10, BOTH * 0x1111, 3, 4), adder, ports=(*OUT.values(), 10)), [1, 2, 3, 4], 0)


def test_kept_lut_stays() -> None:
    kept = lut(10, BOTH * 0x1111, 3, 4)
    kept["attributes"]["keep"] = "1"
    check(module(kept, carry(ADDER, [2, 10, "0", "1"], FIXED)), [1, 2, 3, 4], 0)


def test_any_tables() -> None:
    """Random tables in both halves and in the LUTs in front: whatever is packed, nothing changes."""
    rng = np.random.default_rng(1)
    free, packed = [1, 2, 3, 4, 5], 0
    for _ in range(200):
        inits = [int(init) for init in rng.integers(1 << 16, size=5)]
        luts = [lut(10 + n, inits[n], *rng.choice(free, 4).tolist()) for n in range(3)]
        pins = rng.choice([*free, 10, 11, 12], (2, 4)).tolist()
        halves = [[bit if rng.random() < 0.7 else "1" for bit in half] for half in pins]
        adder = carry("0", *halves)
        adder["parameters"] |= {f"INIT{half}": f"{inits[3 + half]:016b}" for half in range(2)}
        netlist = module(*luts, adder)
        rows = [dict(zip(free, row, strict=True)) for row in product((0, 1), repeat=len(free))]
        before = [outputs(netlist, row) for row in rows]
        packed += pack(netlist)
        assert [outputs(netlist, row) for row in rows] == before
    assert packed > 20
