"""Ledgers: sums, ratios, and one price for one operation wherever it stands."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from energy import mac, paper
from energy.attention import spiking_attention
from energy.events import LinearEvents, attention_events
from energy.integer import integer_attention
from energy.ledger import Ledger, Line, clock_line
from energy.linear import spiking_linear, unit_for
from energy.network import account
from energy.prices import add, multiply
from energy.stochastic import Layer, float_attention, stochastic_attention
from energy.stochastic import spiking_attention as accumulating_attention
from golden.attention.config import PRESETS
from golden.attention.job import prepare
from golden.code import PhaseCode
from golden.integer.config import MULTIPLIERS, IntegerConfig
from golden.network.network import encode_image
from golden.network.program import config_for
from studies.data.random import random_heads
from tests.golden.network.samples import converted, random_images, random_transformer

ONE = Ledger(Line("a", 2, add(8)), Line("b", 3, multiply(8, 8), "neuron"))


def ledgers() -> Iterator[tuple[str, Ledger]]:
    """Of every account that is priced by the table."""
    for name in ("default", "tiny"):
        config = PRESETS[name]
        events = attention_events(prepare(**random_heads(1, 8, 8, seed=1), code=config.code).job, config)
        yield f"attention, {name}", spiking_attention(events, config)
        yield f"attention in numbers, {name}", mac.attention(events, config)
        linear, unit = (
            LinearEvents(rows=4, inputs=24, outputs=10, results=4, spikes=50),
            unit_for(24, 10, config),
        )
        yield f"linear, {name}", spiking_linear(linear, unit)
        yield f"linear in numbers, {name}", mac.linear(linear, unit)
    for multiplier in MULTIPLIERS:
        integer = IntegerConfig(multiplier=multiplier)
        yield f"attention in integers, {multiplier}", integer_attention(2, 8, 8, integer)
    floating = random_transformer(1, blocks=1, norm="layer", width=12, heads=2)
    network = converted(floating, random_images(2, 20), PhaseCode())
    image = encode_image(network, floating.entering(random_images(3, 1)[:, None]))
    spiking, dense = account(network, config_for(network), image)
    yield "network", spiking
    yield "network in numbers", dense
    layer = Layer(tokens=8, head_dim=24, heads=2, steps=3, rate=0.5)
    for account_ in (
        float_attention(layer, 8),
        float_attention(layer, 32),
        accumulating_attention(layer),
        stochastic_attention(layer),
    ):
        yield "compute", account_.compute
        yield "memory", account_.memory


def test_a_sum_is_that_of_its_lines() -> None:
    assert ONE.picojoule == pytest.approx(2 * 0.03 + 3 * 0.2)
    assert ONE.microjoule == pytest.approx(ONE.picojoule / 1e6)
    assert ONE.millijoule == pytest.approx(ONE.picojoule / 1e9)
    for name, ledger in ledgers():
        known = [line.picojoule for line in ledger.lines if line.picojoule is not None]
        assert ledger.picojoule == pytest.approx(sum(known)), name
        assert ledger.picojoule > 0, name
        written = json.loads(json.dumps(ledger.to_json(), allow_nan=False))
        parts = [line["microjoule"] for line in written["lines"] if line["microjoule"] is not None]
        assert written["microjoule"] == pytest.approx(sum(parts)), name


def test_an_operation_costs_the_same_in_every_account() -> None:
    prices = {}
    for name, ledger in ledgers():
        for line in ledger.lines:
            known = prices.setdefault(line.price.operation, line.price)
            assert line.price == known, (name, line.name)
    assert len(prices) > 20


def test_every_line_has_a_source() -> None:
    for name, ledger in ledgers():
        for line in ledger.lines:
            known = line.price.picojoule is not None
            assert ("Horowitz" in line.price.source) == known, (name, line.name)


def test_lines_that_differ_in_their_count_alone_become_one() -> None:
    twice = ONE + ONE
    assert [line.count for line in twice.lines] == [4, 6]
    assert twice.mean(2) == ONE
    assert twice.over(ONE) == pytest.approx(2)
    apart = ONE + Ledger(Line("a", 5, add(9)), Line("a", 7, add(8), "neuron"))
    assert [line.count for line in apart.lines if line.name == "a"] == [2, 5, 7]
    assert apart.count("a") == 14
    assert apart.count("c") == 0
    with pytest.raises(ValueError, match="too many values"):
        apart.line("a")


def test_one_line_changed() -> None:
    changed = ONE.changed("a", count=10)
    assert (changed.line("a").count, changed.line("b")) == (10, ONE.line("b"))
    with pytest.raises(ValueError, match="not enough values"):
        ONE.changed("c", count=1)


def test_unknown_adds_nothing_and_is_shown() -> None:
    unknown = ONE + Ledger(clock_line(100, None))
    assert unknown.picojoule == ONE.picojoule
    (*_, shown) = unknown.to_json()["lines"]
    assert (shown["count"], shown["picojoule"], shown["microjoule"]) == (100, None, None)
    # A price without a count is no energy either
    assert clock_line(None, 3.0).picojoule is None
    assert clock_line(100, 3.0).picojoule == pytest.approx(300)


def test_prices_of_two_tables_do_not_mix() -> None:
    theirs = paper.float_ledger(1, 1)
    with pytest.raises(ValueError, match="prices of two tables do not mix: SpikedAttention's own, hardware"):
        ONE + theirs
    with pytest.raises(ValueError, match="do not mix"):
        ONE.over(theirs)
    assert np.isfinite(theirs.over(theirs))
