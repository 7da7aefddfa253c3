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


PAIRS = 4096  # of the longer codes not all, of the others again


def points(
    rng: np.random.Generator, code: PhaseCode, signs: int
) -> tuple[dict[str, dict[str, np.ndarray]], np.ndarray]:
    """Every two spikes, silent ones too, shuffled: inputs of one port, and addends.

    Args:
        signs: that the first spike of a pair may have; with one it has no field for it.
    """
    pairs = [a.ravel() for a in np.indices((2, signs, code.steps, 2, 2, code.steps))]
    order = np.resize(rng.permutation(len(pairs[0])), PAIRS)
    a, b = (
        dict(zip(("active", "negative", "phase"), (p[order] for p in half), strict=True))
        for half in (pairs[:3], pairs[3:])
    )
    sign = np.where(a["negative"] ^ b["negative"], -1, 1) * a["active"] * b["active"]
    addends = sign * code.trace[a["phase"] + b["phase"]]
    if signs == 1:
        del a["negative"]
    return {"a": a, "b": b}, addends


async def every_addend(bench: UnitBench, rng: np.random.Generator) -> None:
    """Both ports at once, each in an order of its own; for some pairs ones instead of values."""
    ones = rng.random(PAIRS) < 0.2
    inputs, outputs = {"ones": ones}, {}
    for port, signs in (("score", 2), ("context", 1)):
        fields, outputs[port] = points(rng, bench.config.code, signs)
        inputs |= {f"{port}_{name}": field for name, field in fields.items()}
    a = inputs["context_a"]
    outputs["context"] = np.where(ones, a["active"] * bench.config.code.trace[a["phase"]], outputs["context"])
    bench.send("i", inputs)
    bench.expect("o", outputs)


from_logic = scenario("lookup_logic")(every_addend)
from_memory = scenario("lookup_memory")(every_addend)
