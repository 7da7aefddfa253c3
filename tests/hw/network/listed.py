"""The spike memory alone: rows of any length are written and looked at, all the time."""

from dataclasses import replace
from typing import Any

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.widths import index_width
from hw.network import payloads
from hw.network.spike_list import SpikeList
from sim.verilator.simulator import Simulator
from tests.hw.attention.wrappers import delay, free
from tests.hw.network.fed import CONFIG

FEATURES, STEPS = 16, 3000
# Counts of eight rows stand in registers, of twelve in a memory
KINDS = {
    "registers": {"rows": 8},
    "memory": {"rows": 12},
    "blocks": {"rows": 5, "block": 4, "room": 7},
}


def config_of(kind: str) -> NetworkConfig:
    """Of a core with such a memory."""
    config = replace(CONFIG, tokens=KINDS[kind]["rows"])
    if block := KINDS[kind].get("block", 0):
        config = replace(config, weight_stream=8, block=block, maps=8, taps=2, channels=FEATURES)
    return config


class Listed(wiring.Component):
    """A spike memory of which a row, a place and a count are asked in every cycle, beside what is written."""

    def __init__(self, kind: str) -> None:
        config, self._blocks = config_of(kind), "block" in KINDS[kind]
        self._unit = SpikeList(config, FEATURES, room=KINDS[kind].get("room", 0), blocks=self._blocks)
        beat = payloads.list_write(config)
        row = beat["row"].width
        step = {
            "beat": beat,
            "writes": 1,
            "count_row": row,
            "read_row": row,
            "position": index_width(FEATURES),
        }
        members = {"o": self._unit.count.shape(), "o_entry": payloads.list_entry(config)}
        if self._blocks:
            step |= {"block_row": row, "block": index_width(config.row_blocks)}
            members["o_span"] = payloads.block_span(config)
        super().__init__(
            {"i": In(free(data.StructLayout(step))), **{n: Out(free(shape)) for n, shape in members.items()}}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self._unit
        step = self.i.p
        m.d.comb += [
            unit.i.payload.eq(step.beat),
            unit.i.valid.eq(self.i.valid & step.writes),
            *(getattr(unit, name).eq(step[name]) for name in ("count_row", "read_row", "position")),
            self.o.valid.eq(self.i.valid),
            self.o.payload.eq(unit.count),
            self.o_entry.valid.eq(delay(m, self.i.valid, 2)),
            self.o_entry.payload.eq(unit.entry),
        ]
        if self._blocks:
            m.d.comb += [
                unit.block_row.eq(step.block_row),
                unit.block.eq(step.block),
                self.o_span.valid.eq(delay(m, self.i.valid, 1)),
                self.o_span.payload.eq(unit.span),
            ]
        return m


def check(simulator: Simulator, kind: str, seed: int, **how: Any) -> None:
    """Rows begin in any order, again and again, and other rows and places are looked at meanwhile.

    Raises:
        AssertionError, SimulationError: a count or a spike is another.
    """
    rng, rows, block = np.random.default_rng(seed), KINDS[kind]["rows"], KINDS[kind].get("block", 0)
    spikes: dict[int, list[tuple[int, ...]]] = {}
    steps: dict[str, list[int]] = {name: [] for name in ("writes", "count_row", "read_row", "position")}
    beats: dict[str, list[int]] = {n: [] for n in ("row", "first", "feature", "active", "negative", "phase")}
    counts, entries, spans = list[int](), list[tuple[int, ...] | None](), list[tuple[int, int] | None]()
    lengths: dict[int, int] = {}
    if block:
        steps |= {"block_row": [], "block": []}
    row, left, feature, density, late = 0, 0, 0, 0.5, list[tuple[int, int]]()
    for _ in range(STEPS):
        if not left:
            row, left, feature = int(rng.integers(rows)), int(rng.integers(1, FEATURES + 1)), 0
            density = rng.choice([0, 0.3, 0.7, 1])
        writes = rng.random() < 0.8
        known = [place for place in spikes if place != row]
        read_row = int(rng.choice(known)) if known else row
        listed = spikes.get(read_row, [])
        position = int(rng.integers(max(1, len(listed))))
        count_row = int(rng.choice([*spikes])) if spikes else None
        # a spike can be read the cycle after it counts
        there = position < len(listed) and (read_row, position) not in late
        entries.append(listed[position] if there else None)
        counts.append(len(spikes[count_row]) if count_row is not None else -1)
        if block:
            block_row = int(rng.choice(known)) if known else row
            number = int(rng.integers(-(-lengths.get(block_row, 1) // block)))
            steps["block_row"].append(block_row)
            steps["block"].append(number)
            of_block = [n for n, spike in enumerate(spikes.get(block_row, [])) if spike[0] // block == number]
            start = sum(spike[0] < number * block for spike in spikes.get(block_row, []))
            spans.append((start, len(of_block)) if block_row in known else None)
        spike = (feature, int(rng.random() < density), int(rng.integers(2)), int(rng.integers(8)))
        for name, value in zip(
            ("row", "first", "feature", "active", "negative", "phase"),
            (row, int(feature == 0), *spike),
            strict=True,
        ):
            beats[name].append(value)
        for name, value in zip(steps, (int(writes), count_row or 0, read_row, position), strict=False):
            steps[name].append(value)
        late = []
        if writes:
            before = [] if feature == 0 else spikes[row]
            spikes[row] = [*before, spike] if spike[1] else before
            late = [(row, len(before))] if spike[1] else []
            feature, left = feature + 1, left - 1
            lengths[row] = feature
    entry = {"feature": beats["feature"], "spike": {n: beats[n] for n in ("active", "negative", "phase")}}
    sent = _arrays({"beat": {"row": beats["row"], "first": beats["first"], "entry": entry}} | steps)
    outputs = ("o", "o_entry", *(["o_span"] if block else []))
    result = simulator.run({"i": sent}, dict.fromkeys(outputs, STEPS), seed=seed, **how)
    asked = np.array(counts) >= 0
    np.testing.assert_array_equal(result["o"][asked], np.array(counts)[asked])
    looked = [n for n, spike in enumerate(entries) if spike]
    found = result["o_entry"]
    parts = [found["feature"], *(found["spike"][name] for name in ("active", "negative", "phase"))]
    np.testing.assert_array_equal(np.stack(parts, 1)[looked], np.array([entries[n] for n in looked]))
    looked = [n for n, span in enumerate(spans) if span]
    if block:
        parts = [result["o_span"][name] for name in ("start", "count")]
        np.testing.assert_array_equal(np.stack(parts, 1)[looked], np.array([spans[n] for n in looked]))


def _arrays(fields: Any) -> Any:
    if isinstance(fields, dict):
        return {name: _arrays(part) for name, part in fields.items()}
    return np.array(fields)


# How it runs: a step per cycle, with pauses, from a reset in the middle on
WAYS: tuple[dict[str, Any], ...] = ({}, {"pauses": 0.3}, {"reset_at": 700}, {"reset_at": 1003})
