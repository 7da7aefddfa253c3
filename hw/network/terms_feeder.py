"""Feeder of bias and mask: it reads their tables in the order the attention core wants."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from golden.descriptors import words
from golden.network.config import NetworkConfig
from golden.network.descriptors import AttentionOp
from golden.widths import index_width
from hw.attention.payloads import terms
from hw.network import payloads
from hw.network.load_bus import pick
from hw.parts.payloads import struct

# Fields of a term, and of a descriptor for each: whether there is a table, and where it begins
TABLES = {"bias": ("biased", "bias"), "masked": ("masked", "mask")}


def run_of(config: NetworkConfig) -> data.StructLayout:
    """Heads that run back to back, as this feeder needs them."""
    layout = struct(AttentionOp, config)
    names = ("group", "tokens", "biased", "masked", "bias", "mask", "stride", "area")
    there = [name for name in names if name in words(AttentionOp, config)]
    return data.StructLayout({name: layout[name].shape for name in there})


class TermsFeeder(wiring.Component):
    """Reads the tables of a window: head by head, row by row, the last word of a row first.

    Of fewer tokens than the tables are made for, it reads the first rows, and the first words of each.

    Members:
        i_load, i_write_biases, i_write_masks: words of the tables.
        run, start: heads to read, and when; without terms nothing is read.
        o: terms.

    Timing: the first beat two cycles after `start`, then one per cycle.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._names = list(terms(config.attention).elem_shape.members)
        super().__init__(
            {
                "i_load": In(payloads.load(config)),
                **{f"i_write_{payloads.TABLES[name]}": In(1) for name in self._names},
                "run": In(run_of(config)),
                "start": In(1),
                "o": Out(stream.Signature(terms(config.attention))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        run = self.run
        running, held, move = Signal(), Signal(), Signal()
        heads_left = Signal.like(run.group, name="heads_left")
        row, word, last_word = (
            Signal(index_width(self._config.attention.tokens), name=name)
            for name in ("row", "word", "last_word")
        )
        row_done, head_done = Signal(), Signal()
        counts, per_word = self._config.token_counts, self._config.attention.terms_per_beat
        m.d.comb += [
            move.eq(~held | self.o.ready),
            row_done.eq(running & move & (word == 0)),
            head_done.eq(row_done & (row + 1 == run.tokens)),
            self.o.valid.eq(held),
            last_word.eq((run.tokens - 1) >> exact_log2(per_word) if counts else run.stride - 1),
        ]
        start = self.start & Cat(run[TABLES[name][0]] for name in self._names).any()
        with m.If(move):
            m.d.sync += held.eq(running)
        with m.If(start):
            m.d.sync += [running.eq(1), heads_left.eq(run.group), row.eq(0), word.eq(last_word)]
        with m.Elif(running & move):
            m.d.sync += word.eq(Mux(row_done, last_word, word - 1))
            with m.If(row_done):
                m.d.sync += row.eq(Mux(head_done, 0, row + 1))
            with m.If(head_done):
                m.d.sync += heads_left.eq(heads_left - 1)
                with m.If(heads_left == 1):
                    m.d.sync += running.eq(0)
        for name in self._names:
            there, begin = (run[field] for field in TABLES[name])
            table = payloads.TABLES[name]
            shape, depth = payloads.memories(self._config)[table]
            m.submodules[table] = memory = Memory(shape=shape, depth=depth, init=[])
            read, write = memory.read_port(), memory.write_port()
            pick(m, write, self.i_load, getattr(self, f"i_write_{table}"))
            line = Signal.like(read.addr, name=f"{table}_line")  # where the row begins
            m.d.comb += [read.addr.eq(line + word), read.en.eq(move)]
            m.d.comb += [
                term[name].eq(Mux(there, entry, 0))
                for term, entry in zip(self.o.payload, read.data, strict=True)
            ]
            following: Value = line + run.stride
            if name == "masked":  # heads share it
                following = Mux(head_done, begin, following)
            elif counts:  # rows that are missing are left out
                head = Signal.like(line, name=f"{table}_head")
                following = Mux(head_done, head + run.area, following)
                with m.If(start):
                    m.d.sync += head.eq(begin)
                with m.Elif(head_done):
                    m.d.sync += head.eq(head + run.area)
            with m.If(start):
                m.d.sync += line.eq(begin)
            with m.Elif(row_done):
                m.d.sync += line.eq(following)
        return m
