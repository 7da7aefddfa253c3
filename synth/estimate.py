"""What a configuration will need of a device, before the minutes that its synthesis takes.

The figures of `synth/figures/estimate.json` are measured: cores with their link after synthesis, in each
family. A least-squares fit through them gives what a core costs fixed, for its output neuron, per bit of
its lanes' scores, in registers or in memory, per bit of the trace that they look up, in memory or in logic,
and in block RAM per point of their tables. The fit serves to refuse what cannot fit; what might is
synthesised and counted. `onespike dev estimate` measures again.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from golden.attention.config import CoreConfig, from_table
from hw.attention.core import AttentionCore
from hw.attention.trace import trace_table
from synth import commands
from synth.boards import BOARDS, Board
from synth.design import Design, board_top
from synth.families import FAMILIES, Family
from synth.figures import ESTIMATE
from synth.netlist import Resources, pack, resources_of
from synth.tools import find_tools, run_tool

# More than the fit's error on any sample: a core is refused when it cannot fit even with so much less
TOLERANCE = 0.25
FITTED = ("lut4", "flip_flops", "block_rams", "logic_cells")

# Differences from presets: number of lanes, tokens, code, bias and mask, output, where the trace is and where
# scores wait. The large one fits few devices; it keeps the fit from guessing beyond the small ones
_STORED: dict[str, Any] = {"base": "tiny", "queued_heads": 2}
_TINY = _STORED | {"cluster": 4, "score_store": "registers"}
SAMPLES: tuple[dict[str, Any], ...] = (
    {"base": "pico"},
    _TINY | {"lanes": 4},
    _TINY,
    _TINY | {"trace_store": "memory"},
    {"base": "digits", "lanes": 8},
    {"base": "digits"},
    _TINY | {"tokens": 8},
    _TINY | {"lanes": 16},
    _STORED,
    _STORED | {"lanes": 16},
    {"base": "default"},
)


def features(config: CoreConfig, resource: str) -> tuple[float, ...]:
    """What a resource is taken to be a linear function of."""
    lanes, width = config.lanes, config.score_width
    scores, points = lanes * width, lanes * config.code.trace_bits
    stored, looked_up = config.score_store == "memory", config.trace_store == "memory"
    always = (1, config.output != "context", scores, scores * stored, points, points * looked_up)
    if resource != "block_rams":
        return always
    # A table of many points is several block RAMs where those are small
    return (*always, lanes * len(trace_table(config.code)) * looked_up)


@cache
def _coefficients(family: str, resource: str) -> np.ndarray:
    samples = json.loads(ESTIMATE.read_text())[family]
    rows = np.array([features(_config(sample), resource) for sample in samples], dtype=float)
    measured = np.array([sample["measured"][resource] for sample in samples], dtype=float)
    # Relative errors count alike, in small cores and in large ones
    return np.linalg.lstsq(rows / measured[:, None], np.ones(len(rows)), rcond=None)[0]


def _config(sample: dict[str, Any]) -> CoreConfig:
    return from_table(dict(sample["configuration"]), str(ESTIMATE))


def estimate(config: CoreConfig, family: Family) -> Resources:
    """Resources of a core with its link."""
    found = {
        resource: max(0, round(float(features(config, resource) @ _coefficients(family.name, resource))))
        for resource in FITTED
    }
    return Resources(dsps=0, **found)


def measure(board: Board, config: CoreConfig, directory: Path) -> Resources:
    """Resources of a core with its link, counted after synthesis.

    Args:
        directory: an empty one.
    """
    design = Design(name="sample", make=lambda: AttentionCore(config), lanes=config.lanes)
    for name, text in commands.generate(board, board_top(board, design, board.clock)).items():
        (directory / name).write_text(text)
    stage, tool, arguments = next(iter(commands.stages(board, board.clock, 1)))
    run_tool(find_tools([tool])[tool], arguments, directory, directory / f"{stage}.log")
    return resources_of(pack(directory / commands.NETLIST, board.family), board.family)


def measure_samples(again: bool, on_sample: Callable[[str, dict[str, Any], Resources], None]) -> None:
    """Synthesise the samples of every family and write their figures.

    Args:
        again: those that were measured before, too.
        on_sample: told family, configuration and resources of each.

    Raises:
        InputError: a tool is missing.
        ToolError: a tool failed.
    """
    table = json.loads(ESTIMATE.read_text()) if ESTIMATE.exists() and not again else {}
    for family in FAMILIES:
        board = next(board for board in BOARDS.values() if board.family.name == family)
        known = {json.dumps(sample["configuration"]): sample for sample in table.get(family, [])}
        for configuration in SAMPLES:
            key = json.dumps(configuration)
            if key not in known:
                with tempfile.TemporaryDirectory() as scratch:
                    need = measure(board, from_table(dict(configuration), "sample"), Path(scratch))
                on_sample(family, configuration, need)
                known[key] = {"configuration": configuration, "measured": asdict(need)}
        table[family] = [known[json.dumps(configuration)] for configuration in SAMPLES]
        ESTIMATE.write_text(json.dumps(table, indent=1) + "\n")
