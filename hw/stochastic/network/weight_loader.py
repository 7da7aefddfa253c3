"""Streamed weights: those of a pass are loaded while the neurons work with those of the pass before."""

from amaranth.hdl import Cat, Elaboratable, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.stochastic.network_config import StochasticNetworkConfig
from hw.stochastic.network import payloads
from hw.stochastic.network.payloads import HALVES


class WeightLoader(wiring.Component):
    """Fills one half of the weight memory with the next pass while the neurons read the other.

    Members:
        i: words of the passes, in the order of `golden.stochastic.weights`.
        enable: words are taken; while it is low everything is forgotten.
        ready: the weights of the next pass are there; half: in which half.
        take: that pass begins; free: the one that began has read its weights for the last time.
        o, o_write: weights of an input of all lanes, for one of the halves; cannot be held up.

    Timing: one word per cycle. A pass is `ready` the cycle after its last word, the header of the next is
    taken the cycle after `free`. The last weights are written in the cycle in which the pass is `ready`.
    """

    def __init__(self, config: StochasticNetworkConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(stream.Signature(config.weight_stream)),
                "enable": In(1),
                "ready": Out(1),
                "half": Out(1),
                "take": In(1),
                "free": In(1),
                "o": Out(payloads.weight_load(config)),
                "o_write": Out(HALVES),
            }
        )

    def elaborate(self, platform: object) -> Elaboratable:
        m = Module()
        config, word = self._config, self.i.payload
        loading, accepted, whole, done = (
            Signal(name=name) for name in ("loading", "accepted", "whole", "done")
        )
        # halves that are full or in use, and of them those that no pass has begun with
        held, waiting, filled = Signal(range(HALVES + 1)), Signal(range(HALVES + 1)), Signal()
        left, address = Signal(range(config.weights + 1)), Signal.like(self.o.address)
        piece = Signal(range(config.weight_pieces))
        kept = Signal(config.weight_pieces * config.weight_stream, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(self.enable & (loading | (held != HALVES))),
            accepted.eq(self.i.valid & self.i.ready),
            self.ready.eq(waiting != 0),
            self.o.data.eq(kept),
            whole.eq(accepted & loading & (piece == config.weight_pieces - 1)),
            done.eq(whole & (left == 1)),
        ]
        with m.If(accepted):
            m.d.sync += kept.eq(Cat(kept, word)[config.weight_stream :])
            with m.If(loading):
                m.d.sync += piece.eq(Mux(whole, 0, piece + 1))
            with m.Else():
                m.d.sync += [loading.eq(1), left.eq(word), address.eq(0)]
        with m.If(whole):
            m.d.sync += [left.eq(left - 1), address.eq(address + 1)]
        with m.If(done):
            m.d.sync += [loading.eq(0), filled.eq(~filled)]
        m.d.sync += [
            self.o_write.eq(Cat(whole & ~filled, whole & filled)),
            self.o.address.eq(address),
            held.eq(held + done - self.free),
            waiting.eq(waiting + done - self.take),
            self.half.eq(self.half ^ self.take),
        ]
        return ResetInserter(~self.enable)(m)
