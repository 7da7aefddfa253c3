"""Network core behind a narrow load stream, as the link of a board wants it."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, connect, flipped

from golden.network.config import NetworkConfig
from hw.network import payloads
from hw.network.core import NetworkCore
from hw.parts.load_reader import PIECE_BITS, LoadReader, stored


class LinkedNetwork(wiring.Component):
    """Network core whose memories are loaded through a stream of 32 bits.

    Members:
        i_load: see `LoadReader`.
        o_store: see `LoadReader`.
        others: as `NetworkCore`.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._core = NetworkCore(config)
        members = dict(self._core.signature.members) | stored(config.weight_stream)
        super().__init__(members | {"i_load": In(stream.Signature(PIECE_BITS))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.reader = reader = LoadReader(
            payloads.load_header(config),
            payloads.load(config),
            payloads.store(config) if config.weight_stream else 0,
            config.weight_stream,
        )
        m.submodules.core = core = self._core
        connect(m, flipped(self.i_load), reader.i)
        connect(m, reader.o, core.i_load)
        connect(m, flipped(self.i_image), core.i_image)
        connect(m, core.o_score, flipped(self.o_score))
        if config.weight_stream:
            connect(m, reader.o_store, flipped(self.o_store))
            connect(m, flipped(self.i_weights), core.i_weights)
            m.d.comb += self.running.eq(core.running)
        return m
