"""Loads keys or values into the memories of a vector unit."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, ceil_log2

from golden.widths import index_width
from hw.integer import payloads
from hw.integer.product import delayed
from hw.integer.vector_config import VectorConfig
from hw.parts.memory import NO_COLLISION


class VectorLoader(wiring.Component):
    """Turns a stream of codes into words of the memories.

    Codes of a head come vector by vector (a key; the values of a feature), within a vector in order. A vector
    longer than the lanes is several words.

    Members:
        i_head: tokens and features of each head.
        i: codes.
        o_load, o_word: to the first cluster; the code is one cycle behind its `shift`, else 0.
        full: a bank holds a whole head that was not finished.
        finish: the last product with the oldest full bank is on its way.
        release: and its sum has come out.
        norm_index: a vector of the oldest bank, with `IntegerConfig.squares`.
        norm: the sum of the squares of its codes, one cycle later.

    Args:
        vectors, length: the fields of the head descriptor that count vectors and the codes in one.
        limits: most vectors and most codes in one.
        lanes: codes in a word.

    Timing: one code per cycle. `full` five cycles after the last code of a head. The next head loads into
    the other bank, from three cycles after the last code, two after `release` on.
    """

    def __init__(
        self, config: VectorConfig, vectors: str, length: str, limits: tuple[int, int], lanes: int
    ) -> None:
        self._config = config
        self._fields = vectors, length
        self._limits = limits
        self._lanes = lanes
        self._word = data.StructLayout(
            {"vector": index_width(limits[0]), "group": ceil_log2(-(-limits[1] // lanes)), "bank": 1}
        )
        members = {
            "i_head": In(stream.Signature(payloads.head_part(config, vectors, length))),
            "i": In(stream.Signature(payloads.code(config))),
            "o_load": Out(payloads.load_command(self._word.size)),
            "o_word": Out(payloads.code(config)),
            "full": Out(1),
            "finish": In(1),
            "release": In(1),
        }
        if config.squares:
            self._norm = bits_for(limits[1] * ((1 << config.bits - 1) - 1) ** 2)
            members |= {"norm_index": In(index_width(limits[0])), "norm": Out(self._norm)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vectors, length = (getattr(self.i_head.payload, name) for name in self._fields)
        loading = Signal()
        started, filled = Signal(range(3)), Signal(range(3))
        place = Signal(self._word)
        vectors_left = Signal.like(vectors, reset_less=True)
        left = Signal.like(length, reset_less=True)  # codes of this vector still to come
        start, transfer, word, word_full, vector_done, done = (Signal() for _ in range(6))
        m.d.comb += [
            start.eq(~loading & self.i_head.valid & (started != 2)),
            self.i.ready.eq(loading),
            transfer.eq(loading & self.i.valid),
            vector_done.eq(transfer & (left == 1)),
            word.eq(vector_done | word_full),
            done.eq(vector_done & (vectors_left == 1)),
            self.i_head.ready.eq(done),
            self.o_load.shift.eq(transfer),
            self.full.eq(filled != 0),
        ]
        with m.If(start):
            m.d.sync += [loading.eq(1), left.eq(length), vectors_left.eq(vectors)]
        with m.If(transfer):
            m.d.sync += left.eq(left - 1)
        if self._limits[1] > self._lanes:
            self._fill_words(m, transfer, vector_done, place, word_full)
        with m.If(vector_done):
            m.d.sync += [
                left.eq(length),
                place.vector.eq(place.vector + 1),
                vectors_left.eq(vectors_left - 1),
            ]
        with m.If(done):
            m.d.sync += [place.vector.eq(0), place.bank.eq(~place.bank), loading.eq(0)]

        write, loaded = Signal(), delayed(m, done, 4, "done", reset=True)
        written = Signal(self._word, reset_less=True)
        m.d.sync += [
            write.eq(word),
            written.eq(place),
            self.o_word.eq(Mux(transfer, self.i.payload, 0)),
            started.eq(started + start - self.release),
            filled.eq(filled + loaded - self.finish),
        ]
        m.d.comb += [self.o_load.write.eq(write), self.o_load.address.eq(written)]
        if self._config.squares:
            self._sum_squares(m, transfer, vector_done, written)
        return m

    def _fill_words(
        self, m: Module, transfer: Signal, vector_done: Signal, place: data.View, word_full: Signal
    ) -> None:
        """A vector may be longer than a word."""
        lane = Signal(range(max(2, self._lanes)))
        m.d.comb += word_full.eq(transfer & (lane == self._lanes - 1))
        with m.If(transfer):
            m.d.sync += lane.eq(lane + 1)
        with m.If(word_full):
            m.d.sync += [lane.eq(0), place.group.eq(place.group + 1)]
        with m.If(vector_done):
            m.d.sync += [lane.eq(0), place.group.eq(0)]

    def _sum_squares(self, m: Module, transfer: Signal, vector_done: Signal, written: data.View) -> None:
        """The square of a code is found three cycles after it came, the sum is written two later."""
        config = self._config
        size = 1 << config.bits
        table = [min(n, size - n) ** 2 for n in range(size)]
        m.submodules.squares = squares = Memory(
            shape=bits_for(max(table)), depth=size, init=table, attrs={"rom_style": "block"}
        )
        m.submodules.norms = norms = Memory(
            shape=self._norm, depth=2 << len(written.vector), init=[], attrs=NO_COLLISION
        )
        square, write, read = squares.read_port(), norms.write_port(), norms.read_port()
        found = Signal.like(square.data, reset_less=True)
        total = Signal(self._norm)
        address = data.StructLayout({"vector": len(written.vector), "bank": 1})
        place, ended, wanted = Signal(address), Signal(address), Signal(address)
        bank = Signal()
        arrived = delayed(m, transfer, 3, "arrived", reset=True)
        complete = delayed(m, vector_done, 4, "complete", reset=True)
        m.d.comb += [
            square.addr.eq(self.o_word),
            place.vector.eq(written.vector),
            place.bank.eq(written.bank),
            ended.eq(delayed(m, place, 3, "ended")),
            write.en.eq(complete),
            write.addr.eq(ended),
            write.data.eq(total),
            wanted.vector.eq(self.norm_index),
            wanted.bank.eq(bank),
            read.addr.eq(wanted),
            self.norm.eq(read.data),
        ]
        m.d.sync += [bank.eq(bank ^ self.release), found.eq(square.data)]
        with m.If(arrived):
            m.d.sync += total.eq(Mux(complete, 0, total) + found)
        with m.Elif(complete):
            m.d.sync += total.eq(0)
