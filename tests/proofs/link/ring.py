"""Proofs of the rings of the link."""

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Assert, Assume, Cover, Mux, Signal, Value

from hw.link import ring
from tests.proofs.following import peeked, stays_offered
from tests.proofs.property import Fault, Inside, Property

DEPTH = 64
BITS = 6


class CommittedBytesPassInOrder(Property):
    """Every byte that was written and committed leaves, as the byte of its position, unchanged; a byte that
    was taken back never does; what is offered stays until it is taken. No more bytes are inside than there
    is room for, and positions go round at 65536.

    Assumes: no write while it is full; one of write, commit and revert at a time, and none behind a write.
    Bytes at one address are followed, any one of them, from the cycle after their write on."""

    component = "link/ring"
    faults = (
        Fault(module=ring, old="written.eq(self.committed)", new="written.eq(written)"),
        Fault(module=ring, old="some.eq(read != self.committed)", new="some.eq(read != written)"),
        Fault(module=ring, old="moves.eq(wanted | fetch)", new="moves.eq(1)"),
        Fault(module=ring, old="~(fetch | fetched | self.o.valid)", new="~(fetch | self.o.valid)"),
    )

    def build(self) -> None:
        m = self.m
        address = self.unknown(BITS, "address")
        with peeked(ring.CommitRing):
            inside = self.opened("ring", ring.CommitRing(DEPTH))
        peek = inside["memory"].peek
        m.d.comb += peek.addr.eq(address)
        ports, read = inside.ports, inside["read"]
        o, fetch, fetched, reader = ports.o, inside["fetch"], inside["fetched"], inside["reader"]
        push, pushed = self.later(ports.write), self.later(ports.data)  # a write counts a cycle later
        m.d.comb += [
            Assume(~(ports.write & ports.full)),
            Assume(push + ports.write + ports.commit + ports.revert <= 1),
        ]
        written, committed = Signal(16), Signal(16)
        with m.If(push):
            m.d.sync += written.eq(written + 1)
        with m.If(ports.commit):
            m.d.sync += committed.eq(written)
        with m.If(ports.revert):
            m.d.sync += written.eq(committed)
        pop = o.valid & o.ready
        taken = Signal(16)  # position of the byte that leaves next
        m.d.sync += taken.eq(taken + pop)
        # bytes inside, and those of them that are committed
        stored, public = Signal(range(DEPTH + 2)), Signal(range(DEPTH + 2))
        m.d.sync += [
            stored.eq(Mux(ports.revert, public, stored + push) - pop),
            public.eq(Mux(ports.commit, stored, public) - pop),
        ]
        follow = self.free(1, "follow")
        followed, firm, position, kept = Signal(), Signal(), Signal(16), Signal(8)
        before = Signal(range(DEPTH + 2))  # bytes that leave before the one that is followed
        turn = followed & (position == taken)
        m.d.sync += before.eq(before - pop)
        with m.If(push & follow & ~followed & (written[:BITS] == address)):
            m.d.sync += [followed.eq(1), firm.eq(0), position.eq(written), kept.eq(pushed)]
            m.d.sync += before.eq(stored - pop)
        with m.Elif(ports.commit):
            m.d.sync += firm.eq(followed)
        with m.Elif(ports.revert & ~firm):
            m.d.sync += followed.eq(0)
        with m.If(pop & turn):
            m.d.sync += followed.eq(0)
        # what is stored at the address; reset leaves a memory as it is
        shadow = Signal(8, reset_less=True)
        with m.If(push & (written[:BITS] == address)):
            m.d.sync += shadow.eq(pushed)
        # what a fetch brought; what is read in the cycle behind it goes no further
        byte = Signal(8, reset_less=True)
        with m.If(fetched):
            m.d.sync += byte.eq(reader.data)
        out = fetched + o.valid  # bytes inside that are no longer in the memory alone
        waiting, on_its_way = followed & (before >= out), followed & (before < out)
        m.d.comb += [
            Assert(~pop | ~turn | (firm & (o.payload == kept))),
            Assert(~pop | (public != 0)),
            Assert((stored <= DEPTH + 1) & (public <= stored)),
            Assert(ports.limit == (read + DEPTH)[:16]),
            Assert(ports.committed == committed),
            # what holds in between
            Assert(inside["written"] == written),
            Assert(written == (taken + stored)[:16]),
            Assert(committed == (taken + public)[:16]),
            Assert(read == (taken + out)[:16]),
            Assert((stored <= out + DEPTH) & (out <= public)),
            Assert(inside["writing"] == push),
            Assert(~push | (inside["data"] == pushed)),
            Assert(~push | (stored < out + DEPTH)),
            Assert(fetch + fetched + o.valid <= 1),
            Assert(inside["moves"] == fetch | fetched),
            Assert(~fetch | (public != out)),
            Assert(~inside["some"] | fetched | (public != out)),
            Assert(~o.valid | (o.payload == byte)),
            Assert(~followed | (position[:BITS] == address)),
            Assert(~followed | (position == (taken + before)[:16])),
            Assert(~followed | (before < stored)),
            Assert(~followed | (firm == (before < public))),
            Assert(peek.data == shadow),
            Assert(~waiting | (shadow == kept)),
            Assert(~(fetched & on_its_way) | (reader.data == kept)),
            Assert(~(o.valid & on_its_way) | (o.payload == kept)),
            Cover(pop & turn),
            Cover(followed & firm & (stored == 3)),
        ]
        stays_offered(self, o)


