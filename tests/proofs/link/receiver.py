"""Proof that the receiver acts on exactly the frames of docs/link.md."""

from functools import partial
from unittest.mock import patch

from amaranth.hdl import Assert, Assume, Cover, Module, Mux, Signal

from hw.link import receiver
from hw.link.crc import SerialCrc
from hw.link.protocol import CRC_BYTES, HEADER_BYTES, NO_SESSION, Kind
from tests.proofs.property import Fault, Property

DEPTH = 64


class AnyCheck(SerialCrc):
    """Stands for the check sum: it matches where `match` says so."""

    def __init__(self, match: Signal) -> None:
        self._match = match
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.match.eq(self._match)
        return m


class FramesAreActedOnByTheContract(Property):
    """A body is refused exactly if its length is not that of its header, its check sum does not match, or it
    is spoilt; one that is not refused is acted on as `docs/link.md` says: OPEN begins a session or is
    answered, DATA of this session is taken if its position is the one expected and all its bytes had room,
    POLL and RESEND acknowledge, whatever else is answered by STATUS; session, position and the counts of
    refused and dropped bodies follow. Bodies have any number of bytes, up to more than a length can say.

    Assumes: no event in the cycle after another; on a serial line they are farther apart. The check sum is
    given every byte of a body and told to begin anew with its end, and whether it matches is any value here:
    what it does is proven in `link/crc`, what becomes of the bytes in `link/ring`."""

    component = "link/receiver"
    reach = 30
    faults = (
        Fault(module=receiver, old="(tail_left == 0) & ~long", new="~long"),
        Fault(module=receiver, old="~overflow & ~self.refuse", new="~overflow"),
        Fault(module=receiver, old="& (session != NO_SESSION))", new=")"),
        Fault(module=receiver, old="long.eq(1)", new="long.eq(0)"),
    )

    def build(self) -> None:
        m = self.m
        match = self.free(1, "match")
        with patch.dict(receiver.FrameReceiver.elaborate.__globals__, SerialCrc=partial(AnyCheck, match)):
            inside = self.opened("receiver", receiver.FrameReceiver(DEPTH))
        ports, check = inside.ports, inside["check"]
        event, valid = ports.i.payload, ports.i.valid
        end, body = valid & event.end, valid & ~event.end
        m.d.comb += Assume(~valid | ~self.later(valid))

        # The body so far, in the words of the document
        count, header = Signal(17), Signal(8 * HEADER_BYTES)
        kind, session, position, length = header[:8], header[8:16], header[16:32], header[32:]
        lost = Signal()
        payload = (count >= HEADER_BYTES) & (count < HEADER_BYTES + length)
        place = (ports.expected + count - HEADER_BYTES)[:16]
        with m.If(body):
            m.d.sync += count.eq(Mux(count.all(), count, count + 1))
            for n in range(HEADER_BYTES):
                with m.If(count == n):
                    m.d.sync += header.word_select(n, 8).eq(event.data)
            with m.If(payload & (kind == Kind.DATA) & (place == ports.limit)):
                m.d.sync += lost.eq(1)
        with m.If(end):
            m.d.sync += [count.eq(0), lost.eq(0)]

        # What the document says of it, a cycle after its end
        ended, whole, fits = Signal(), Signal(), Signal()
        m.d.sync += [
            ended.eq(end),
            whole.eq((count == HEADER_BYTES + CRC_BYTES + length) & match & ~event.bad),
            fits.eq(~lost & ~ports.refuse),
        ]
        mine = (session == ports.session) & (session != NO_SESSION)
        due, repeated = position == ports.expected, (position - ports.expected)[15]
        opening = ended & whole & (kind == Kind.OPEN) & (session != NO_SESSION)
        refused = ended & (~whole | ((kind == Kind.OPEN) & (session == NO_SESSION)))
        fresh = opening & ~mine
        other = ended & ~refused & ~opening
        is_data = other & mine & (kind == Kind.DATA)
        taken = is_data & due & fits
        acked = other & mine & ((kind == Kind.POLL) | (kind == Kind.RESEND))
        dropped = (other & ~mine) | (is_data & ~taken & ~repeated)
        now = {name: getattr(ports, name) for name in ("expected", "session", "bad_frames", "dropped_frames")}
        then = {name: Signal.like(value) for name, value in now.items()}
        m.d.sync += [
            then["expected"].eq(Mux(fresh, 0, now["expected"] + Mux(taken, length, 0))),
            then["session"].eq(Mux(fresh, session, now["session"])),
            then["bad_frames"].eq(Mux(fresh, 0, now["bad_frames"] + refused)),
            then["dropped_frames"].eq(Mux(fresh, 0, now["dropped_frames"] + dropped)),
        ]
        m.d.comb += [
            *[Assert(now[name] == then[name]) for name in now],
            Assert(ports.ident == opening),
            Assert(ports.opened == fresh),
            Assert(ports.status == (ended & ~opening)),
            Assert(ports.ack == acked),
            Assert(~acked | ((ports.ack_position == position) & (ports.rewind == (kind == Kind.RESEND)))),
        ]
        # What holds in between
        header_left, left, tail_left = inside["header_left"], inside["left"], inside["tail_left"]
        writing, read = inside["ring.writing"], inside["ring.read"]
        written = (inside["ring.written"] + writing)[:16]  # a write counts a cycle later
        headed = count >= HEADER_BYTES
        inner = count - HEADER_BYTES  # bytes after the header
        outer = inner - length  # of them, after the payload
        in_tail = headed & (outer >= 0)
        of_data = headed & (kind == Kind.DATA)
        heard = ended & whole
        unknown = self.later(body) | ((count == 0) & ~ended)  # the kind has just come, or has not begun to
        m.d.comb += [
            Assert(~ended | ((count == 0) & (inside["good"] == whole))),
            Assert(inside["ended"] == ended),
            Assert(~heard | (inside["mine"] == mine)),
            Assert(~heard | (kind != Kind.DATA) | (inside["due"] == (due & fits))),
            Assert(~heard | (inside["repeated"] == repeated)),
            Assert(~(heard | (count >= 4)) | (inside["header"] == header[:32])),
            *[Assert((count != n) | (inside["header"][-8 * n :] == header[: 8 * n])) for n in range(1, 4)],
            *[
                Assert(unknown | (inside[f"is_{of.name.lower()}"] == (inside["kind"] == of)))
                for of in (Kind.OPEN, Kind.DATA, Kind.POLL, Kind.RESEND)
            ],
            Assert(~ended | (inside["no_session"] == (inside["session"] == NO_SESSION))),
            Assert((count != HEADER_BYTES - 1) | (left[8:] == header[32:40])),
            Assert(header_left == Mux(headed, 0, HEADER_BYTES - count)),
            Assert(~headed | (left == Mux(in_tail, 0, (-outer)[:16]))),
            Assert(tail_left == Mux(in_tail, Mux(outer > CRC_BYTES, 0, CRC_BYTES - outer), CRC_BYTES)),
            Assert(inside["long"] == (in_tail & (outer > CRC_BYTES))),
            Assert((check.start == end) & (check.valid == body) & (check.data == event.data)),
            Assert(Mux(of_data, inside["overflow"] == lost, ~lost)),
            Assert(headed | ~inside["overflow"]),
            Assert((written - read)[:16] <= DEPTH),
            Assert(~writing | (self.later(body) & (count > HEADER_BYTES))),
            Assert((ports.expected - read)[:16] <= (written - read)[:16]),
            Assert(
                ended
                | lost
                | (written == (ports.expected + Mux(of_data, Mux(in_tail, length, inner), 0))[:16])
            ),
            Assert(~(heard & (kind == Kind.DATA) & fits) | (written == (ports.expected + length)[:16])),
            Cover(heard),
            Cover(refused),
        ]
