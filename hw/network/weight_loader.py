"""Streamed weights: each pass's are loaded while the neurons work with those of the pass before.

With `NetworkConfig.weight_stream` 0 there is nothing of it in a core.
"""

from typing import Any

from amaranth.hdl import Cat, Elaboratable, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.widths import index_width
from hw.network import payloads

HALVES = 2


class WeightLoader(wiring.Component):
    """Fills one half of the weight memories with the next pass while the neurons read the other, and a slot
    of the neuron table.

    Members:
        i: words of the passes, in the order of `golden.network.weights`.
        enable: words are taken; while it is low everything is forgotten.
        ready, slot: weights and neurons of the next pass are there, and where: its slot of the neuron table,
            whose low bit is the half of the weights.
        take: that pass begins; free: the pass that began has read its weights for the last time.
        o, o_write: weights of an input for a cluster; cannot be held up.
        o_neuron, o_write_neuron: entries of the neuron table; cannot be held up.

    Timing: one word per cycle. A pass is `ready` the cycle after its last word, the header of the next is
    taken the cycle after `free`; the core registers `take` and `free`. What is written after `free` comes to
    each cluster behind the last read there, what was written before `ready` ahead of the first: broadcast and
    bus pass the clusters at the same rate. Of the neurons see `NetworkConfig.neuron_slots`.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(config.weight_stream)),
                "enable": In(1),
                "ready": Out(1),
                "slot": Out(range(config.neuron_slots)),
                "take": In(1),
                "free": In(1),
                "o": Out(payloads.cluster_load(config)),
                "o_write": Out(1),
                "o_neuron": Out(payloads.table_load(config)),
                "o_write_neuron": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Elaboratable:
        m = Module()
        config, word, neuron = self._config, self.i.payload, self.o_neuron
        wide, pieces = config.weight_stream, config.weight_pieces
        neuron_pieces = -(-neuron.data.shape().size // wide)
        most = max(pieces, neuron_pieces)
        loading, accepted, whole, done = (
            Signal(name=name) for name in ("loading", "accepted", "whole", "done")
        )
        # halves that are full or in use, and of them those that no pass has begun with
        held, waiting = Signal(range(HALVES + 1)), Signal(range(HALVES + 1))
        filled = Signal.like(self.slot, name="filled_slot")
        left, neurons = Signal(range(config.weights + 1)), Signal(range(config.table + 1))
        piece, cluster = Signal(range(most)), Signal(index_width(config.clusters))
        address = Signal.like(self.o.address, name="address")
        entry = Signal(index_width(config.table))
        kept = Signal(most * wide, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(self.enable & (loading | (held != HALVES))),
            accepted.eq(self.i.valid & self.i.ready),
            self.ready.eq(waiting != 0),
        ]
        with m.If(accepted):
            m.d.sync += kept.eq(Cat(kept, word)[wide:])

        def collect(count: int) -> None:
            """A word that is one of `count` pieces."""
            m.d.comb += whole.eq(accepted & (piece == count - 1))
            with m.If(accepted):
                m.d.sync += piece.eq(Mux(whole, 0, piece + 1))

        m.d.sync += [self.o_write.eq(0), self.o_write_neuron.eq(0)]
        with m.FSM():
            with m.State("INPUTS"), m.If(accepted):
                m.d.sync += [loading.eq(1), left.eq(word), address.eq(Mux(filled[0], config.weights, 0))]
                m.next = "COUNT"
            with m.State("COUNT"), m.If(accepted):
                m.d.sync += [neurons.eq(word), entry.eq(0), piece.eq(0), cluster.eq(0)]
                m.next = "WEIGHTS"
            with m.State("WEIGHTS"):
                collect(pieces)
                m.d.sync += self.o_write.eq(whole)
                with m.If(whole):
                    m.d.sync += cluster.eq(cluster + 1)
                    with m.If(cluster == config.clusters - 1):
                        m.d.sync += [cluster.eq(0), address.eq(address + 1), left.eq(left - 1)]
                        with m.If(left == 1):
                            m.next = "NEURONS"
            with m.State("NEURONS"):
                collect(neuron_pieces)
                m.d.sync += self.o_write_neuron.eq(whole)
                with m.If(whole):
                    m.d.sync += [entry.eq(entry + 1), neurons.eq(neurons - 1)]
                    with m.If(neurons == 1):
                        m.d.comb += done.eq(1)
                        m.d.sync += [loading.eq(0), filled.eq(filled + 1)]
                        m.next = "INPUTS"
        m.d.sync += [
            held.eq(held + done - self.free),
            waiting.eq(waiting + done - self.take),
            self.slot.eq(self.slot + self.take),
            self.o.cluster.eq(cluster),
            self.o.address.eq(address),
            neuron.address.eq(Cat(entry, filled)),
        ]
        m.d.comb += [
            self.o.data.eq(kept[(most - pieces) * wide :]),
            neuron.data.eq(kept[(most - neuron_pieces) * wide :]),
        ]
        return ResetInserter(~self.enable)(m)


class WeightHalves:
    """What streamed weights are to the unit that broadcasts: a pass waits for its half, and frees it.

    Args:
        unit: with members as of `WeightHalves.members`.

    Attributes:
        base, neurons: of streamed weights, where those of the pass begin, and the neurons of the row.
    """

    def __init__(self, config: NetworkConfig, unit: Any) -> None:
        self.present = config.weight_stream > 0
        self._config, self._unit = config, unit
        if self.present:
            self.base = Signal(index_width(payloads.weight_depth(config)), name="weight_base")
            self.neurons = Signal(index_width(payloads.table_depth(config)), name="neuron_base")
            self._slot = Signal.like(unit.weights_slot, name="work_slot")

    @staticmethod
    def members(config: NetworkConfig) -> dict[str, wiring.Member]:
        """Of the unit: `ready`, `slot`, `take` and `free` of the loader."""
        if not config.weight_stream:
            return {}
        return {
            "weights_ready": In(1), "weights_slot": In(range(config.neuron_slots)), "weights_take": Out(1),
            "weights_free": Out(1),
        }  # fmt: skip

    def ready(self, room: Value, row: Value) -> Value:
        """Whether there is `room` to broadcast a row; the first one of a pass waits for its weights."""
        return room & ((row != 0) | self._unit.weights_ready) if self.present else room

    def take(self, m: Module, row: Value, table: Value) -> None:
        """The `row` is broadcast from now on; its neurons are at `table` among those of its pass."""
        if not self.present:
            return
        slot = self._unit.weights_slot
        m.d.sync += self.neurons.eq(Cat(table, Mux(row == 0, slot, self._slot)))
        with m.If(row == 0):
            m.d.comb += self._unit.weights_take.eq(1)
            m.d.sync += [self._slot.eq(slot), self.base.eq(Mux(slot[0], self._config.weights, 0))]

    def free(self, m: Module, last: Value) -> None:
        """The pass ends where the `last` spike of its rows is read."""
        if self.present:
            m.d.comb += self._unit.weights_free.eq(last)
