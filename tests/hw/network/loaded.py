"""The loader of streamed weights alone: words of passes become writes, passes begin and end at any time."""

from dataclasses import replace
from typing import Any

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from numpy.typing import NDArray

from golden.widths import index_width
from hw.network import payloads
from hw.network.weight_loader import WeightLoader
from sim.verilator.simulator import Simulator
from tests.hw.attention.wrappers import free
from tests.hw.network.fed import CONFIG

PASSES, WIDE, WAITS, HOLDS = 60, 8, 8, 256
STREAMED = replace(CONFIG, weight_stream=WIDE, weight_bits=8)


class Loaded(wiring.Component):
    """The loader, and neurons that take a pass `wait` cycles after they may and work for `hold` cycles.

    Members:
        i: words; i_pass: a pass that is taken.
        o, o_neuron: what is written, words in bits.
        o_slot: of a pass that is taken.
    """

    def __init__(self) -> None:
        cluster, table = payloads.cluster_load(STREAMED), payloads.table_load(STREAMED)
        super().__init__(
            {
                "i": In(stream.Signature(WIDE)),
                "i_pass": In(
                    stream.Signature(data.StructLayout({"wait": range(WAITS), "hold": range(HOLDS)}))
                ),
                "o": Out(free(_in_bits(cluster))),
                "o_neuron": Out(free(_in_bits(table))),
                "o_slot": Out(free(range(STREAMED.neuron_slots))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = WeightLoader(STREAMED)
        connect(m, flipped(self.i), unit.i)
        enabled, using, may, taken = Signal(), Signal(), Signal(), Signal()
        waited, left = Signal(range(WAITS)), Signal(range(HOLDS))
        m.d.comb += [
            unit.enable.eq(enabled),
            may.eq(unit.ready & ~using),
            self.i_pass.ready.eq(may & (waited == self.i_pass.p.wait)),
            taken.eq(self.i_pass.valid & self.i_pass.ready),
            self.o_slot.valid.eq(taken),
            self.o_slot.payload.eq(unit.slot),
            self.o.valid.eq(unit.o_write),
            self.o.payload.eq(unit.o),
            self.o_neuron.valid.eq(unit.o_write_neuron),
            self.o_neuron.payload.eq(unit.o_neuron),
            unit.free.eq(using & (left == 0)),
        ]
        m.d.sync += [enabled.eq(1), unit.take.eq(taken), left.eq(left - 1)]
        with m.If(taken):
            m.d.sync += [using.eq(1), left.eq(self.i_pass.p.hold), waited.eq(0)]
        with m.Elif(may & self.i_pass.valid):
            m.d.sync += waited.eq(waited + 1)
        with m.If(unit.free):
            m.d.sync += using.eq(0)
        return m


def _in_bits(layout: data.StructLayout) -> data.StructLayout:
    """A word on a bus whose data are bits."""
    fields = {name: field.shape for name, field in layout}
    width = layout["data"].width
    return data.StructLayout(fields | {"data": data.ArrayLayout(1, width)})


def _bits(pieces: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The first bits of words in pieces [n, pieces]."""
    return (pieces[..., None] >> np.arange(WIDE) & 1).reshape(len(pieces), -1)[:, :count]


def check(simulator: Simulator, seed: int, **how: Any) -> None:
    """Passes of random words. At full rate words come one per cycle, the first of a pass once a half is free.

    Raises:
        AssertionError, SimulationError: something else is written, or another cycle takes a word or a pass.
    """
    rng, clusters, slots = np.random.default_rng(seed), STREAMED.clusters, STREAMED.neuron_slots
    widths = [
        _in_bits(layout)["data"].width
        for layout in (payloads.cluster_load(STREAMED), payloads.table_load(STREAMED))
    ]
    words: list[NDArray[np.int64]] = []
    want: dict[str, dict[str, list[Any]]] = {
        "o": {"cluster": [], "address": [], "data": []}, "o_neuron": {"address": [], "data": []},
    }  # fmt: skip
    for number in range(PASSES):
        inputs, neurons = (
            int(rng.choice([1, most, rng.integers(1, most + 1)]))
            for most in (STREAMED.weights, STREAMED.table)
        )
        parts = [
            rng.integers(1 << WIDE, size=(count, -(-width // WIDE)))
            for count, width in zip((inputs * clusters, neurons), widths, strict=True)
        ]
        words.append(np.concatenate([[inputs, neurons], *(part.reshape(-1) for part in parts)]))
        place = np.arange(inputs * clusters)
        want["o"]["cluster"] += list(place % clusters)
        want["o"]["address"] += list(place // clusters + number % 2 * STREAMED.weights)
        want["o"]["data"] += list(_bits(parts[0], widths[0]))
        slot = number % slots << index_width(STREAMED.table)
        want["o_neuron"]["address"] += list(slot + np.arange(neurons))
        want["o_neuron"]["data"] += list(_bits(parts[1], widths[1]))
    waits, holds = (
        rng.integers(WAITS, size=PASSES),
        rng.integers(HOLDS, size=PASSES) >> rng.integers(9, size=PASSES),
    )
    count = {name: len(fields["address"]) for name, fields in want.items()} | {"o_slot": PASSES}
    inputs_of = {"i": np.concatenate(words), "i_pass": {"wait": waits, "hold": holds}}
    result = simulator.run(inputs_of, count, seed=seed, **how)
    for name, fields in want.items():
        for field, values in fields.items():
            np.testing.assert_array_equal(result[name][field], np.array(values), f"{name} {field}")
    np.testing.assert_array_equal(result["o_slot"], np.arange(PASSES) % slots)
    if not how.get("pauses"):
        _check_cycles(result.accepted, [len(part) for part in words], waits, holds)


def _check_cycles(
    accepted: Any, lengths: list[int], waits: NDArray[np.int64], holds: NDArray[np.int64]
) -> None:
    ends = np.cumsum(lengths)
    first, last, taken = accepted["i"][ends - lengths], accepted["i"][ends - 1], accepted["i_pass"]
    frees = taken + 1 + holds
    np.testing.assert_array_equal(last - first + 1, lengths)
    np.testing.assert_array_equal(first[2:], np.maximum(last[1:-1], frees[:-2]) + 1)
    np.testing.assert_array_equal(first[1], last[0] + 1)
    np.testing.assert_array_equal(taken[1:], np.maximum(last[1:], frees[:-1]) + 1 + waits[1:])


# How it runs: at full rate, with pauses, from a reset in the middle on
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"pauses": 0.3},
    {"pauses": {"i": 0.8}},
    {"reset_at": 700},
    {"reset_at": 1003},
)
