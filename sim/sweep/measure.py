"""One point of a sweep: error, cycles, energy, and area where the core was synthesised."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from golden.attention import compute, decode_outputs, prepare
from golden.config import CoreConfig, to_table
from golden.energy.hardware import mac_attention, spiking_attention, total
from golden.errors import InputError
from golden.exact import softmax_attention
from sim.energy import attention_events
from sim.sweep.grid import Point

# Where `make synth` keeps its reports
SYNTHESIS = Path("build/synth")


def measure(point: Point, arrays: dict[str, Any], synthesis: Path = SYNTHESIS) -> dict[str, Any]:
    """Results of a point on the arrays of its workload, as plain numbers.

    Raises:
        InputError: the arrays cannot be run on such a core.
    """
    job = prepare(**arrays, code=point.code)
    config = point.config(job.tokens, job.head_dim, bias=job.bias is not None, mask=job.allowed is not None)
    out, _ = decode_outputs(job, compute(job))
    exact, _ = softmax_attention(arrays["q"], arrays["k"], arrays["v"], arrays.get("bias"), job.allowed)
    events = attention_events(job, config)
    return {
        "error": float(np.sqrt(np.square(out - exact).sum() / np.square(exact).sum())),
        "cycles": events.cycles,
        "energy": total(spiking_attention(events, config)),
        "mac_energy": total(mac_attention(events, config)),
        "lut4": area(config, synthesis),
    }


def area(config: CoreConfig, synthesis: Path) -> int | None:
    """LUT4-equivalents of a core in the synthesis cache, None if it was not synthesised.

    Raises:
        InputError: a report of the cache cannot be read.
    """
    wanted = to_table(config)
    for path in sorted(synthesis.glob("*/*/report.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            parameters, lut4 = report["parameters"], int(report["lut4"])
            same = all(parameters.get(name) == value for name, value in wanted.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: corrupt report in the synthesis cache ({type(error).__name__}); remove it"
            ) from None
        if same:
            return lut4
    return None
