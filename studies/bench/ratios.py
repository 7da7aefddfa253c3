"""How much faster each fast path is than the slow one it stands for, and what starting costs; what
`onespike bench` prints.

The two sides of a ratio run the same job in the same run. Ratios carry over between machines far
better than times do; nothing here is asserted.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from golden.attention.config import preset
from studies.bench import golden
from studies.data.random import random_heads


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Two ways to the same result.

    Attributes:
        what: the workload.
        slow, fast: names of the two.
        slow_seconds, fast_seconds: median times.
    """

    what: str
    slow: str
    fast: str
    slow_seconds: float
    fast_seconds: float

    @property
    def ratio(self) -> float:
        """Time of the slow one over time of the fast one."""
        return self.slow_seconds / self.fast_seconds

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"ratio": self.ratio}


Call = Callable[[], object]


def median_seconds(slow: Call, fast: Call, rounds: int) -> tuple[float, float]:
    """Median wall times of two calls that take turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, spent in zip((slow, fast), times, strict=True):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def closed_form_against_literal(seed: int) -> Ratio:
    """Golden's closed form against the paper's procedure, time step by time step."""
    times = golden.measure(seed=seed)
    return Ratio(
        what=times.workload,
        slow="golden, time step by time step",
        fast="golden, closed form",
        slow_seconds=times.literal,
        fast_seconds=times.closed_form,
    )


def cycle_model_against_rtl(seed: int) -> Ratio:
    """Cycle model against the RTL compiled by Verilator; generating and compiling is not counted."""
    from sim.cores.attention.core import SpikedAttentionCore
    from sim.cores.rtl import compiled

    core = SpikedAttentionCore(preset("default")).tapped()
    job = core.prepare(**random_heads(8, 64, 32, seed))
    simulator = compiled(core, quick=False)
    beats = core.input_beats(job), core.output_beats(job)
    assert core.predict(job) == core.completion(job, simulator.run(*beats))
    slow, fast = median_seconds(lambda: simulator.run(*beats), lambda: core.predict(job), rounds=5)
    return Ratio(
        what="8 heads, 64 tokens, head_dim 32, preset default",
        slow="RTL in Verilator",
        fast="cycle model",
        slow_seconds=slow,
        fast_seconds=fast,
    )


def verilator_against_amaranth(seed: int) -> Ratio:
    """The core compiled by Verilator against Amaranth's own simulator, which is interpreted Python."""
    from sim.cores.attention.core import SpikedAttentionCore
    from sim.cores.rtl import compiled
    from studies.bench.amaranth_simulator import run_python

    core = SpikedAttentionCore(preset("digits")).tapped()
    job = core.prepare(**random_heads(1, 16, 16, seed))
    simulator = compiled(core, quick=False)
    beats = core.input_beats(job), core.output_beats(job)
    # What each of them spends on simulation, without generating and compiling code
    times = [
        (run_python(job, core.config, simulator.manifest).seconds, simulator.run(*beats).seconds)
        for _ in range(3)
    ]
    slow, fast = (statistics.median(seconds) for seconds in zip(*times, strict=True))
    return Ratio(
        what="1 head, 16 tokens, head_dim 16, preset digits",
        slow="RTL in Amaranth's simulator",
        fast="RTL in Verilator",
        slow_seconds=slow,
        fast_seconds=fast,
    )


def start_up(seed: int) -> Ratio:
    """Start of the command line against that of an interpreter that imports NumPy and does nothing."""
    slow, fast = median_seconds(
        lambda: _start("-m", "onespike", "--help"), lambda: _start("-c", "import numpy"), rounds=5
    )
    return Ratio(
        what="start-up",
        slow="onespike --help",
        fast="python -c 'import numpy'",
        slow_seconds=slow,
        fast_seconds=fast,
    )


def _start(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)


RATIOS: tuple[Callable[[int], Ratio], ...] = (
    closed_form_against_literal,
    verilator_against_amaranth,
    cycle_model_against_rtl,
    start_up,
)
