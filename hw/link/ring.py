"""Two rings of bytes: one whose writes can be taken back, one whose reads can be replayed.

Both count bytes with 16-bit positions, the same that travel in frames; the low bits are addresses.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from golden.errors import InputError
from hw.link.protocol import POSITION_MODULUS
from hw.parts.delay import registered
from hw.parts.memory import NO_COLLISION

Position = exact_log2(POSITION_MODULUS)


def check_depth(name: str, depth: int) -> None:
    """Raise InputError unless a ring can have `depth` bytes."""
    if depth not in [1 << n for n in range(6, Position)]:
        raise InputError(f"{name} must be a power of two in 64..{POSITION_MODULUS // 2}, not {depth}")


class CommitRing(wiring.Component):
    """Bytes that stay hidden until they are committed; the receiver's store.

    A byte is offered five cycles after its commit; one byte in four cycles.

    Args:
        depth: bytes, a power of two.

    Members:
        data, write: a byte to append; the writer looks at `full` first. Nothing is written, committed or
            reverted in the next cycle.
        full: no byte can be appended.
        commit: everything written becomes readable.
        revert: everything written since the last commit is forgotten.
        committed: position after the last committed byte.
        limit: position up to which there is space.
        o: committed bytes in order.
    """

    def __init__(self, depth: int) -> None:
        check_depth("CommitRing.depth", depth)
        self._depth = depth
        super().__init__(
            {
                "data": In(8),
                "write": In(1),
                "full": Out(1),
                "commit": In(1),
                "revert": In(1),
                "committed": Out(Position),
                "limit": Out(Position),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=self._depth, init=[], attrs=NO_COLLISION)
        writer, reader = memory.write_port(), memory.read_port()
        bits = exact_log2(self._depth)
        written = Signal(Position)
        read = Signal(Position)
        writing, some, wanted = Signal(), Signal(), Signal()
        fetch, fetched, moves = Signal(), Signal(), Signal()  # `moves`: one of the others is true
        data = registered(m, self.data, "data")
        m.d.comb += [
            self.limit.eq(Cat(read[:bits], (read >> bits) + 1)),
            self.full.eq((written ^ read)[: bits + 1] == self._depth),
            writer.addr.eq(written),
            writer.data.eq(data),
            writer.en.eq(writing),
            reader.addr.eq(read),
            reader.en.eq(moves),
            wanted.eq(some & ~(fetch | fetched | self.o.valid)),
        ]
        # The memory's blocks stand far apart: what they are told comes from registers. Whether a byte waits
        # was true a cycle ago, and still is where none is fetched
        m.d.sync += [
            writing.eq(self.write),
            some.eq(read != self.committed),
            fetch.eq(wanted),
            fetched.eq(fetch),
            moves.eq(wanted | fetch),
        ]
        with m.If(writing):
            m.d.sync += written.eq(written + 1)
        with m.If(self.commit):
            m.d.sync += self.committed.eq(written)
        with m.If(self.revert):
            m.d.sync += written.eq(self.committed)
        # The memory answers late in the cycle: a register stands between it and what uses the byte, and moves
        # with it, so that it can be the memory's own. What is read behind a byte, written or not, goes no
        # further
        payload = Signal.like(self.o.payload, reset_less=True)
        m.d.comb += self.o.payload.eq(payload)
        with m.If(moves):
            m.d.sync += payload.eq(reader.data)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(fetched):
            m.d.sync += self.o.valid.eq(1)
        with m.If(fetch):
            m.d.sync += read.eq(read + 1)
        return m


class ReplayRing(wiring.Component):
    """Bytes that are kept until they are acknowledged and can be read again; the transmitter's store.

    Args:
        depth: bytes, a power of two.

    Members:
        i: bytes to append, one in two cycles; stalls while the ring is full.
        produced: position after the last byte appended.
        sent: position of the byte at `data`.
        data: the byte at `sent`, valid from the third cycle after `sent` changed or the byte came in.
        step: move `sent` to the next byte.
        ack: everything before `ack_position` may be forgotten; ignored where that is not between the bytes
            forgotten and the bytes sent two cycles before.
        ack_position, rewind: with `ack`, and the same in the two cycles before it; none of those follows
            an `ack`. With `rewind` read on from there; ignored where that is not between the bytes
            forgotten and the bytes produced two cycles before.
    """

    def __init__(self, depth: int) -> None:
        check_depth("ReplayRing.depth", depth)
        self._depth = depth
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "produced": Out(Position),
                "sent": Out(Position),
                "data": Out(8),
                "step": In(1),
                "ack": In(1),
                "ack_position": In(Position),
                "rewind": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=self._depth, init=[], attrs=NO_COLLISION)
        writer, reader = memory.write_port(), memory.read_port()
        acked, advance, range_ = Signal(Position), Signal(Position), Signal(Position)
        fits = Signal(init=1)  # none of no bytes
        # whether there was room a cycle ago, and still is: behind a byte comes a cycle without
        free = (self.produced ^ acked)[: exact_log2(self._depth) + 1] != self._depth
        m.d.sync += self.i.ready.eq(free & ~writer.en)
        m.d.comb += [
            writer.addr.eq(self.produced),
            writer.data.eq(self.i.payload),
            writer.en.eq(self.i.valid & self.i.ready),
            reader.addr.eq(self.sent),
            self.data.eq(registered(m, reader.data, "data")),
        ]
        # The memory answers late in the cycle; distances are taken in one cycle and compared in the next
        m.d.sync += [
            fits.eq(~(range_ < advance)),
            advance.eq(self.ack_position - acked),
            range_.eq(Mux(self.rewind, self.produced, self.sent) - acked),
        ]
        with m.If(writer.en):
            m.d.sync += self.produced.eq(self.produced + 1)
        with m.If(self.step):
            m.d.sync += self.sent.eq(self.sent + 1)
        with m.If(self.ack & fits):
            m.d.sync += acked.eq(self.ack_position)
            with m.If(self.rewind):
                m.d.sync += self.sent.eq(self.ack_position)
        return m
