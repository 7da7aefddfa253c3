"""Hardware accounting: units against their sources, events against a count by hand."""

import numpy as np
import pytest

from energy.hardware import (
    LinearEvents,
    crossover,
    mac_attention,
    mac_linear,
    spiking_attention,
    spiking_linear,
    total,
)
from energy.report import at_density, attention_events, hardware_report
from energy.units import access, add, multiply
from golden.attention.config import PRESETS
from golden.attention.job import compute, prepare
from studies.data.random import random_heads


def test_units_meet_their_sources() -> None:
    assert add(8) == pytest.approx(0.03)
    assert add(32) == pytest.approx(0.1)
    assert multiply(8, 8) == pytest.approx(0.2)
    assert multiply(32, 32) == pytest.approx(3.1, rel=0.04)
    for kibibytes, picojoule in ((8, 10.0), (32, 20.0), (1024, 100.0)):
        assert access(64, 8 * 1024 * kibibytes) == pytest.approx(picojoule)
    sizes = [access(8, 8 * 2**n) for n in range(4, 24)]
    assert sizes == sorted(sizes)


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
    lines = {scope.name: scope for scope in spiking_attention(events, config)}
    assert lines["synaptic additions, scores"].events == score
    assert lines["key trace memory"].events == events.query_spikes * 9


def test_unknown_is_a_line_and_no_number() -> None:
    config = PRESETS["tiny"]
    job = prepare(**random_heads(1, 4, 8, seed=1), code=config.code).job
    unknown = hardware_report(job, config, None)
    clock = unknown["spiking"]["scopes"][-1]
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
    spiking = [total(spiking_attention(point, config)) for point in points]
    dense = [total(mac_attention(point, config)) for point in points]
    assert spiking == sorted(spiking)
    assert len(set(dense)) == 1


def test_dense_layer_scales_with_its_spikes() -> None:
    config = PRESETS["default"]
    few = LinearEvents(rows=4, inputs=32, outputs=16, spikes=10)
    many = LinearEvents(rows=4, inputs=32, outputs=16, spikes=100)
    synapses = {scope.name: scope.events for scope in spiking_linear(many, config)}
    assert synapses["synaptic additions"] == 1600
    assert total(spiking_linear(few, config)) < total(spiking_linear(many, config))
    assert total(mac_linear(few, config)) == total(mac_linear(many, config))


def test_crossover_between_samples() -> None:
    assert crossover([0.0, 1.0], [0.0, 2.0], [1.0, 1.0]) == pytest.approx(0.5)
    assert crossover([0.0, 1.0], [0.0, 0.5], [1.0, 1.0]) is None
    one = LinearEvents(rows=1, inputs=2, outputs=1, spikes=1)
    assert np.isfinite(total(mac_linear(one, PRESETS["default"])))
