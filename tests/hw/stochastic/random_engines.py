"""Random stochastic engines from the whole accepted space, each with jobs: golden, RTL and cycle model beside
each other.

Only what a simulator can hold in reasonable time bounds the space: an engine's units, and a job's columns.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.stochastic.attention import StochasticJob, StochasticSpikes, prepare
from golden.stochastic.config import MASKS, MAX_SIZE, MAX_STEPS, StochasticConfig
from golden.stochastic.lfsr import MAX_WIDTH, MIN_WIDTH, period
from golden.stochastic.plan import LANE_SHARINGS, SCORE_SHARINGS, RandomPlan
from sim.cores.rtl import Run
from sim.cores.stochastic.core import StochasticCore
from sim.timing.stochastic import replay, slots_of
from tests.hw.stochastic.paused import offered, ready

# Of an engine, rows times tokens; of a job, input columns; a replayed job is stepped in Python
MOST_UNITS, MOST_COLUMNS, MOST_REPLAYED = 256, 20_000, 6000
MOST_HEADS = 4


@dataclass
class Checked:
    """What was compared."""

    engines: int = 0
    jobs: int = 0
    integers: int = 0
    cycles: int = 0
    different: int = 0
    refused: int = 0


def log_uniform(rng: np.random.Generator, most: int) -> int:
    """1..most, small and large ones equally often, both limits among them."""
    if rng.random() < 0.1:
        return most
    return int(min(most, 2 ** rng.uniform(0, np.log2(most + 1))))


def random_engine(
    rng: np.random.Generator, checked: Checked, most_units: int = MOST_UNITS
) -> StochasticConfig:
    """An engine that is accepted; what is refused on the way is counted."""
    while True:
        tokens = log_uniform(rng, min(MAX_SIZE, most_units))
        rows = min(int(rng.choice([1, tokens, rng.integers(1, tokens + 1)])), most_units // tokens)
        width = int(rng.choice([32, rng.integers(MIN_WIDTH, MAX_WIDTH + 1)]))
        last = period(width)
        fields = {
            "width": width,
            "draw_bits": int(rng.integers(1, min(width, 32) + 1)),
            "leap": int(rng.integers(1, 65)),
            "seed": int(rng.choice([1, 2, last - 1, last, 1 + int(rng.random() * last) % last])),
            "score": str(rng.choice(SCORE_SHARINGS)),
            "output": str(rng.choice(LANE_SHARINGS)),
            "encoder": str(rng.choice(LANE_SHARINGS)),
            "allow_dependent": bool(rng.random() < 0.3),
        }
        try:
            return StochasticConfig(
                tokens=tokens,
                head_dim=log_uniform(rng, MAX_SIZE),
                rows=rows,
                steps=log_uniform(rng, MAX_STEPS),
                rate_bits=int(rng.integers(1, 17)),
                mask=str(rng.choice(MASKS)),
                encoders=bool(rng.random() < 0.5),
                plan=RandomPlan(**fields),
            )
        except InputError:
            checked.refused += 1


def random_job(rng: np.random.Generator, config: StochasticConfig, most_columns: int) -> StochasticJob:
    """Trains or rates, sparse to full, some of them all silent, all ones or at a limit of the encoders."""
    columns = config.groups * config.head_dim
    most = max(1, min(config.steps, most_columns // columns))
    steps = int(rng.choice([1, most, log_uniform(rng, most)]))
    heads = int(rng.integers(1, max(1, min(MOST_HEADS, most_columns // (columns * steps))) + 1))
    shape = (3, heads, config.tokens, config.head_dim)
    density = rng.choice([0.0, 1.0, rng.random(), rng.random()], size=(3, 1, 1, 1))
    if rng.random() < 0.5:
        trains = rng.random((steps, *shape)) < density
        return prepare(*trains.swapaxes(0, 1), config)
    # Rates that the encoders can tell apart, halves between them, and both ends
    halves = 2 << config.rate_bits
    rates = rng.integers(-halves // 8, halves + halves // 8, size=shape) * density
    return prepare(*np.clip(np.floor(rates) / halves, 0, 1), config, steps=steps)


def check_engine(
    config: StochasticConfig,
    rng: np.random.Generator,
    jobs: int,
    checked: Checked,
    most_columns: int = MOST_COLUMNS,
) -> None:
    """Every spike of every job in the RTL, and every cycle; some jobs with pauses, some with a reset.

    Raises:
        AssertionError: an integer or a cycle differs.
    """
    checked.engines += 1
    for number in range(jobs):
        job = random_job(rng, config, most_columns)
        pauses = {}
        if number % 3 == 1:
            pauses = {"i": float(rng.random()) * 0.9}
        elif number % 3 == 2:
            pauses = {"i": float(rng.random()) * 0.9, "o": float(rng.random()) * 0.9}
        how: dict[str, Any] = {"pauses": pauses, "seed": int(rng.integers(1 << 16)), "quick": True}
        core = StochasticCore(config).tapped()
        ran = core.run(job, **how)
        compare(job, ran, pauses, how["seed"], checked)
        if rng.random() < 0.3:
            again = core.run(job, reset_at=int(rng.integers(ran.result.cycles)), **how)
            compare(job, again, pauses, how["seed"], checked)
        checked.jobs += 1


def compare(
    job: StochasticJob, ran: Run[StochasticSpikes], pauses: dict[str, float], seed: int, checked: Checked
) -> None:
    """Spikes of a run with golden's, cycles with the cycle model's.

    Raises:
        AssertionError: some differ.
    """
    core = StochasticCore(job.config)
    spikes = core.compare(job, vars(ran.integers))
    checked.integers += spikes.compared
    times: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    accepted, delivered = ran.result.accepted["i"], ran.result.outputs["o"].cycles
    if not pauses:
        times.append((ran.cycles.rows, core.predict(job).rows))
        times.append((accepted, np.arange(slots_of(job) * job.config.head_dim)))
    elif len(accepted) <= MOST_REPLAYED:
        waits = offered(seed, pauses["i"], len(accepted))
        model = replay(job.config, waits, ready(seed, pauses.get("o", 0.0), ran.result.cycles))
        times += [(accepted, model.accepted), (delivered, model.delivered)]
    checked.cycles += sum(left.size for left, _ in times)
    wrong = spikes.different + sum(int(np.count_nonzero(left != right)) for left, right in times)
    checked.different += wrong
    assert wrong == 0, (
        f"{wrong} integers or cycles differ: T = {job.steps}, {job.heads} heads, {pauses}; "
        f"{spikes.first_difference}"
    )
