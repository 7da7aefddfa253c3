"""Registers behind the ECP5's block RAMs, taken into them.

What a block RAM reads comes 5.6 ns after its clock, from one of a few columns of the device. Behind each of
its two ports it has registers of its own, which answer sooner; Yosys leaves them out. Here the registers that
a port feeds become those, if they do what those do: take what is there with every edge of the port's clock at
which the memory is read, and nothing else. (Lattice FPGA-TN-02204, output registers.)
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Cell = dict[str, Any]
WIDTH = 18
# Ports whose outputs show what a port reads. A word of 36 bits comes at both, and is read by the second
PORTS = {"A": "A", "B": "B"}
WIDE = {"B": "AB"}
# A flip-flop that takes what comes, and is zero at first
PLAIN = {"CLKMUX": "CLK", "REGSET": "RESET", "GSR": "DISABLED"}


def pack(module: Mapping[str, Any]) -> int:
    """Pack flip-flops into the block RAMs of a flat module of Yosys's JSON, in place.

    Returns:
        The number of flip-flops that are gone.
    """
    cells: dict[str, Cell] = module["cells"]
    readers: dict[Any, list[tuple[str, str]]] = defaultdict(list)
    for port in module["ports"].values():
        for bit in port["bits"]:
            readers[bit].append(("", ""))
    for name, cell in cells.items():
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "input":
                for bit in bits:
                    readers[bit].append((name, pin))
    gone: list[str] = []
    for memory in [cell for cell in cells.values() if cell["type"] == "DP16KD"]:
        wide = int(memory["parameters"]["DATA_WIDTH_B"], 2) > WIDTH
        for port, shown in (WIDE if wide else PORTS).items():
            gone += _absorb(memory, port, shown, cells, readers)
    for name in gone:
        del cells[name]
    return len(gone)


def _absorb(
    memory: Cell,
    port: str,
    shown: str,
    cells: Mapping[str, Cell],
    readers: Mapping[Any, list[tuple[str, str]]],
) -> list[str]:
    """Names of the flip-flops that a port has taken in: all that it feeds at the outputs `shown`, or none."""
    pins = memory["connections"]
    clock, resets = pins[f"CLK{port}"], [pins[f"RST{half}"] for half in shown]
    outputs = [pins[name] for half in shown for n in range(WIDTH) if (name := f"DO{half}{n}") in pins]
    fed = {bits[0]: readers[bits[0]] for bits in outputs if readers.get(bits[0])}
    registers = {bit: cells[found[0][0]] for bit, found in fed.items() if _is_data_alone(found, cells)}
    plain = all(
        _plain(register)
        and register["connections"]["CLK"] == clock
        and _enable(register) == pins[f"CE{port}"]
        for register in registers.values()
    )
    if not fed or len(registers) < len(fed) or not plain or any(reset != ["0"] for reset in resets):
        return []
    if any(pins[f"CLK{half}"] != clock for half in shown):
        return []
    for half in shown:
        memory["parameters"][f"REGMODE_{half}"] = "OUTREG"
        pins[f"OCE{half}"] = pins[f"CE{port}"]
    for bits in outputs:
        if bits[0] in registers:
            bits[:] = registers[bits[0]]["connections"]["Q"]
    return [found[0][0] for found in fed.values()]


def _is_data_alone(found: list[tuple[str, str]], cells: Mapping[str, Cell]) -> bool:
    """Whether a net goes to the data of one flip-flop, and nowhere else."""
    return len(found) == 1 and found[0][1] == "DI" and cells[found[0][0]]["type"] == "TRELLIS_FF"


def _enable(register: Cell) -> list[Any]:
    """The net at which it takes what comes, or "1"."""
    enable = register["parameters"]["CEMUX"].strip()
    return register["connections"]["CE"] if enable == "CE" else [enable]


def _plain(register: Cell) -> bool:
    return all(register["parameters"].get(name, "").strip() == value for name, value in PLAIN.items()) and (
        register["connections"].get("LSR", ["0"]) == ["0"]
    )
