"""An endless stream of the words of a region of a memory."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from golden.errors import InputError
from golden.memory import BURST, WORD_BITS, SdramChip
from hw.memory import payloads

DEPTH = 32


class CyclicReader(wiring.Component):
    """Words of a region in order, from the first again after the last.

    Args:
        chip: the memory.
        depth: words that are stored ahead, a power of two, at least 2 bursts.

    Members:
        region: which words; steady from a `rewind` to the next.
        rewind: forget what is on its way and stored, and begin with the first word; for a cycle or longer.
            Words come when it has ended and what was on its way has arrived.
        o: the words.
        request, word: to the controller and back.
        quiet: nothing is asked for or on its way.

    Timing: a word leaves one cycle after it came, one per cycle. As many bursts are on their way or stored as
    there is room for; after the last word of a region that ends within a burst, the rest of it takes a cycle
    per word.
    """

    def __init__(self, chip: SdramChip, depth: int = DEPTH) -> None:
        if depth < 2 * BURST or depth & (depth - 1):
            raise InputError(
                f"CyclicReader.depth must be a power of two of at least {2 * BURST} words, not {depth}"
            )
        self._depth = depth
        super().__init__(
            {
                "region": In(payloads.region(chip)),
                "rewind": In(1),
                "o": Out(stream.Signature(WORD_BITS)),
                "request": Out(stream.Signature(payloads.request(chip))),
                "word": In(stream.Signature(payloads.word, always_ready=True)),
                "quiet": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # Bursts are asked for where there is room for all of their words: the controller cannot be stalled
        m = Module()
        m.submodules.store = store = Memory(shape=payloads.word, depth=self._depth, init=[])
        writer, reader = store.write_port(), store.read_port(domain="comb")
        bursts = self._depth // BURST
        room, on_their_way = Signal(range(bursts + 1), init=bursts), Signal(range(bursts + 1))
        written, read = Signal(exact_log2(self._depth) + 1), Signal(exact_log2(self._depth) + 1)
        burst = Signal.like(self.region.first)
        asking, stale, padding = Signal(), Signal(init=1), Signal()
        ask, arrived, stored, step, freed = (Signal() for _ in range(5))

        address = self.request.payload.address
        m.d.comb += [
            self.request.valid.eq(asking),
            address.burst.eq(burst),
            Value.cast(address.page).eq(burst >> len(address.burst)),
            self.request.payload.mark.eq(burst == self.region.last),
            ask.eq(~asking & (room != 0) & ~stale & ~self.rewind),
            self.quiet.eq(~asking & (on_their_way == 0)),
        ]
        with m.If(ask):
            m.d.sync += asking.eq(1)
        with m.If(self.request.ready & asking):
            m.d.sync += [
                asking.eq(0),
                burst.eq(Mux(burst == self.region.last, self.region.first, burst + 1)),
            ]
        m.d.comb += [
            writer.addr.eq(written),
            writer.data.eq(self.word.payload),
            writer.en.eq(self.word.valid),
            arrived.eq(self.word.valid & written[: exact_log2(BURST)].all()),
            reader.addr.eq(read),
            self.o.payload.eq(reader.data.data),
            stored.eq(read != written),
            self.o.valid.eq(stored & ~padding & ~stale),
            step.eq(Mux(padding, stored, self.o.valid & self.o.ready)),
            freed.eq(step & read[: exact_log2(BURST)].all()),
        ]
        m.d.sync += [
            room.eq(room - ask + freed),
            on_their_way.eq(on_their_way + ask - arrived),
            written.eq(written + self.word.valid),
            read.eq(read + step),
        ]
        place = read[: exact_log2(BURST)]
        with m.If(step):
            ends = reader.data.mark & (place == self.region.tail)
            m.d.sync += padding.eq((padding | ends) & ~place.all())
        with m.If(self.rewind):
            m.d.sync += stale.eq(1)
        with m.If(stale & self.quiet):
            m.d.sync += [
                stale.eq(self.rewind),
                burst.eq(self.region.first),
                room.eq(bursts),
                written.eq(0),
                read.eq(0),
                padding.eq(0),
            ]
        return m
