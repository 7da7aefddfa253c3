"""Transmitting half of the link: replies of the board, whole frames, made on demand."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from golden.errors import InputError
from hw.link.crc import SerialCrc
from hw.link.framing import LINE_BYTE
from hw.link.protocol import CRC_BYTES, FLAG, HEADER_BYTES, Kind, Status
from hw.link.ring import Position, ReplayRing
from hw.parts.delay import registered
from hw.parts.memory import BLOCK

MAX_IDENT_BYTES = 2048


def choose(value: Value, turn: Value) -> Value:
    """The byte of a value whose bit of `turn` is set. A choice by number costs twice the LUTs."""
    return reduce(or_, (value.word_select(n, 8) & bit.replicate(8) for n, bit in enumerate(turn)))


class FrameTransmitter(wiring.Component):
    """Sends IDENT when asked, STATUS when something happened, REPLY whenever there are bytes to send.

    In this order of priority, one frame at a time. A REPLY carries what has come together while the
    frames before it went out, at most `frame_bytes`. Acknowledgements are put into effect between
    frames, so that a frame always carries consecutive bytes.

    Args:
        depth: bytes kept for replay, a power of two.
        frame_bytes: largest payload of a REPLY frame, a power of two.
        ident: payload of the IDENT frame.

    Members:
        i: bytes to send.
        o: bytes and flags for the stuffer.
        session, expected, limit, bad_frames, dropped_frames, fault: contents of the frames.
        send_ident, send_status: strobes.
        ack, ack_position, rewind: strobe and values for the replay ring.
    """

    def __init__(self, depth: int, frame_bytes: int, ident: bytes) -> None:
        if not 1 <= len(ident) <= MAX_IDENT_BYTES:
            raise InputError(f"identification must have 1..{MAX_IDENT_BYTES} bytes, not {len(ident)}")
        self._depth = depth
        self._frame_bytes = frame_bytes
        self._ident = ident
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(LINE_BYTE)),
                "session": In(8),
                "expected": In(Position),
                "limit": In(Position),
                "bad_frames": In(8),
                "dropped_frames": In(8),
                "fault": In(1),
                "send_ident": In(1),
                "send_status": In(1),
                "ack": In(1),
                "ack_position": In(Position),
                "rewind": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ring = ring = ReplayRing(self._depth)
        # read by what is left of it: the last byte at 1
        table = [0, *reversed(self._ident)]
        m.submodules.ident = ident = Memory(shape=8, depth=len(table), init=table, attrs=BLOCK)
        m.submodules.crc = check = SerialCrc()
        rom = ident.read_port()
        wiring.connect(m, wiring.flipped(self.i), ring.i)

        ident_due, status_due, ack_due = Signal(), Signal(), Signal()
        steady = Signal()  # the ring has had the position for a cycle, and still has it
        m.d.sync += [
            ident_due.eq(ident_due | self.send_ident),
            status_due.eq(status_due | self.send_status),
            ack_due.eq(ack_due | self.ack),
            steady.eq(ack_due & ~self.ack),
        ]
        rewind = Signal()
        with m.If(self.ack):
            m.d.sync += [ring.ack_position.eq(self.ack_position), rewind.eq(self.rewind | ack_due & rewind)]
        m.d.comb += ring.rewind.eq(rewind)

        # Numbers of two bytes are captured as the frame begins: their bytes belong to one moment
        kind = Signal(8)
        position, limit, produced = Signal(Position), Signal(Position), Signal(Position)
        left = Signal(range(max(len(self._ident), Status.SIZE, self._frame_bytes) + 1))
        header = Cat(kind, self.session, position, left, Const(0, 16 - len(left)))
        status = Cat(limit, produced, self.bad_frames, self.dropped_frames, self.fault, Const(0, 7))
        # What is sent beside contents of memories, and whose turn it is
        numbers = Cat(header, status, check.crc)
        turn = Signal(len(numbers) // 8)
        first_of_check = len(turn) - CRC_BYTES
        unsent = Signal(Position)
        byte, quiet = Signal(8), Signal()
        m.d.sync += unsent.eq(ring.produced - ring.sent)

        def begin(new_kind: Kind, length: ValueLike) -> None:
            m.d.sync += [kind.eq(new_kind), position.eq(self.expected), left.eq(length)]
            m.d.sync += [limit.eq(self.limit), produced.eq(ring.produced), turn.eq(1)]
            m.next = "flag"

        def send(byte: Value, *, flag: int = 0) -> None:
            m.d.comb += [self.o.valid.eq(1), self.o.p.data.eq(byte), self.o.p.flag.eq(flag)]

        identification = registered(m, rom.data, "identification")
        number = registered(m, choose(numbers, turn), "number")
        sent = self.o.valid & self.o.ready
        # The check sum was at rest a cycle ago and the turn is at least as old: so `number` is of both
        m.d.sync += quiet.eq(~(check.busy | sent))
        m.d.comb += [check.data.eq(self.o.p.data), rom.addr.eq(left)]
        with m.FSM():
            with m.State("idle"):
                m.d.comb += check.start.eq(1)
                with m.If(ack_due):
                    m.d.sync += ack_due.eq(self.ack | ~steady)
                    with m.If(steady & ~self.ack):
                        m.next = "acknowledge"
                with m.Elif(ident_due):
                    m.d.sync += ident_due.eq(self.send_ident)
                    begin(Kind.IDENT, len(self._ident))
                with m.Elif(status_due):
                    m.d.sync += status_due.eq(self.send_status)
                    begin(Kind.STATUS, Status.SIZE)
                with m.Elif(unsent != 0):
                    full = unsent[exact_log2(self._frame_bytes) :] != 0
                    begin(Kind.REPLY, Mux(full, self._frame_bytes, unsent))
                    m.d.sync += position.eq(ring.sent)
            with m.State("acknowledge"):
                m.d.comb += ring.ack.eq(1)
                m.next = "settle"
            # One cycle for `unsent` to follow
            with m.State("settle"):
                m.next = "idle"
            with m.State("flag"):
                send(Const(FLAG, 8), flag=1)
                with m.If(sent):
                    m.next = "header"
            # A byte is chosen in one cycle and handed over in the next: memories answer late
            with m.State("header"):
                m.d.sync += byte.eq(number)
                with m.If(quiet):
                    m.next = "give header"
            with m.State("give header"):
                send(byte)
                m.d.comb += check.valid.eq(sent)
                with m.If(sent):
                    m.d.sync += turn.eq(turn << 1)
                    m.next = "header"
                    with m.If(turn[HEADER_BYTES - 1]):
                        m.next = "fetch"
            # Two cycles for the memories to answer to `left` and to `ring.sent`
            with m.State("fetch"):
                m.next = "answer"
                with m.If(left == 0):
                    m.d.sync += turn.eq(1 << first_of_check)
                    m.next = "check"
            with m.State("answer"):
                m.next = "payload"
            with m.State("payload"):
                with m.Switch(kind):
                    with m.Case(Kind.IDENT):
                        m.d.sync += byte.eq(identification)
                    with m.Case(Kind.STATUS):
                        m.d.sync += byte.eq(number)
                    with m.Default():
                        m.d.sync += byte.eq(ring.data)
                with m.If(quiet):
                    m.next = "give payload"
            with m.State("give payload"):
                send(byte)
                m.d.comb += check.valid.eq(sent)
                with m.If(sent):
                    m.d.comb += ring.step.eq(kind == Kind.REPLY)
                    m.d.sync += [left.eq(left - 1), turn.eq(turn << 1)]
                    m.next = "fetch"
            with m.State("check"):
                m.d.sync += byte.eq(number)
                with m.If(quiet):
                    m.next = "give check"
            with m.State("give check"):
                send(byte)
                with m.If(sent):
                    m.d.sync += turn.eq(turn << 1)
                    m.next = "check"
                    with m.If(turn[-1]):
                        m.next = "end"
            with m.State("end"):
                send(Const(FLAG, 8), flag=1)
                with m.If(sent):
                    m.next = "idle"
        return m
