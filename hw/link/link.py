"""A component behind a serial port."""

from amaranth.hdl import DomainRenamer, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.link.channels import ChannelMap
from hw.link.framing import Stuffer, Unstuffer
from hw.link.receiver import FrameReceiver
from hw.link.records import BeatWriter, RecordReader
from hw.link.ring import Position, check_depth
from hw.link.transmitter import FrameTransmitter
from hw.link.uart import UartReceiver, UartTransmitter
from hw.parts.delay import registered

CLEAR_CYCLES = 8


class Link(wiring.Component):
    """A component with stream ports, driven through a serial port by the protocol of `docs/link.md`.

    Bytes move at the line's rate in both directions at once. Input is bounded by the space the board
    grants, output by the component being stalled until the host acknowledges. Opening a session
    resets the component and both stores, so that nothing of an earlier job survives.

    Args:
        component: its stream ports become channels; other outputs are left open.
        ident: identification, sent to whoever opens the link.
        divisor: clock cycles per bit.
        receive_depth, transmit_depth: bytes stored per direction, powers of two. The first bounds
            what may be on its way to the board, the second what may await acknowledgement.

    Members:
        rx, tx: serial lines.
        restart: reset of the component and of the link's parts that start afresh with a session, from a
            register. They are in the clock domain `component`, which the parent defines: the clock of
            `sync`, this reset.
        open: a session has been opened.
        fault: the data of this session cannot be understood.

    Raises:
        InputError: a parameter is out of range, or the component has ports no link can drive.
    """

    def __init__(
        self,
        component: wiring.Component,
        *,
        ident: bytes,
        divisor: int,
        receive_depth: int = 2048,
        transmit_depth: int = 2048,
    ) -> None:
        check_depth("Link.receive_depth", receive_depth)
        check_depth("Link.transmit_depth", transmit_depth)
        self._component = component
        self._channels = ChannelMap.of(component.signature)
        self._divisor = divisor
        self._receive_depth = receive_depth
        self._receiver = FrameReceiver(receive_depth)
        self._transmitter = FrameTransmitter(transmit_depth, frame_bytes(transmit_depth), ident)
        super().__init__(
            {"rx": In(1), "tx": Out(1, init=1), "restart": Out(1, init=1), "open": Out(1), "fault": Out(1)}
        )

    @property
    def component(self) -> wiring.Component:
        """What is behind the link; the parent connects what is no stream of it."""
        return self._component

    def elaborate(self, platform: object) -> Module:
        # Everything behind the receiver starts afresh with a session, by one registered reset. That of the
        # board only sets the register: a choice of both would stand in front of all of them
        m = Module()
        m.submodules.uart_receiver = line_in = UartReceiver(self._divisor)
        m.submodules.uart_transmitter = line_out = UartTransmitter(self._divisor)
        m.submodules.unstuffer = unstuffer = Unstuffer()
        m.submodules.receiver = receiver = self._receiver
        stuffer, reader, writer = Stuffer(), RecordReader(self._channels), BeatWriter(self._channels)
        transmitter, component = self._transmitter, self._component
        afresh = DomainRenamer("component")
        m.submodules.stuffer = afresh(stuffer)
        m.submodules.reader = afresh(reader)
        m.submodules.writer = afresh(writer)
        m.submodules.transmitter = afresh(transmitter)
        m.submodules.component = afresh(component)

        m.d.comb += [line_in.rx.eq(self.rx), self.tx.eq(line_out.tx)]
        wiring.connect(m, line_in.o, unstuffer.i)
        wiring.connect(m, unstuffer.o, receiver.i)
        wiring.connect(m, receiver.o, reader.i)
        wiring.connect(m, writer.o, transmitter.i)
        wiring.connect(m, transmitter.o, stuffer.i)
        wiring.connect(m, stuffer.o, line_out.i)
        for number, channel in enumerate(self._channels.inputs):
            beat, port = getattr(reader, f"o{number}"), getattr(component, channel.name)
            m.d.comb += [
                port.valid.eq(beat.valid),
                Value.cast(port.payload).eq(beat.payload),
                beat.ready.eq(port.ready),
            ]
        for number, channel in enumerate(self._channels.outputs):
            beat, port = getattr(writer, f"i{number}"), getattr(component, channel.name)
            m.d.comb += [
                beat.valid.eq(port.valid),
                beat.payload.eq(port.payload),
                port.ready.eq(beat.ready),
            ]

        # `clear` stands from the session's first cycle on, `restart` from the second, and both fall together
        clear, restart = Signal(init=1), Signal(init=1, reset_less=True)
        clearing = Signal(range(CLEAR_CYCLES + 1), init=CLEAR_CYCLES)
        ident_due = Signal()
        granted = Signal(Position, init=self._receive_depth)
        freed = Signal(exact_log2(self._receive_depth) + 1)
        half = exact_log2(self._receive_depth // 2)
        m.d.sync += [clear.eq(clearing != 0), restart.eq(clearing != 0)]
        m.d.comb += self.restart.eq(restart)
        with m.If(receiver.opened):
            m.d.sync += [
                clearing.eq(CLEAR_CYCLES),
                clear.eq(1),
                granted.eq(self._receive_depth),
                self.open.eq(1),
            ]
        with m.Elif(clearing != 0):
            m.d.sync += clearing.eq(clearing - 1)
        with m.If(receiver.ident):
            m.d.sync += ident_due.eq(1)
        with m.Elif(~clear):
            m.d.sync += ident_due.eq(0)

        # What the host was last told it may send, against what it could be told now
        grant_due = Signal()
        m.d.comb += freed.eq(receiver.limit - granted)
        m.d.sync += grant_due.eq(self.open & (freed[half:] != 0) & ~transmitter.send_status)
        with m.If(transmitter.send_status):
            m.d.sync += granted.eq(receiver.limit)
        fault = registered(m, reader.fault, "fault")  # the reader may stand far away
        m.d.comb += [
            receiver.refuse.eq(fault | clear),
            transmitter.send_ident.eq(ident_due & ~clear),
            transmitter.send_status.eq(receiver.status | grant_due),
            transmitter.session.eq(receiver.session),
            transmitter.expected.eq(receiver.expected),
            transmitter.limit.eq(receiver.limit),
            transmitter.bad_frames.eq(receiver.bad_frames),
            transmitter.dropped_frames.eq(receiver.dropped_frames),
            transmitter.fault.eq(fault),
            transmitter.ack.eq(receiver.ack),
            transmitter.ack_position.eq(receiver.ack_position),
            transmitter.rewind.eq(receiver.rewind),
            self.fault.eq(fault),
        ]
        return m


def frame_bytes(depth: int) -> int:
    """Largest payload of a DATA or REPLY frame for a store of `depth` bytes, so that two fit in it."""
    return min(depth // 2, 512)
