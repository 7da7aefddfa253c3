"""Proofs of the endless stream of a memory's words."""

from amaranth.hdl import Assert, Cat, Const, Cover, Mux, Signal

from golden.memory import BURST, Region
from hw.memory import reader
from hw.memory.payloads import PLACE_BITS
from tests.proofs.memory.chip import CHIP
from tests.proofs.property import Fault, Property

DEPTH = 2 * BURST


class WordsComeRound(Property):
    """The words of a region leave in the order of their addresses, from the first again after the last, none
    lost, repeated or changed, at any pace of the memory and of who takes them, and from the first after a
    rewind at any moment; nothing is asked for that is not in the region.

    Assumes: the memory answers bursts in order, with eight words each, in any later cycles. The reader has
    room for two bursts. A word holds its own address."""

    component = "memory/reader"
    cases = ({"first": 120, "words": 1}, {"first": 24, "words": 11})
    # reachability finds no invariant of the stored words
    depth = 24
    reach = 28
    quick = False
    faults = (
        Fault(module=reader, old="(padding | ends) & ~place.all()", new="(padding | ends) & ~freed & ~ends"),
        Fault(module=reader, old="room.eq(room - ask + freed)", new="room.eq(room - ask + step)"),
        Fault(module=reader, old="with m.If(stale & self.quiet):", new="with m.If(stale):"),
        Fault(module=reader, old="(place == self.region.tail)", new="place.all()"),
    )

    def build(self, first: int, words: int) -> None:
        m, where = self.m, Region(CHIP, first, words)
        ports = self.unit("reader", reader.CyclicReader(CHIP, DEPTH))
        region, request, word, o = ports.region, ports.request, ports.word, ports.o
        m.d.comb += [
            region.first.eq(where.first_burst),
            region.last.eq(where.last_burst),
            region.tail.eq(where.tail),
        ]

        # the memory: bursts that it was asked for
        waiting = [Signal(len(region.first) + 1, name=f"waiting{n}") for n in range(2)]
        number, place = Signal(range(3)), Signal(PLACE_BITS)
        asked = request.valid & request.ready
        burst = Cat(request.payload.address.burst, request.payload.address.page)
        ended = word.valid & place.all()
        m.d.comb += [
            word.valid.eq(self.free(1, "comes") & (number != 0)),
            word.payload.data.eq(Cat(place, waiting[0][:-1])),
            word.payload.mark.eq(waiting[0][-1]),
            Assert(~asked | (number != 2) | ended),
            Assert(~request.valid | ((burst >= region.first) & (burst <= region.last))),
        ]
        m.d.sync += [place.eq(place + word.valid), number.eq(number + asked - ended)]
        with m.If(ended):
            m.d.sync += waiting[0].eq(waiting[1])
        with m.If(asked & (number - ended == 0)):
            m.d.sync += waiting[0].eq(Cat(burst, request.payload.mark))
        with m.Elif(asked):
            m.d.sync += waiting[1].eq(Cat(burst, request.payload.mark))

        # the word that is next
        begun, next_burst, next_place = Signal(), Signal.like(region.first), Signal(PLACE_BITS)
        here = Mux(begun, next_burst, region.first)
        taken = o.valid & o.ready
        last = (here == region.last) & (next_place == region.tail)
        m.d.comb += Assert(~taken | (o.payload == Cat(next_place, here)))
        with m.If(taken):
            m.d.sync += [
                begun.eq(1),
                next_burst.eq(Mux(last, region.first, here + next_place.all())),
                next_place.eq(Mux(last, 0, next_place + 1)),
            ]
        with m.If(ports.rewind):
            m.d.sync += [begun.eq(0), next_place.eq(0)]
        running = self.later(Const(1))
        m.d.comb += [
            Cover(taken & last),
            Cover(taken & begun & (here == region.last)),
            Cover(running & ports.rewind & (number != 0)),
        ]
