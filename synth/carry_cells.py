"""Logic in front of the ECP5's carry cells, packed into them.

Each half of a CCU2C has a lookup table of four inputs, of which an adder uses two. Yosys maps additions to
carry cells before it maps logic, and never looks back: an operand that is chosen, gated or inverted costs one
LUT4 per bit in front of an adder whose table could do the same. Here such LUTs disappear into the halves that
they feed; one that feeds something else, too, stays for that.

A half computes LUT4(A, B, C, D) ^ CIN and carries LUT4(A, B, C, D) ? CIN : LUT2(A, B), where the four lowest
bits of its table are LUT2, too: the table as it is for C = D = 0. (Lattice FPGA-TN-02022; Yosys's model of
the cell, ecp5/cells_sim.v.)
"""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations, permutations, product
from typing import Any

HALVES = ("0", "1")
PINS = "ABCD"
Bit = int | str
Cell = dict[str, Any]


def pack(module: Mapping[str, Any]) -> int:
    """Pack LUTs into the carry cells of a flat module of Yosys's JSON, in place.

    Returns:
        The number of LUTs that are gone.
    """
    cells: dict[str, Cell] = module["cells"]
    readers: Counter[Bit] = Counter(bit for port in module["ports"].values() for bit in port["bits"])
    luts: dict[Bit, str] = {}
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                readers.update(bits)
        if cell["type"] == "LUT4" and not _kept(cell):
            luts[cell["connections"]["Z"][0]] = name
    for carry in [cell for cell in cells.values() if cell["type"] == "CCU2C"]:
        for half in HALVES:
            if carry["parameters"][f"INJECT1_{half}"] == "NO":
                _absorb(carry, half, cells, luts, readers)
    idle = [name for bit, name in luts.items() if not readers[bit]]
    for name in idle:
        del cells[name]
    return len(idle)


def _kept(cell: Cell) -> bool:
    return any("keep" in name for name in cell["attributes"])


def table(parameter: str) -> tuple[int, ...]:
    """Bits of a lookup table, that of all inputs 0 first."""
    return tuple(int(bit) for bit in reversed(parameter))


def _absorb(
    carry: Cell, half: str, cells: Mapping[str, Cell], luts: Mapping[Bit, str], readers: Counter[Bit]
) -> None:
    """Give a half as many as possible of the LUTs that feed it; those first that feed nothing else."""
    pins: list[Bit] = [carry["connections"][pin + half][0] for pin in PINS]
    fed = [bit for bit in dict.fromkeys(pins) if bit in luts]
    choices = [choice for size in range(1, len(fed) + 1) for choice in combinations(fed, size)]
    for chosen in sorted(choices, key=lambda bits: (sum(readers[bit] == 1 for bit in bits), len(bits)))[::-1]:
        inner = {bit: cells[luts[bit]] for bit in chosen}
        found = Half(pins, table(carry["parameters"][f"INIT{half}"]), inner).fit()
        if found is None:
            continue
        support, init = found
        readers.subtract(pins)
        readers.update(support)
        for bit in chosen:
            if not readers[bit]:
                readers.subtract(cells[luts[bit]]["connections"][pin][0] for pin in PINS)
        for pin, bit in zip(PINS, support, strict=True):
            carry["connections"][pin + half] = [bit]
        carry["parameters"][f"INIT{half}"] = init
        return


class Half:
    """What half a carry cell and the LUTs in front of it compute together.

    Args:
        pins: nets at A, B, C and D.
        init: table of the half.
        inner: LUTs by the net that they drive.
    """

    def __init__(self, pins: list[Bit], init: tuple[int, ...], inner: Mapping[Bit, Cell]) -> None:
        self._pins = pins
        self._init = init
        self._inner = inner
        nets = [bit for bit in pins if bit not in inner]
        for lut in inner.values():
            nets += [lut["connections"][pin][0] for pin in PINS]
        self.support: list[Bit] = [bit for bit in dict.fromkeys(nets) if isinstance(bit, int)]

    def evaluate(self, values: Mapping[Bit, int]) -> tuple[int, int]:
        """Propagate, and what is carried if not, for values of the nets of `support`."""
        known = {"0": 0, "1": 1, "x": 0, **values}
        for bit, lut in self._inner.items():
            known[bit] = lookup(
                table(lut["parameters"]["INIT"]), [known[lut["connections"][p][0]] for p in PINS]
            )
        inputs = [known[bit] for bit in self._pins]
        return lookup(self._init, inputs), lookup(self._init[:4], inputs[:2])

    def fit(self) -> tuple[list[Bit], str] | None:
        """Nets at the four pins and a table that do the same, if there are such."""
        if len(self.support) > len(PINS):
            return None
        support: list[Bit] = self.support
        rows = [dict(zip(support, row, strict=True)) for row in product((0, 1), repeat=len(support))]
        truth = [(row, *self.evaluate(row)) for row in rows]
        # a pin that is not needed is tied to 1: then LUT2, the table for C = D = 0, is free
        spare: list[Bit] = ["1"] * (len(PINS) - len(support))
        for order in permutations(support + spare):
            init: list[int | None] = [None] * 16
            if all(self._place(init, order, *line) for line in truth):
                return list(order), "".join(str(bit or 0) for bit in reversed(init))
        return None

    @staticmethod
    def _place(
        init: list[int | None], order: tuple[Bit, ...], row: Mapping[Bit, int], propagate: int, carried: int
    ) -> bool:
        """Write one row of the truth table; False where another bit is there already."""
        inputs = [row[bit] if isinstance(bit, int) else 1 for bit in order]
        wanted = [(address(inputs), propagate)]
        if not propagate:
            wanted.append((address(inputs[:2]), carried))
        for place, bit in wanted:
            if init[place] not in (None, bit):
                return False
            init[place] = bit
        return True


def address(inputs: list[int]) -> int:
    return sum(bit << n for n, bit in enumerate(inputs))


def lookup(init: tuple[int, ...], inputs: list[int]) -> int:
    return init[address(inputs)]
