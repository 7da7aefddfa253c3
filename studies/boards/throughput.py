"""What a core does per second at the clock of a build: the cycle model's word, not a measurement."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.cores.core import Core
from sim.cores.heads import HeadCore
from sim.cores.network.core import WholeNetworkCore
from sim.cores.stochastic.network import WholeStochasticCore
from sim.timing.cycles import StageActivity
from studies.data.random import random_heads, random_rates

# From the second on, the durations of heads that follow each other differ by their spikes only
HEADS = 4
IMAGES = 40
# From a clock in MHz to what the cycle model says at it
Throughput = Callable[[float], dict[str, Any]]


def head_throughput(core: HeadCore[Any, Any, Any], clock_mhz: float, *, seed: int = 0) -> dict[str, Any]:
    """Random heads of the largest size that a core holds, if stochastic of as many steps as it was made for.

    Returns:
        As `throughput`, and tokens, head_dim and seed of the heads.
    """
    tokens, head_dim = core.config.tokens, core.config.head_dim
    job = core.prepare(**(random_rates if core.rates else random_heads)(HEADS, tokens, head_dim, seed))
    found = throughput(core, job, core.activity(job, core.compute(job)), clock_mhz)
    return {"tokens": tokens, "head_dim": head_dim, "seed": seed} | found


def network_throughput(
    core: WholeNetworkCore | WholeStochasticCore, job: Any, clock_mhz: float
) -> dict[str, Any]:
    """What enters the core of a network; of what is held out the first `IMAGES`. It is loaded already.

    Returns:
        As `throughput`, and lanes, images, and lanes_in_linear_layers: the share of what the lanes
        could add in the cycles of linear layers that they do.

    Raises:
        InputError: the network does not fit the core.
    """
    job = replace(job, load=False)
    integers: Any = core.compute(job)
    done = core.activity(job, integers)
    found = throughput(core, job, done, clock_mhz)
    share = done.events["weight_additions"] / (core.adders * done.busy["linear"])
    size = {"lanes": core.lanes, "images": job.inferences}
    return size | found | {"lanes_in_linear_layers": round(share, 4)}


def throughput(
    core: Core[Any, Any, Any], job: Any, activity: StageActivity, clock_mhz: float
) -> dict[str, Any]:
    """Predict a core on a job whose items follow each other without waiting for the host.

    Returns:
        clock_mhz as given, cycles_per_ITEM (the mean of all but the first, where there are more),
        ITEMs_per_second, and accumulations_per_second: traces or weights added (stochastic: counts), where
        the spikes are there.
    """
    durations = core.predict(job).durations
    cycles = float(durations[len(durations) > 1 :].mean())
    rate = clock_mhz * 1e6 / cycles
    additions = sum(activity.events[name] for name in core.accumulations)
    return {
        "clock_mhz": clock_mhz,
        f"cycles_per_{core.item}": round(cycles, 1),
        f"{core.item}s_per_second": round(rate, 1),
        "accumulations_per_second": round(rate * additions / len(durations)),
    }
