"""Streamed weights: each pass's are loaded while the neurons work with those of the pass before.

With `NetworkConfig.weight_stream` 0 there is nothing of it in a core.
"""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.widths import index_width
from hw.network import payloads

HALVES = 2


class WeightLoader(wiring.Component):
    """Fills one half of the weight memories with the next pass while the neurons read the other.

    Members:
        i: words of the passes, in the order of `golden.network.weights`.
        enable: words are taken; while it is low everything is forgotten.
        ready, half: the weights of the next pass are there, and where.
        take: that pass begins; free: the pass that began has read its weights for the last time.
        o, o_write: weights of an input for a cluster; cannot be held up.

    Timing: one word per cycle. A pass is `ready` the cycle after its last word, the header of the next is
    taken the cycle after `free`. What is written after `free` comes to each cluster behind the last read
    there, what was written before `ready` ahead of the first: broadcast and bus pass the clusters at the same
    rate.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(config.weight_stream)),
                "enable": In(1),
                "ready": Out(1),
                "half": Out(1),
                "take": In(1),
                "free": In(1),
                "o": Out(payloads.cluster_load(config)),
                "o_write": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, word = self._config, self.i.payload
        pieces = config.weight_pieces
        loading, filled, accepted, whole, done = (
            Signal(name=name) for name in ("loading", "filled_half", "accepted", "whole", "done")
        )
        # halves that are full or in use, and of them those that no pass has begun with
        held, waiting = Signal(range(HALVES + 1)), Signal(range(HALVES + 1))
        left = Signal.like(word)
        piece, cluster = Signal(index_width(pieces)), Signal(index_width(config.clusters))
        address = Signal.like(self.o.address, name="address")
        kept = Signal(pieces * config.weight_stream, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(self.enable & (loading | (held != HALVES))),
            accepted.eq(self.i.valid & self.i.ready),
            whole.eq(accepted & loading & (piece == pieces - 1)),
            done.eq(whole & (cluster == config.clusters - 1) & (left == 1)),
            self.ready.eq(waiting != 0),
        ]
        with m.If(accepted):
            m.d.sync += kept.eq(Cat(kept, word)[config.weight_stream :])
            with m.If(loading):
                m.d.sync += piece.eq(Mux(whole, 0, piece + 1))
            with m.Else():
                m.d.sync += [loading.eq(1), left.eq(word), address.eq(Mux(filled, config.weights, 0))]
        with m.If(whole):
            m.d.sync += cluster.eq(cluster + 1)
            with m.If(cluster == config.clusters - 1):
                m.d.sync += [cluster.eq(0), address.eq(address + 1), left.eq(left - 1)]
        with m.If(done):
            m.d.sync += [loading.eq(0), filled.eq(~filled)]
        m.d.sync += [
            held.eq(held + done - self.free),
            waiting.eq(waiting + done - self.take),
            self.half.eq(self.half ^ self.take),
            self.o_write.eq(whole),
            self.o.cluster.eq(cluster),
            self.o.address.eq(address),
        ]
        m.d.comb += self.o.data.eq(kept)
        with m.If(~self.enable):
            m.d.sync += [s.eq(0) for s in (loading, filled, held, waiting, piece, cluster, self.half)]
        return m


class WeightHalves:
    """What streamed weights are to the unit that broadcasts: a pass waits for its half, and frees it.

    Args:
        unit: with members as of `WeightHalves.members`.
    """

    def __init__(self, config: NetworkConfig, unit: Any) -> None:
        self.present = config.weight_stream > 0
        self._config, self._unit = config, unit
        if self.present:
            self.base = Signal(index_width(payloads.weight_depth(config)), name="weight_base")

    @staticmethod
    def members(config: NetworkConfig) -> dict[str, wiring.Member]:
        """Of the unit: `ready`, `half`, `take` and `free` of the loader."""
        if not config.weight_stream:
            return {}
        return {
            "weights_ready": In(1), "weights_half": In(1), "weights_take": Out(1), "weights_free": Out(1)
        }  # fmt: skip

    def ready(self, room: Value, row: Value) -> Value:
        """Whether there is `room` to broadcast a row; the first one of a pass waits for its weights."""
        return room & ((row != 0) | self._unit.weights_ready) if self.present else room

    def take(self, m: Module, row: Value) -> None:
        """The `row` is broadcast from now on."""
        if not self.present:
            return
        with m.If(row == 0):
            m.d.comb += self._unit.weights_take.eq(1)
            m.d.sync += self.base.eq(Mux(self._unit.weights_half, self._config.weights, 0))

    def free(self, m: Module, last: Value) -> None:
        """The pass ends where the `last` spike of its rows is read."""
        if self.present:
            m.d.comb += self._unit.weights_free.eq(last)
