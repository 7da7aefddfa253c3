"""Feeders of the attention core alone: tables and codes come in the order that the core wants."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from golden.network.config import NetworkConfig
from golden.widths import index_width
from hw.attention.payloads import query, terms
from hw.network.feeders import QueryFeeder, TraceFeeder, group_of
from hw.network.terms_feeder import TermsFeeder, run_of
from hw.parts.payloads import spike
from sim.verilator.simulator import Simulator
from tests.hw.attention.wrappers import free

RUNS, WAITS = 80, 4
CONFIG = NetworkConfig(
    code=PhaseCode(steps=8), lanes=6, cluster=2, tokens=8, features=16, weights=32, table=8, offsets=8,
    lists=2, linear_ops=2, norm_ops=2, heads=2, windows=True, biases=128, masks=64, accumulator_bits=26,
    potential_bits=34, stream_bits=20,
    attention=CoreConfig(
        code=PhaseCode(steps=8), lanes=8, tokens=8, head_dim=8, bias=True, mask=True, terms_per_beat=1,
        output="codes",
    ),
)  # fmt: skip


class Fed(wiring.Component):
    """A feeder, and runs of heads for it, one after the other: the next is taken once all beats have left.

    Members:
        i_load: words of its memories, `last` at the last one.
        i_run: heads, their `beats`, and how many cycles to `wait`.
        o: as of the feeder.
    """

    def __init__(self, run: data.StructLayout, word: data.StructLayout, beat: Any) -> None:
        runs = data.StructLayout({**{n: f.shape for n, f in run}, "beats": 16, "wait": range(WAITS)})
        super().__init__(
            {"i_load": In(free(word)), "i_run": In(stream.Signature(runs)), "o": Out(stream.Signature(beat))}
        )

    def follow(self, m: Module) -> tuple[data.View, Signal, Signal]:
        """The run, which stays; a strobe when it is there, and one when it starts."""
        run, there, start = (
            Signal(self.i_run.p.shape(), name="run"),
            Signal(name="there"),
            Signal(name="start"),
        )
        loaded, waiting = Signal(name="loaded"), Signal(name="waiting")
        left, waits = Signal(16, name="beats_left"), Signal(range(WAITS), name="waits")
        m.d.comb += [
            self.i_run.ready.eq(loaded & (left == 0) & ~there & ~waiting),
            start.eq(waiting & (waits == 0)),
        ]
        m.d.sync += [there.eq(self.i_run.valid & self.i_run.ready), waits.eq(waits - 1)]
        with m.If(self.i_load.valid):
            m.d.sync += loaded.eq(self.i_load.p.last)
        with m.If(self.i_run.valid & self.i_run.ready):
            m.d.sync += [run.eq(self.i_run.p), left.eq(self.i_run.p.beats)]
        with m.If(there):
            m.d.sync += [waiting.eq(1), waits.eq(run.wait)]
        with m.If(start):
            m.d.sync += waiting.eq(0)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += left.eq(left - 1)
        return run, there, start


class FedTerms(Fed):
    """The feeder of bias and mask; a word of its tables has an `address` and says which of them it is of."""

    def __init__(self) -> None:
        bits = CONFIG.attention.score_width
        word = data.StructLayout({"address": 7, "data": bits, "biases": 1, "masks": 1, "last": 1})
        super().__init__(run_of(CONFIG), word, terms(CONFIG.attention))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = TermsFeeder(CONFIG)
        run, _, start = self.follow(m)
        word = self.i_load
        m.d.comb += [
            unit.i_load.address.eq(word.p.address),
            unit.i_load.data.as_value().eq(word.p.data),
            unit.i_write_biases.eq(word.valid & word.p.biases),
            unit.i_write_masks.eq(word.valid & word.p.masks),
            *[getattr(unit.run, name).eq(getattr(run, name)) for name in run_of(CONFIG).members],
            unit.start.eq(start),
        ]
        connect(m, unit.o, flipped(self.o))
        return m


class FedCodes(Fed):
    """A feeder of queries, or of keys and values, with its code memory."""

    def __init__(self, kind: type[QueryFeeder | TraceFeeder]) -> None:
        self._kind = kind
        self._rows = index_width(CONFIG.tokens)
        word = data.StructLayout({"address": 4 + self._rows, "spike": spike(CONFIG.code), "last": 1})
        beat = query(CONFIG.attention) if kind is QueryFeeder else spike(CONFIG.code)
        super().__init__(group_of(CONFIG), word, beat)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self._kind(CONFIG)
        m.submodules.codes = codes = Memory(shape=spike(CONFIG.code), depth=16 << self._rows, init=[])
        read, write = codes.read_port(), codes.write_port()
        run, there, start = self.follow(m)
        m.d.comb += [
            write.addr.eq(self.i_load.p.address),
            write.data.eq(self.i_load.p.spike),
            write.en.eq(self.i_load.valid),
            read.addr.eq(Cat(unit.read_row[: self._rows], unit.read_feature)),
            read.en.eq(unit.enable),
            unit.code.eq(read.data),
            *[getattr(unit.group, name).eq(getattr(run, name)) for name in unit.group.shape().members],
            unit.start.eq(start),
        ]
        if isinstance(unit, QueryFeeder):
            names = unit.following.shape().members
            m.d.comb += [unit.take.eq(there), *[unit.following[name].eq(run[name]) for name in names]]
        connect(m, unit.o, flipped(self.o))
        return m


Run = dict[str, int]


def check(
    simulator: Simulator,
    load: Any,
    runs: list[Run],
    beats: list[list[dict[str, int]]],
    first: int | None,
    **how: Any,
) -> dict[str, Any]:
    """Run a feeder; what left, and what should have, by field. Without pauses the first beat of a run leaves
    `first` cycles after it starts, and then one in each.

    Raises:
        AssertionError: a beat comes in another cycle.
    """
    rows = [run | {"beats": len(part)} for run, part in zip(runs, beats, strict=True)]
    fields = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    result = simulator.run({"i_load": load, "i_run": fields}, {"o": sum(map(len, beats))}, **how)
    if first is not None and not how.get("pauses"):
        starts = result.accepted["i_run"] + 2 + fields["wait"]
        cycles = [start + first + np.arange(len(part)) for start, part in zip(starts, beats, strict=True)]
        np.testing.assert_array_equal(result.outputs["o"].cycles, np.concatenate(cycles))
    return result["o"]


def together(beats: list[list[dict[str, int]]]) -> dict[str, Any]:
    flat = list(itertools.chain(*beats))
    return {name: np.array([beat[name] for beat in flat]) for name in flat[0]}


def check_terms(simulator: Simulator, seed: int, **how: Any) -> None:
    """Tables of random words; heads with a bias, a mask, both or none.

    Raises:
        AssertionError, SimulationError: a term is another, or comes in another cycle.
    """
    rng, width = np.random.default_rng(seed), CONFIG.attention.score_width
    biases, masks = rng.integers(-1 << width - 1, 1 << width - 1, 128), rng.integers(0, 2, 64)
    load = {
        "address": np.append(np.arange(128), np.arange(64)),
        "data": np.append(biases & (1 << width) - 1, masks),
        "biases": np.arange(192) < 128,
        "masks": np.arange(192) >= 128,
        "last": np.arange(192) == 191,
    }
    runs, beats = [], []
    for _ in range(RUNS):
        tokens, biased, masked = (int(rng.integers(*ends)) for ends in ((1, 9), (0, 2), (0, 2)))
        most = min(16, 128 // tokens**2 if biased else 64 // tokens)
        group = int(rng.integers(1, most + 1))
        bias, mask = (
            int(rng.integers(size + 1)) for size in (128 - group * tokens**2 * biased, 64 - tokens**2)
        )
        bias %= 128
        mask %= 64
        runs.append(
            {"group": group, "tokens": tokens, "biased": biased, "masked": masked, "bias": bias, "mask": mask}
            | {"stride": tokens, "wait": int(rng.integers(WAITS))}
        )
        there = range(group if biased or masked else 0)
        beats.append(
            [
                {
                    "bias": int(biases[bias + (head * tokens + row) * tokens + word]) if biased else 0,
                    "masked": int(masks[mask + row * tokens + word]) if masked else 0,
                }
                for head, row, word in itertools.product(there, range(tokens), reversed(range(tokens)))
            ]
        )
    found, want = check(simulator, load, runs, beats, 2, seed=seed, **how), together(beats)
    for name in want:
        np.testing.assert_array_equal(found[name][:, 0], want[name], name)


def _fired(sign: Any, run: Run) -> Iterator[dict[str, int]]:
    """Spikes of queries, head by head, row by row, the last of a row marked; a silent row has a mark."""
    heads = range(run["base"], run["base"] + run["span"], run["features"])
    for head, row in itertools.product(heads, range(run["tokens"])):
        firing = [n for n in range(run["features"]) if sign[head + n, row]] or [run["features"] - 1]
        for n in firing:
            yield {"from": head + n, "row": row, "feature": n, "last": int(n == firing[-1])}


def check_codes(simulator: Simulator, kind: type[QueryFeeder | TraceFeeder], seed: int, **how: Any) -> None:
    """Random codes and heads.

    Raises:
        AssertionError, SimulationError: a spike is another, or comes in another cycle.
    """
    rng, shape = np.random.default_rng(seed), (16, CONFIG.tokens)
    active = (rng.random(shape) < rng.choice([0.1, 0.5, 0.9], (16, 1))).astype(int)
    codes = {"active": active, "negative": rng.integers(0, 2, shape), "phase": rng.integers(0, 8, shape)}
    load = {
        "address": np.arange(active.size),
        "spike": {name: part.reshape(-1) for name, part in codes.items()},
        "last": np.arange(active.size) == active.size - 1,
    }
    runs, beats = [], []
    for _ in range(RUNS):
        features = int(rng.integers(1, CONFIG.attention.head_dim + 1))
        heads = int(rng.integers(1, 16 // features + 1))
        run = {"base": int(rng.integers(16 - heads * features + 1)), "features": features}
        run |= {"tokens": int(rng.integers(1, CONFIG.tokens + 1)), "span": heads * features}
        run["wait"] = int(rng.integers(WAITS))
        runs.append(run)
        features_of = range(run["base"], run["base"] + run["span"])
        beats.append(
            list(_fired(active, run))
            if kind is QueryFeeder
            else [
                {"from": feature, "row": row}
                for feature, row in itertools.product(features_of, reversed(range(run["tokens"])))
            ]
        )
    found = check(simulator, load, runs, beats, None if kind is QueryFeeder else 2, seed=seed, **how)
    want = together(beats)
    spikes = {name: part[want["from"], want["row"]] for name, part in codes.items()}
    here = spikes["active"] if kind is QueryFeeder else np.ones_like(want["row"])
    for name, part in spikes.items():
        got = (found["spike"] if kind is QueryFeeder else found)[name]
        np.testing.assert_array_equal(got * (here if name != "active" else 1), part * here, name)
    for name in ("feature", "last") if kind is QueryFeeder else ():
        np.testing.assert_array_equal(found[name], want[name], name)


def made(name: str) -> Fed:
    return FedTerms() if name == "terms" else FedCodes({"query": QueryFeeder, "trace": TraceFeeder}[name])


def check_feeder(simulator: Simulator, name: str, seed: int, **how: Any) -> None:
    """A feeder by its name, as `how` says to `Simulator.run`."""
    if name == "terms":
        check_terms(simulator, seed, **how)
    else:
        check_codes(simulator, {"query": QueryFeeder, "trace": TraceFeeder}[name], seed, **how)


# How a feeder runs: at full rate, with pauses, from a reset in the middle on
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"pauses": 0.4},
    {"pauses": {"o": 0.8}},
    {"reset_at": 700},
    {"reset_at": 1003},
)
