"""Global trace decay unit and trace lookup: every point of the code."""

import numpy as np

from golden.code import PhaseCode
from tests.hw.attention.scenario import UnitBench, scenario


@scenario("decay")
async def every_point(bench: UnitBench, rng: np.random.Generator) -> None:
    trace = bench.config.code.trace
    order = np.concatenate([np.arange(len(trace)), rng.permutation(len(trace))])
    bench.send("i", {"steps": order})
    bench.expect("o", {"trace": trace[order]})


def points(rng: np.random.Generator, code: PhaseCode) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Every signed point of the trace and every silent one, shuffled: inputs of one port, and addends."""
    active, negative, steps = (a.ravel() for a in np.indices((2, 2, len(code.trace))))
    order = rng.permutation(len(steps))
    addend = np.where(active, np.where(negative, -1, 1) * code.trace[steps], 0)
    return {"active": active[order], "negative": negative[order], "steps": steps[order]}, addend[order]


async def every_addend(bench: UnitBench, rng: np.random.Generator) -> None:
    """Both ports at once, each in an order of its own."""
    inputs, outputs = {}, {}
    for port in ("score", "context"):
        fields, outputs[port] = points(rng, bench.config.code)
        inputs |= {f"{port}_{name}": field for name, field in fields.items()}
    bench.send("i", inputs)
    bench.expect("o", outputs)


from_logic = scenario("lookup_logic")(every_addend)
from_memory = scenario("lookup_memory")(every_addend)
