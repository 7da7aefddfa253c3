"""Columns of the context, output threshold, and the rows that are coded again."""

import numpy as np

from golden.attention.config import CoreConfig
from golden.attention.normaliser import RATIO_FRACTION_BITS, fire_output
from golden.attention.product import trace_product
from golden.code import Spikes
from sim.cores.attention.driver import spike_beats
from tests.hw.attention.scenario import UnitBench, random_spikes, scenario, spread

ROWS = 25


async def sum_of_every_column(bench: UnitBench, rng: np.random.Generator) -> None:
    """Any spikes; all at phase 0 and of one sign."""
    config = bench.config
    count, lanes = 120, config.lanes
    attention, value = (random_spikes(rng, config.code, count, lanes) for _ in range(2))
    attention = Spikes(np.abs(attention.sign), attention.phase)
    extreme = rng.random(count) < 0.1
    for spikes in (attention, value):
        spikes.phase[extreme] = 0
    attention.sign[extreme] = 1
    value.sign[extreme] = rng.choice([-1, 1], (count, 1))[extreme]
    tags = {name: rng.random(count) < 0.5 for name in ("ones", "final", "last")}
    # what a silent spike holds beside its silence does not matter
    fields = spike_beats(value)
    noise = rng.integers(config.code.steps, size=(2, count, lanes))
    fields["phase"] = np.where(value.sign, fields["phase"], noise[0])
    active = attention.sign.astype(int)
    phase = np.where(active, attention.phase, noise[1])
    bench.send("i", {"attention": {"active": active, "phase": phase}, "value": fields} | tags)
    value.sign[tags["ones"]], value.phase[tags["ones"]] = 1, 0
    total = trace_product(attention[:, None, :], value[:, :, None], config.code)[:, 0, 0]
    bench.expect("o", {"total": total} | tags)


from_logic = scenario("columns_logic")(sum_of_every_column)
from_memory = scenario("columns_memory")(sum_of_every_column)


def random_ratio(rng: np.random.Generator, config: CoreConfig) -> np.ndarray:
    """Any ratios, the smallest and the largest among them."""
    return spread(rng, (1 << config.ratio_width) - 1, config.code.log2_base.denominator)


@scenario("threshold")
async def product_of_every_row(bench: UnitBench, rng: np.random.Generator) -> None:
    config = bench.config
    for tokens in (1, 2, 7):
        ratio, features = random_ratio(rng, config), np.array([rng.integers(1, config.head_dim + 1)])
        tokens = min(tokens, config.tokens)
        bench.send("i_head", {"tokens": np.array([tokens]), "features": features, "ratio": ratio[None]})
        normaliser = spread(rng, config.normaliser_limit, tokens)
        bench.send("i", normaliser)
        level = normaliser[:, None] * ratio - 1 >> RATIO_FRACTION_BITS
        bench.expect("o", {"level": level, "features": np.repeat(features, tokens)})


def partial_sums(rng: np.random.Generator, config: CoreConfig, total: int, groups: int) -> list[int]:
    """Split a column over groups, each within what its lanes can hold."""
    full = config.lanes << config.code.trace_bits
    parts = []
    for after in reversed(range(1, groups)):
        part = int(rng.integers(max(-full, total - after * full), min(full, total + after * full) + 1))
        parts.append(part)
        total -= part
    return [*parts, total]


@scenario("rows")
async def rows_coded_again(bench: UnitBench, rng: np.random.Generator) -> None:
    """Any context and normaliser, whole rows of any length, one to all groups."""
    config = bench.config
    full = config.lanes << config.code.trace_bits
    for _ in range(ROWS):
        groups, features = rng.integers(1, config.groups + 1), rng.integers(1, config.head_dim + 1)
        limit = min(groups * full, config.normaliser_limit)
        normaliser = spread(rng, limit, 1)
        context = spread(rng, limit, features) * rng.choice([-1, 0, 1, 1, -1], features)
        row = np.concatenate([normaliser, context])
        sums = np.concatenate([partial_sums(rng, config, int(column), groups) for column in row])
        carry = rng.integers(2, size=len(sums))
        place, group = (a.ravel() for a in np.indices((features + 1, groups)))
        tags = {"ones": place == 0, "last": place == features, "final": group == groups - 1}
        bench.send("i", {"sum": sums - carry, "carry": carry} | tags)
        bench.expect("o_normaliser", normaliser)
        ratio = random_ratio(rng, config)
        level = normaliser[:, None] * ratio - 1 >> RATIO_FRACTION_BITS
        bench.send("i_levels", {"level": level, "features": np.array([features])})
        tags = {"normaliser": np.arange(features + 1) == 0, "last": np.arange(features + 1) == features}
        bench.expect("o_context", {"value": row} | tags)
        out = fire_output(context[None], normaliser, ratio, config.code)[0]
        bench.expect("o_code", {"spike": spike_beats(out), "last": np.arange(1, features + 1) == features})
