"""Receiving half of the link: bodies of frames in, checked commands and bytes in order out."""

from amaranth.hdl import Cat, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.crc import SerialCrc
from hw.link.framing import BODY_EVENT
from hw.link.protocol import CRC_BYTES, HEADER_BYTES, LENGTH_BYTES, NO_SESSION, Kind
from hw.link.ring import CommitRing, Position
from hw.parts.delay import registered


class FrameReceiver(wiring.Component):
    """Checks frames and acts on the good ones; keeps the bytes of DATA frames until they are taken.

    Before the first OPEN no frame is of the session. A DATA frame counts only as a whole: its bytes
    become visible when its check sum, length, session and position are right and all of them fitted.
    The verdict falls one cycle after the frame's end. Events must be at least ten cycles apart, and on a
    serial line they are.

    Args:
        depth: bytes of the store, a power of two.

    Members:
        i: events of the unstuffer, never stalled.
        o: accepted bytes in order.
        refuse: accept no more DATA.
        session: current session.
        opened: strobe: an OPEN frame began a new session; the store is empty and the counters are
            zero in the next cycle.
        ack, ack_position, rewind: strobe and values of a POLL or RESEND frame.
        ident, status: strobes: the host is owed an IDENT or a STATUS frame.
        expected: position of the next byte wanted from the host.
        limit: position up to which bytes from the host have space.
        bad_frames, dropped_frames: counters of `hw.link.protocol.Status`.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        super().__init__(
            {
                "i": In(stream.Signature(BODY_EVENT, always_ready=True)),
                "o": Out(stream.Signature(8)),
                "refuse": In(1),
                "session": Out(8, init=NO_SESSION),
                "opened": Out(1),
                "ack": Out(1),
                "ack_position": Out(Position),
                "rewind": Out(1),
                "ident": Out(1),
                "status": Out(1),
                "expected": Out(Position),
                "limit": Out(Position),
                "bad_frames": Out(8),
                "dropped_frames": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ring = CommitRing(self._depth)
        m.submodules.ring = ResetInserter(self.opened)(ring)
        m.submodules.crc = check = SerialCrc()
        m.d.comb += [
            self.o.valid.eq(ring.o.valid),
            self.o.payload.eq(ring.o.payload),
            ring.o.ready.eq(self.o.ready),
            self.expected.eq(ring.committed),
            self.limit.eq(ring.limit),
        ]

        # Kind, session and position; the length goes where it is counted down
        header = Signal(8 * (HEADER_BYTES - LENGTH_BYTES))
        kind, session, position = header[0:8], header[8:16], header[16:32]
        header_left = Signal(range(HEADER_BYTES + 1), init=HEADER_BYTES)
        tail_left = Signal(range(CRC_BYTES + 1), init=CRC_BYTES)
        left = Signal(16)
        long = Signal()
        overflow = Signal()

        # What the kind says is known before the next event
        kinds = (Kind.OPEN, Kind.DATA, Kind.POLL, Kind.RESEND)
        is_open, is_data, is_poll, is_resend = (
            registered(m, kind == of, f"is_{of.name.lower()}") for of in kinds
        )
        event = self.i.p
        body = Signal()
        m.d.comb += [
            body.eq(self.i.valid & ~event.end),
            check.start.eq(self.i.valid & event.end),
            check.data.eq(event.data),
            check.valid.eq(body),
            ring.data.eq(event.data),
        ]
        with m.If(body):
            with m.If(header_left != 0):
                m.d.sync += header_left.eq(header_left - 1)
                with m.If(header_left > LENGTH_BYTES):
                    m.d.sync += header.eq(Cat(header[8:], event.data))
                with m.Else():
                    m.d.sync += left.eq(Cat(left[8:], event.data))
            with m.Elif(left != 0):
                m.d.sync += left.eq(left - 1)
                m.d.comb += ring.write.eq(is_data & ~ring.full)
                with m.If(ring.full):
                    m.d.sync += overflow.eq(1)
            with m.Elif(tail_left != 0):
                m.d.sync += tail_left.eq(tail_left - 1)
            with m.Else():
                m.d.sync += long.eq(1)

        # The verdict takes two steps: what the frame is, then what follows from it
        ended, good, mine, other = Signal(), Signal(), Signal(), Signal()
        no_session, due, repeated, behind = Signal(), Signal(), Signal(), Signal(Position)
        m.d.sync += [
            ended.eq(self.i.valid & event.end),
            good.eq(~event.bad & (header_left == 0) & (left == 0) & (tail_left == 0) & ~long & check.match),
            mine.eq((session == self.session) & (session != NO_SESSION)),
            no_session.eq(session == NO_SESSION),
            other.eq(~((session == self.session) | (session == NO_SESSION))),
            due.eq((behind == 0) & ~overflow & ~self.refuse),
            repeated.eq(behind[-1]),
        ]
        with m.If(self.i.valid & event.end):
            m.d.sync += [
                header_left.eq(HEADER_BYTES),
                tail_left.eq(CRC_BYTES),
                long.eq(0),
                overflow.eq(0),
            ]

        def drop() -> None:
            m.d.sync += self.dropped_frames.eq(self.dropped_frames + 1)

        m.d.comb += [behind.eq(position - ring.committed), self.ack_position.eq(position)]
        m.d.comb += self.opened.eq(ended & good & is_open & other)
        with m.If(ended):
            m.d.comb += ring.revert.eq(~ring.commit)
            with m.If(~good | (is_open & no_session)):
                m.d.sync += self.bad_frames.eq(self.bad_frames + 1)
                m.d.comb += self.status.eq(1)
            with m.Elif(is_open):
                # The same session again is a repeated frame: answer, but do not disturb the session
                m.d.comb += self.ident.eq(1)
                with m.If(other):
                    m.d.sync += [self.session.eq(session), self.bad_frames.eq(0), self.dropped_frames.eq(0)]
            with m.Else():
                m.d.comb += self.status.eq(1)
                with m.If(~mine):
                    drop()
                with m.Elif(is_data):
                    m.d.comb += ring.commit.eq(due)
                    # A repeated frame has lost nothing: it is neither taken nor counted
                    with m.If(~due & ~repeated):
                        drop()
                with m.Elif(is_poll | is_resend):
                    m.d.comb += [self.ack.eq(1), self.rewind.eq(is_resend)]
        return m
