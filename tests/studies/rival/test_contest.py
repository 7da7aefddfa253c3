"""The contest of spikes and integers: the same heads for all, and what a standing says of them."""

import json

import numpy as np
import pytest

from energy.integer import integer_attention
from energy.key_serial import key_serial_attention
from golden.attention import key_serial
from golden.integer.config import MULTIPLIERS, IntegerConfig
from sim.cores.integer.core import IntegerAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from studies.data.random import random_heads
from studies.rival import contest
from studies.rival.contest import CLOCK_HZ, Standing, contenders, measured, stand
from tests.hw.integer.random_jobs import random_job

ARRAYS = random_heads(2, 12, 8, seed=1)


@pytest.fixture(scope="module")
def standings() -> dict[str, Standing]:
    return {contender.label: stand(contender, ARRAYS) for contender in contenders()}


def test_cores_of_one_size() -> None:
    cores = [contender.core for contender in contenders()]
    assert len(cores) == 2 * 3 + 2 * len(MULTIPLIERS)
    sizes = {
        tuple(core.to_table()[name] for name in ("lanes", "tokens", "head_dim", "output")) for core in cores
    }
    assert sizes == {(64, 128, 64, "codes")}
    assert not any(core.to_table()[name] for core in cores for name in ("bias", "mask"))


def test_standings(standings: dict[str, Standing]) -> None:
    """More steps and more bits come closer to softmax; multipliers decide cells and energy alone."""
    errors = {label: standing.relative_rmse for label, standing in standings.items()}
    assert errors["spikes, T = 8"] > errors["spikes, T = 16"] > errors["spikes, T = 24"]
    assert errors["4 bits, dsp"] > errors["8 bits, dsp"]
    for bits in (8, 4):
        assert len({errors[f"{bits} bits, {multiplier}"] for multiplier in MULTIPLIERS}) == 1
    for standing in standings.values():
        assert standing.heads_per_second == CLOCK_HZ / standing.cycles_per_head
        assert standing.nanojoule > 0
        assert json.dumps(standing.to_json())


def test_throughput_for_an_area(standings: dict[str, Standing], monkeypatch: pytest.MonkeyPatch) -> None:
    contender = next(contenders())
    monkeypatch.setattr(contest, "measured", lambda: {contender.label: {"core": {"lut4": 2000}}})
    standing = stand(contender, ARRAYS)
    assert standing.heads_per_kilo_lut == standing.heads_per_second / 2
    assert standing.mhz is standing.own_heads_per_kilo_lut is None
    placed = {"lut4": 2000, "mhz_by_seed": {"1": 120.0, "2": 50.0, "3": 90.0}}
    monkeypatch.setattr(contest, "measured", lambda: {contender.label: {"core": placed}})
    standing = stand(contender, ARRAYS)
    assert standing.own_heads_per_second == pytest.approx(0.9 * CLOCK_HZ / standing.cycles_per_head)
    assert standing.own_heads_per_kilo_lut == pytest.approx(0.9 * (standing.heads_per_kilo_lut or 0))
    monkeypatch.setattr(contest, "measured", dict)
    assert stand(contender, ARRAYS).heads_per_kilo_lut is None


def test_every_measured_area_has_its_core() -> None:
    labels = {contender.label: contender.core for contender in contenders()}
    for label, parts in measured().items():
        for area in parts.values():
            assert (area["dsps"] > 0) == labels[label].dsp
            assert area["lut4"] > 0


@pytest.mark.parametrize("multiplier", MULTIPLIERS)
def test_ledger_counts_what_the_core_does(multiplier: str) -> None:
    """Products, exponentials and divisions are those of the activity of a job."""
    config = IntegerConfig(lanes=4, cluster=2, tokens=9, head_dim=5, multiplier=multiplier)
    core = IntegerAttentionCore(config)
    job = random_job(np.random.default_rng(2), config)
    events = core.activity(job, core.compute(job)).events
    ledger = integer_attention(job.heads, job.tokens, job.head_dim, config)
    product = "squares" if config.squares else "products"
    assert ledger.count(product) == events["score_products"] + events["context_products"]
    assert ledger.count("adder tree, scores") == events["score_products"]
    assert ledger.count("softmax, exponentials") == events["exponentials"]
    assert ledger.count("divisions") == events["divisions"] * config.bits


def test_ledger_of_the_key_serial_core_counts_what_it_does() -> None:
    """Lookups and bits of phases are those of the activity of a job; additions are as many."""
    config = key_serial.preset("digits")
    core = KeySerialAttentionCore(config)
    job = core.prepare(*ARRAYS.values())
    done = core.activity(job, core.compute(job))
    ledger = key_serial_attention(job, config)
    assert ledger.count("points of the trace") == done.events["trace_lookups"]
    added = ledger.count("adder tree, scores") + ledger.count("adder tree, context")
    assert added == done.events["trace_lookups"]
    assert ledger.count("spike shift, phases") == done.busy["shift"] * (config.code.steps - 1).bit_length()
    assert 0 < done.events["synaptic_additions"] < ledger.count("adder tree, scores")
