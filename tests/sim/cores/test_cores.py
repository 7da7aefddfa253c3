"""What every `Core` promises to those who know no more of it than that it is one."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.attention.config import preset
from golden.attention.job import AttentionJob
from golden.attention.key_serial import preset as key_serial_preset
from golden.code import PhaseCode
from golden.integer.config import preset as integer_preset
from golden.network.layers import Linear
from golden.network.network import encode_image, run_network
from golden.network.program import config_for
from golden.network.tensors import IMAGE
from golden.stochastic.config import StochasticConfig
from hw.link.channels import ChannelMap
from hw.parts.ports_only import ports_only
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.compare import compare
from sim.cores.core import Core
from sim.cores.heads import HeadCore
from sim.cores.integer.core import IntegerAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.rtl import count_of
from sim.cores.stochastic.core import StochasticCore
from sim.cores.stochastic.network import WholeStochasticCore
from studies.data.random import random_rates
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.hw.stochastic.bench_stochastic_network import small_network


def heads(core: HeadCore[Any, Any, Any]) -> tuple[Core[Any, Any, Any], Any]:
    return core, core.prepare(**random_rates(2, 5, 6, 1))


def with_terms() -> tuple[Core[Any, Any, Any], AttentionJob]:
    core, job = heads(SpikedAttentionCore(preset("digits")))
    return core, replace(job, bias=np.ones((2, 5, 5), np.int64))


def network() -> tuple[Core[Any, Any, Any], Any]:
    floating = random_transformer(1)
    made = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(made, floating.entering(random_images(5, 2)[:, None]))
    return WholeNetworkCore(config_for(made)), NetworkJob(network=made, load=True, image=image)


def stochastic_network() -> tuple[Core[Any, Any, Any], Any]:
    config, job = small_network()
    return WholeStochasticCore(config), job


SMALL = StochasticConfig(tokens=5, head_dim=6, rows=3, steps=4)
CASES = {
    "no terms": lambda: heads(SpikedAttentionCore(preset("tiny"))),
    "no terms in a core with them": lambda: heads(SpikedAttentionCore(preset("digits"))),
    "terms": with_terms,
    "stochastic": lambda: heads(StochasticCore(SMALL)),
    "encoders": lambda: heads(StochasticCore(replace(SMALL, encoders=True))),
    "key-serial": lambda: heads(KeySerialAttentionCore(key_serial_preset("digits"))),
    "integer": lambda: heads(IntegerAttentionCore(integer_preset("digits"))),
    "network": network,
    "stochastic network": stochastic_network,
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())
def test_promises(make) -> None:
    """The table gives the core back; a job has beats for the streams of the linked component, all of them
    are sent, and what is awaited are its outputs."""
    core, job = make()
    assert type(core).from_table(core.to_table(), "table").config == core.config
    component = ports_only(core.linked())
    channels = ChannelMap.of(component.signature)
    beats = core.linked_beats(job)
    assert set(beats) == {channel.name for channel in channels.inputs}
    assert set(core.output_beats(job)) == {channel.name for channel in channels.outputs}
    counts = {name: count_of(fields) for name, fields in beats.items()}
    sent: Counter[str] = Counter()
    for name, count in core.order(job, counts):
        sent[name] += count
    assert +sent == +Counter(counts)
    assert core.design("some").parameters == core.to_table()


@pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())
def test_golden_and_its_times(make) -> None:
    """Golden differs from itself in nothing, a planted difference is found and named by its place, every item
    takes its time, and additions are among what is counted."""
    core, job = make()
    core = core.tapped()
    core.check(job)
    integers = core.compute(job)
    fields = core.fields(job, vars(integers))
    same = core.compare(job, vars(integers))
    assert (same.different, same.first_difference) == (0, None)
    assert same.compared == sum(np.ma.count(array) for array in fields.values()) > 0
    name = next(reversed(fields))
    wrong = fields | {name: fields[name].copy()}
    wrong[name].flat[0] += 1 - 2 * (wrong[name].dtype == bool and wrong[name].flat[0])
    found = compare(fields, wrong, core.places)
    first = ", ".join(f"{place} 0" for place in core.places)
    assert found.different == 1
    assert found.first_difference is not None
    assert found.first_difference.startswith(f"{first}, {name}[0")
    report, done = core.predict(job), core.activity(job, integers)
    assert len(report.heads) == 2
    assert (report.durations > 0).all()
    assert all(done.events[name] > 0 for name in core.accumulations)
    assert 0 < done.lane_utilisation < 1


def test_weight_additions_are_spikes_times_outputs() -> None:
    core, job = network()
    tensors, count = {IMAGE: job.image}, 0
    outputs = run_network(job.network, job.image).outputs
    for layer, output in zip(job.network.layers, outputs, strict=True):
        if isinstance(layer, Linear):
            count += tensors[layer.source].count() * layer.outputs
        tensors[layer.target] = output
    done = core.activity(job, core.compute(job))
    assert done.events["weight_additions"] == count
    assert set(done.busy) == {"image", "linear", "norm", "attention"}
    # Words that are loaded first delay everything by as many cycles
    later, first = core.predict(job), core.predict(replace(job, load=False))
    loads = count_of(core.input_beats(job)["i_load"])
    assert (later.rows == first.rows + loads).all()
    assert later.since == first.since + loads
    assert (later.durations == first.durations).all()


def test_terms_follow_their_row() -> None:
    """A head, then its rows in turn; nothing is sent before what it needs."""
    core, job = with_terms()
    counts = {name: count_of(fields) for name, fields in core.input_beats(job).items()}
    row = ["i_query", "i_terms"]
    assert [name for name, _ in core.order(job, counts)] == (["i_head", "i_key", "i_value"] + 5 * row) * 2
