"""Membrane: the residual stream of a network core, and who reads it."""

from typing import Any

from amaranth.hdl import Assert, Module, Mux, signed

from golden.network.config import NetworkConfig
from golden.network.tensors import STREAM
from hw.network import payloads
from hw.network.drain import Drain
from hw.network.norm_unit import NormUnit
from hw.parts.sliced_memory import SlicedMemory


def add_membrane(m: Module, config: NetworkConfig, drain: Drain, norm: NormUnit, image: Any) -> None:
    """Residual stream: one integer per token and channel, a copy for each of its two readers; with two
    drains in a bank for each of them.

    Shared (`NetworkConfig.shared`) there is one copy: the program lets the norm read when nothing is added.
    """
    row, channel = drain.write_row, drain.write_channel
    changes = [(drain.stream_new, drain.stream_write)]
    old = [drain.stream_old]
    if config.drains > 1:
        changes.append((drain.stream_new_1, drain.stream_write_1))
        old.append(drain.stream_old_1)
    if config.entry == STREAM:
        # only between inferences, when the drain has nothing
        enters, beat = image.o.valid, image.o.payload
        row, channel = Mux(enters, beat.row, row), Mux(enters, beat.channel, channel)
        _, bank = payloads.stream_address(config, beat.row, beat.channel)
        changes = [
            (Mux(enters, beat.value, value), (enters & (bank == number)) | change)
            for number, (value, change) in enumerate(changes)
        ]
    values = []
    for number, (value, change) in enumerate(changes):
        for name in ("both",) if config.shared else ("sum", "norm"):
            size = {"shape": signed(config.stream_bits), "depth": payloads.stream_depth(config)}
            memory = SlicedMemory(**size)
            m.submodules[f"stream_{name}" + f"_{number}" * (config.drains > 1)] = memory
            read, write = memory.read_port(), memory.write_port()
            place, _ = payloads.stream_address(config, row, channel)
            m.d.comb += [write.addr.eq(place), write.data.eq(value), write.en.eq(change)]
            reader = drain if name == "sum" else norm
            place, _ = payloads.stream_address(config, reader.stream_row, reader.stream_channel)
            if config.shared:
                sums, _ = payloads.stream_address(config, drain.stream_row, drain.stream_channel)
                place = Mux(drain.stream_adds, sums, place)
            m.d.comb += read.addr.eq(place)
            if name != "norm":
                m.d.comb += old[number].eq(read.data)
            if name != "sum":
                values.append(read.data)
    m.d.comb += norm.stream_value.eq(values[0])
    if config.drains > 1:
        m.d.comb += norm.stream_value_1.eq(values[1])
    if config.shared:
        both = drain.stream_adds & norm.stream_reads
        m.d.sync += Assert(~both, "sums and the norm read the stream in turn")