class CommittedReadsDoNotCollide(Property):
    """No byte is fetched in the cycle in which it is written.

    Assumes: no write while the ring is full; one of write, commit and revert at a time, and none behind a
    write."""

    component = "link/ring"
    cases = ({}, {"depth": 8192})
    faults = (
        Fault(module=ring, old="wanted.eq(some &", new="wanted.eq("),
        Fault(module=ring, old="written.eq(self.committed)", new="written.eq(read - 1)"),
    )

    def build(self, depth: int = DEPTH) -> None:
        m = self.m
        inside = self.opened("ring", ring.CommitRing(depth))
        ports, read, written = inside.ports, inside["read"], inside["written"]
        m.d.comb += [
            Assume(~(ports.write & ports.full)),
            Assume(self.later(ports.write) + ports.write + ports.commit + ports.revert <= 1),
        ]
        writer, reader, fetch = inside["writer"], inside["reader"], inside["fetch"]
        stored, public = (written - read)[:16], (ports.committed - read)[:16]
        m.d.comb += [
            Assert(~(writer.en & fetch & (writer.addr == reader.addr))),
            Assert((stored + writer.en <= depth) & (public <= stored)),
            Assert(writer.en == self.later(ports.write)),
            Assert(~fetch | (public != 0)),
            Assert(~inside["some"] | inside["fetched"] | (public != 0)),
            Cover(writer.en & fetch),
        ]


def announced(prop: Property, ports: Any) -> Iterator[Any]:
    """What `ReplayRing` asks of acknowledgements."""
    for cycles in (1, 2):
        yield Assume(~(ports.ack & prop.later(ports.ack, cycles)))
        for value in (ports.ack_position, ports.rewind):
            yield Assume(~ports.ack | (value == prop.later(value, cycles)))


def weighed(prop: Property, inside: Inside, stored: Value, sent: Value) -> Iterator[Any]:
    """What holds of the distances that `ReplayRing` takes and compares, where no acknowledgement came
    in between; of `stored` bytes inside `sent` are sent."""
    ports, acked = inside.ports, inside["acked"]
    quiet = ~prop.later(ports.ack)
    advance = (prop.later(ports.ack_position) - acked)[:16]
    limit = Mux(prop.later(ports.rewind), stored, sent)
    yield Assert(~quiet | (inside["advance"] == advance) & (inside["range_"] <= limit))
    fits = inside["fits"] & quiet & ~prop.later(ports.ack, 2)
    advance = (prop.later(ports.ack_position, 2) - acked)[:16]
    limit = Mux(prop.later(ports.rewind, 2), stored, sent)
    yield Assert(~fits | (advance <= limit))


