"""A core for networks behind a narrow load stream, and beside it a memory for its streamed weights."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out, connect, flipped

from golden.errors import InputError
from golden.memory import ULX3S_SDRAM, WORD_BITS
from hw.memory import payloads


class StoredNetwork(wiring.Component):
    """A core whose streamed weights are in a memory of the board.

    Args:
        network: with `i_weights`, `running` and `o_store`, as `hw.network.linked_network.LinkedNetwork`.

    Members:
        i_load, i_image, o_score: as of the network.
        o_status: of the memory.
        memory: the user of a `hw.memory.weights.WeightMemory`.

    Raises:
        InputError: the words of the stream are not those of a board's memory.
    """

    def __init__(self, network: Any) -> None:
        members = network.signature.members
        if (wide := len(network.i_weights.payload)) != WORD_BITS:
            raise InputError(f"weight_stream must be {WORD_BITS}, a word of a board's memory, not {wide}")
        self._network = network
        super().__init__(
            {name: members[name] for name in ("i_load", "i_image", "o_score")}
            | {
                "o_status": Out(stream.Signature(payloads.status(ULX3S_SDRAM))),
                "memory": Out(payloads.weights(ULX3S_SDRAM)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.network = network = self._network
        connect(m, flipped(self.i_load), network.i_load)
        connect(m, flipped(self.i_image), network.i_image)
        connect(m, network.o_score, flipped(self.o_score))
        memory = flipped(self.memory)
        connect(m, network.o_store, memory.store)
        connect(m, memory.words, network.i_weights)
        connect(m, memory.status, flipped(self.o_status))
        m.d.comb += memory.running.eq(network.running)
        return m
