"""And-inverter graphs of AIGER (Biere 2007) in the making."""

from collections.abc import Iterable


class Made:
    """An and-inverter graph in the making: equal nodes are one."""

    def __init__(self, inputs: int, latches: int) -> None:
        self._inputs, self._latches = inputs, latches
        self._nodes: dict[tuple[int, int], int] = {}

    def both(self, left: int, right: int) -> int:
        low, high = sorted((left, right))
        if low == 0 or low ^ 1 == high:
            return 0
        if low == 1 or low == high:
            return high
        return self._nodes.setdefault((high, low), 2 * (1 + self._inputs + self._latches + len(self._nodes)))

    def any(self, bits: Iterable[int]) -> int:
        none = 1
        for bit in bits:
            none = self.both(none, bit ^ 1)
        return none ^ 1

    def either(self, left: int, right: int) -> int:
        """One of the two, not both."""
        return self.both(self.both(left, right) ^ 1, self.both(left ^ 1, right ^ 1) ^ 1)

    def aiger(self, following: list[int], output: int) -> bytes:
        total = self._inputs + self._latches + len(self._nodes)
        lines = [f"aig {total} {self._inputs} {self._latches} 1 {len(self._nodes)}", *map(str, following)]
        deltas = bytearray()
        for (high, low), node in self._nodes.items():
            for number in (node - high, high - low):
                while number > 127:
                    deltas.append(number & 127 | 128)
                    number >>= 7
                deltas.append(number)
        return "\n".join([*lines, str(output)]).encode() + b"\n" + bytes(deltas)


def never(graph: bytes) -> bool:
    """Whether the only output of a graph is the constant 0."""
    header, *lines = graph.split(b"\n", 1 + int(graph.split(maxsplit=4)[3]) + 1)
    return lines[int(header.split()[3])] == b"0"
