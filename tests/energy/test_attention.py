"""Attention on the hardware and in numbers: events against a count by hand."""

import pytest

from energy import mac
from energy.attention import spiking_attention
from energy.curve import crossover
from energy.events import at_density, attention_events
from energy.prices import access, add, multiply
from energy.report import hardware_report
from golden.attention.config import PRESETS
from golden.attention.job import compute, prepare
from studies.data.random import random_heads


def test_events_of_a_job_counted_by_hand() -> None:
    config = PRESETS["tiny"]
    job = prepare(**random_heads(2, 9, 8, seed=4), code=config.code).job
    spikes, events = compute(job), attention_events(job, config)
    score = context = 0
    for h in range(2):
        for i in range(9):
            for j in range(9):
                score += int((job.q.sign[h, i] * job.k.sign[h, j] != 0).sum())
                if spikes.attn_phase[h, i, j] >= 0:
                    context += int((job.v.sign[h, j] != 0).sum()) + 1
    assert events.score_additions == score
    assert events.context_additions == context
    assert events.query_spikes == int((job.q.sign != 0).sum())
    ledger = spiking_attention(events, config)
    assert ledger.line("synaptic additions, scores").count == score
    assert ledger.line("key trace memory").count == events.query_spikes * 9


def test_numbers_counted_by_hand() -> None:
    """2 heads of 9 tokens and 8 features: sums of up to 9 products of 16 bits, softmax of 162 scores."""
    config = PRESETS["tiny"]
    job = prepare(**random_heads(2, 9, 8, seed=4), code=config.code).job
    products, scores, values = 2 * 2 * 9 * 9 * 8, 2 * 9 * 9, 2 * 9 * 8
    lane, width = 2 * 16 * 2 * 8, 16 + 4
    expected = (
        (products, multiply(8, 8)),
        (products + 3 * scores + 16 * 2 * 9, add(width)),
        (products + 2 * values, access(8, lane)),
        (2 * values, access(8, 16 * 8 * 4)),
        (scores, access(16, 256 * 16)),
        (values, multiply(width, 16)),
    )
    picojoules = sum(count * price.picojoule for count, price in expected)
    assert mac.attention(attention_events(job, config), config).picojoule == pytest.approx(picojoules)


def test_unknown_is_a_line_and_no_number() -> None:
    config = PRESETS["tiny"]
    job = prepare(**random_heads(1, 4, 8, seed=1), code=config.code).job
    unknown = hardware_report(job, config, None)
    clock = unknown["spiking"]["lines"][-1]
    assert (clock["name"], clock["picojoule"], clock["microjoule"]) == ("clock and idle", None, None)
    given = hardware_report(job, config, 2.0)
    cycles = given["events"]["cycles"]
    added = given["spiking"]["microjoule"] - unknown["spiking"]["microjoule"]
    assert added == pytest.approx(2.0 * cycles / 1e6)


def test_energy_falls_with_the_spikes_and_the_dense_side_does_not() -> None:
    config = PRESETS["default"]
    job = prepare(**random_heads(1, 16, 16, seed=2), code=config.code).job
    events = attention_events(job, config)
    points = [at_density(events, 4.0, d) for d in (0.1, 0.5, 1.0)]
    spiking = [spiking_attention(point, config).picojoule for point in points]
    dense = [mac.attention(point, config).picojoule for point in points]
    assert spiking == sorted(spiking)
    assert len(set(dense)) == 1


def test_crossover_between_samples() -> None:
    assert crossover([0.0, 1.0], [0.0, 2.0], [1.0, 1.0]) == pytest.approx(0.5)
    assert crossover([0.0, 1.0], [0.0, 0.5], [1.0, 1.0]) is None