class StoredReadsDoNotCollide(Property):
    """A byte that is in the ring is never read in the cycle in which its place is written: what `data` shows
    from the third cycle on was read after it was written.

    Assumes: no step beyond the last byte; two cycles without an acknowledgement before each, in which
    `ack_position` and `rewind` are what they are with it. Acknowledged positions are any."""

    component = "link/ring"
    cases = ({}, {"depth": 8192})
    faults = (
        Fault(module=ring, old="reader.addr.eq(self.sent)", new="reader.addr.eq(self.produced)"),
        Fault(module=ring, old="self.ack & fits", new="self.ack"),
    )

    def build(self, depth: int = DEPTH) -> None:
        m = self.m
        inside = self.opened("ring", ring.ReplayRing(depth))
        ports, acked = inside.ports, inside["acked"]
        m.d.comb += [
            Assume(~ports.step | (ports.sent != ports.produced)),
            *announced(self, ports),
        ]
        writer, reader = inside["writer"], inside["reader"]
        stored, sent = (ports.produced - acked)[:16], (ports.sent - acked)[:16]
        m.d.comb += [
            Assert(~(writer.en & (ports.sent != ports.produced) & (writer.addr == reader.addr))),
            Assert((stored <= depth) & (sent <= stored)),
            Assert(~ports.i.ready | (stored < depth)),
            *weighed(self, inside, stored, sent),
            Cover(writer.en & (ports.sent != ports.produced)),
            Cover(writer.en & (writer.addr == reader.addr)),
        ]


class ReplayedBytesAreThoseProduced(Property):
    """Every byte that came in is read as it was, each time its position is sent, until it is acknowledged,
    however often the ring goes round; a byte comes in only behind a cycle in which there was room and none
    came, and can then; an acknowledgement counts only from the bytes forgotten to the bytes sent, or with
    `rewind` to the bytes produced.

    Assumes: as `StoredReadsDoNotCollide`; `data` is looked at from the third cycle after `sent` changed or
    the byte came in. Bytes at one address are followed, any one of them."""

    component = "link/ring"
    faults = (
        Fault(module=ring, old="self.ack & fits", new="self.ack"),
        Fault(module=ring, old="self.sent.eq(self.ack_position)", new="self.sent.eq(acked)"),
        Fault(module=ring, old="free & ~writer.en", new="free"),
        Fault(
            module=ring,
            old="self.produced.eq(self.produced + 1)",
            new="self.produced.eq(self.produced + 1 + self.step)",
        ),
    )

    def build(self) -> None:
        m = self.m
        address = self.unknown(BITS, "address")
        with peeked(ring.ReplayRing):
            inside = self.opened("ring", ring.ReplayRing(DEPTH))
        ports, acked, peek = inside.ports, inside["acked"], inside["memory"].peek
        produced, sent = ports.produced, ports.sent
        m.d.comb += [
            peek.addr.eq(address),
            Assume(~ports.step | (sent != produced)),
            *announced(self, ports),
        ]
        push = ports.i.valid & ports.i.ready
        # the byte of the last position with this address
        position, kept, some = Signal(16), Signal(8, reset_less=True), Signal()
        with m.If(push & (produced[:BITS] == address)):
            m.d.sync += [position.eq(produced), kept.eq(ports.i.payload), some.eq(1)]
        span = (produced - acked)[:16]
        stored = some & ((position - acked)[:16] < span)
        turn = stored & (sent == position)
        wanted, limit = ports.ack_position, Mux(ports.rewind, produced, sent)
        fits = (self.later(wanted, 2) - acked)[:16] <= (self.later(limit, 2) - acked)[:16]
        counts = ports.ack & fits
        following = {
            "acked": (acked, Mux(counts, wanted, acked)),
            "sent": (sent, Mux(counts & ports.rewind, wanted, sent + ports.step)),
            "produced": (produced, produced + push),
        }
        for name, (now, value) in following.items():
            then = Signal(16, name=f"then_{name}")
            m.d.sync += then.eq(value)
            m.d.comb += Assert(now == then)
        m.d.comb += [
            Assert(~(turn & self.later(turn) & self.later(turn, 2)) | (ports.data == kept)),
            Assert(ports.i.ready == self.later((span < DEPTH) & ~push)),
            # what holds in between
            Assert(peek.data == kept),
            Assert(~some | (position[:BITS] == address)),
            Assert(~some | ((produced - position)[:16] <= DEPTH) | ~stored),
            Assert(~self.later(turn) | (inside["reader"].data == kept)),
            Assert(~self.later(turn, 2) | ~self.later(turn) | (ports.data == kept)),
            Assert((span <= DEPTH) & ((sent - acked)[:16] <= span)),
            *weighed(self, inside, span, (sent - acked)[:16]),
            Assert(self.later(ports.ack) | (inside["range_"] == (self.later(limit) - acked)[:16])),
            Assert(self.later(ports.ack) | self.later(ports.ack, 2) | (inside["fits"] == fits)),
            Cover(turn & self.later(turn, 3)),
        ]
