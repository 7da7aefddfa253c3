"""Winner search against a linear scan, ramp against golden's spike shift."""

import numpy as np

from golden.attention.config import CoreConfig
from golden.attention.woss import spike_shift
from sim.cores.attention.driver import groups_of
from tests.hw.attention.scenario import UnitBench, scenario

ROWS = 25


def random_scores(rng: np.random.Generator, config: CoreConfig, tokens: int) -> np.ndarray:
    """Scores of one row: near each other, of one sign, all equal, at the ends of the range, with ties."""
    limit = 1 << config.score_width - 1
    spread = int(np.exp2(rng.uniform(0, config.score_width)))
    scores = rng.integers(-limit, limit) + rng.integers(-spread, spread + 1, tokens)
    kind = rng.integers(6)
    if kind == 0:
        scores[:] = scores[0]
    if kind == 1:
        scores = rng.choice([-limit, limit - 1, -1, 0], tokens)
    if kind == 2:
        scores = -np.abs(scores) - 1
    if kind == 3:
        scores = rng.choice(scores, tokens)
    return np.clip(scores, -limit, limit - 1)


def random_alive(rng: np.random.Generator, tokens: int) -> np.ndarray:
    """At least one key takes part."""
    alive = rng.random(tokens) < rng.choice([0.2, 0.7, 1.0])
    alive[rng.integers(tokens)] = True
    return alive


def in_lanes(config: CoreConfig, values: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Values of tokens as [groups, lanes]; lanes without a token keep `rest` [groups, lanes]."""
    lanes = rest.reshape(-1).copy()
    lanes[: len(values)] = values
    return lanes.reshape(-1, config.lanes)


def linear_scan(scores: np.ndarray, alive: np.ndarray) -> int:
    best = None
    for score, takes_part in zip(scores.tolist(), alive.tolist(), strict=True):
        if takes_part and (best is None or score > best):
            best = score
    assert best is not None
    return best


@scenario("winner")
async def largest_of_every_row(bench: UnitBench, rng: np.random.Generator) -> None:
    config = bench.config
    width = config.score_width
    for _ in range(ROWS):
        tokens = int(rng.integers(1, config.tokens + 1))
        groups = len(groups_of(tokens, config))
        scores, alive = random_scores(rng, config, tokens), random_alive(rng, tokens)
        dead = rng.integers(-(1 << width - 1), 1 << width - 1, (groups, config.lanes))
        words = in_lanes(config, scores, dead) + (1 << width - 1)
        words += in_lanes(config, alive.astype(int), np.zeros_like(dead)) << width
        bits = np.stack([words >> n & 1 for n in reversed(range(width + 1))], axis=1)
        place = np.tile(np.arange(width + 1), groups)
        final = np.repeat(np.arange(groups) == groups - 1, width + 1)
        tags = {"last": place == width, "final": final}
        bench.send("i", {"bits": bits.reshape(-1, config.lanes)} | tags)
        bench.expect("o", np.array([linear_scan(scores, alive)]))


async def phases_of_every_row(bench: UnitBench, rng: np.random.Generator) -> None:
    """Heads of different size, window and step; steps of 0, 1 and beyond every distance among them."""
    config = bench.config
    limit = 1 << config.score_width - 1
    for _ in range(8):
        tokens = int(rng.integers(1, config.tokens + 1))
        groups = len(groups_of(tokens, config))
        window = int(rng.integers(1, config.code.steps + 1))
        step = int(rng.choice([0, 1, config.step_limit, *np.exp2(rng.uniform(2, config.step_width - 1, 5))]))
        head = {"tokens": tokens, "window": window, "step": step}
        bench.send("i_head", {name: np.array([value]) for name, value in head.items()})
        for _ in range(tokens):
            scores, alive = random_scores(rng, config, tokens), random_alive(rng, tokens)
            winner, spikes = spike_shift(scores[None], np.array(step), config.code, window, alive[None])
            dead = rng.integers(-limit, limit, (groups, config.lanes))
            none = np.zeros_like(dead)
            lanes = {"value": in_lanes(config, scores, dead), "alive": in_lanes(config, alive, none)}
            final = np.arange(groups) == groups - 1
            bench.send("i_scores", {"scores": lanes, "winner": np.full(groups, winner[0]), "final": final})
            bench.send("i_groups", np.array([groups]))
            active = spikes.sign[0].astype(int)
            row = np.zeros((2, config.groups, config.lanes), int)
            row[:, :groups] = [in_lanes(config, a, none) for a in (active, active * spikes.phase[0])]
            bench.expect("o_row", {"active": row[:1], "phase": row[1:]})


from_registers = scenario("ramp_registers")(phases_of_every_row)
from_memory = scenario("ramp_memory")(phases_of_every_row)
