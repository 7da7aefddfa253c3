"""What each preset may cost on each board: `budgets.toml`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from golden.toml import read_toml
from synth.boards import BOARDS, Board
from synth.report import BuildReport

FILE = Path(__file__).with_name("budgets.toml")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of a preset on a board.

    Attributes:
        clock_mhz: what it is built for unless another clock is asked for, and must reach.
        lut4, flip_flops, block_rams, dsps: at most, link included; as in `synth.netlist.Resources`.
    """

    clock_mhz: float
    lut4: int
    flip_flops: int
    block_rams: int
    dsps: int

    def exceeded(self, report: BuildReport) -> list[str]:
        """What of a build is over these limits, one phrase each."""
        over = [
            f"{name} must be at most {limit}, not {found}"
            for name in ("lut4", "flip_flops", "block_rams", "dsps")
            if (found := getattr(report, name)) > (limit := getattr(self, name))
        ]
        if report.fmax_mhz < self.clock_mhz:
            over.append(f"fmax_mhz must be at least {self.clock_mhz:g}, not {report.fmax_mhz:g}")
        return over


@cache
def budgets() -> Mapping[str, Mapping[str, Budget]]:
    """Budgets by board and preset."""
    table = read_toml(FILE)
    return {
        board: {preset: Budget(**limits) for preset, limits in presets.items()}
        for board, presets in table.items()
    }


def presets_of(board: Board) -> tuple[str, ...]:
    """Presets known to fit the board and to reach their clock there, the largest last."""
    known = budgets().get(board.name, {})
    return tuple(sorted(known, key=lambda name: known[name].lut4))


def clock_of(board: Board, design: str) -> float:
    """Hz for which a design is built on a board: that of its budget, or the board's own."""
    known = budgets().get(board.name, {}).get(design)
    return board.clock if known is None else known.clock_mhz * 1e6


def all_pairs() -> Iterator[tuple[Board, str]]:
    """Every board with every preset that has a budget there."""
    for board in BOARDS.values():
        yield from ((board, preset) for preset in presets_of(board))
