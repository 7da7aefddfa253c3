"""What every `Core` promises to those who know no more of it than that it is one."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.attention.config import preset
from golden.attention.job import AttentionJob
from golden.code import PhaseCode
from golden.network.network import encode_image
from golden.network.program import config_for
from golden.stochastic.config import StochasticConfig
from hw.link.channels import ChannelMap
from models.conversion.network import convert
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.core import Core
from sim.cores.heads import HeadCore
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.stochastic.core import StochasticCore
from studies.data.random import random_rates
from tests.network.samples import random_images, random_transformer


def heads(core: HeadCore[Any, Any, Any]) -> tuple[Core[Any, Any, Any], Any]:
    return core, core.prepare(**random_rates(2, 5, 6, 1))


def with_terms() -> tuple[Core[Any, Any, Any], AttentionJob]:
    core, job = heads(SpikedAttentionCore(preset("digits")))
    return core, replace(job, bias=np.ones((2, 5, 5), np.int64))


def network() -> tuple[Core[Any, Any, Any], Any]:
    floating = random_transformer(1)
    made = convert(floating, random_images(2, 20), PhaseCode())
    image = encode_image(made, floating.patches(random_images(5, 2)[:, None]))
    return WholeNetworkCore(config_for(made)), NetworkJob(network=made, load=True, image=image)


SMALL = StochasticConfig(tokens=5, head_dim=6, rows=3, steps=4)
CASES = {
    "no terms": lambda: heads(SpikedAttentionCore(preset("tiny"))),
    "no terms in a core with them": lambda: heads(SpikedAttentionCore(preset("digits"))),
    "terms": with_terms,
    "stochastic": lambda: heads(StochasticCore(SMALL)),
    "encoders": lambda: heads(StochasticCore(replace(SMALL, encoders=True))),
    "network": network,
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())
def test_promises(make) -> None:
    """The table gives the core back; a job has beats for the streams of the linked component, all of them
    are sent, and what is awaited are its outputs."""
    core, job = make()
    assert type(core).from_table(core.to_table(), "table").config == core.config
    component = core.linked()
    component._MustUse__silence = True
    channels = ChannelMap.of(component.signature)
    beats = core.input_beats(job)
    assert set(beats) == {channel.name for channel in channels.inputs}
    assert set(core.output_beats(job)) == {channel.name for channel in channels.outputs}
    counts = {name: count_of(fields) for name, fields in beats.items()}
    sent: Counter[str] = Counter()
    for name, count in core.order(job, counts):
        sent[name] += count
    assert +sent == +Counter(counts)
    assert core.design("some").parameters == core.to_table()


def count_of(fields: Any) -> int:
    """Beats of the fields of a stream."""
    while isinstance(fields, dict):
        fields = next(iter(fields.values()))
    return len(fields)


def test_terms_follow_their_row() -> None:
    """A head, then its rows in turn; nothing is sent before what it needs."""
    core, job = with_terms()
    counts = {name: count_of(fields) for name, fields in core.input_beats(job).items()}
    row = ["i_query", "i_terms"]
    assert [name for name, _ in core.order(job, counts)] == (["i_head", "i_key", "i_value"] + 5 * row) * 2
