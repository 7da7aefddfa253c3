"""Asynchronous serial port: 8 data bits, no parity, 1 stop bit, least significant bit first."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from golden.errors import InputError

MIN_DIVISOR = 4


# A byte from the line; `error` is set where the stop bit was missing
RECEIVED_BYTE = data.StructLayout({"data": 8, "error": 1})


def check_divisor(divisor: int) -> None:
    """Raise InputError unless `divisor` clock cycles can make one bit."""
    if divisor < MIN_DIVISOR:
        raise InputError(f"UART divisor must be at least {MIN_DIVISOR} cycles per bit, not {divisor}")


class UartReceiver(wiring.Component):
    """Line to bytes.

    Each bit is sampled once, in its middle; the line is synchronised by two registers. A byte leaves
    in the cycle after the middle of its stop bit and cannot be stalled.

    Args:
        divisor: clock cycles per bit, at least 4.

    Members:
        rx: the line, idle high.
        o: received bytes.
    """

    def __init__(self, divisor: int) -> None:
        check_divisor(divisor)
        self._divisor = divisor
        super().__init__({"rx": In(1), "o": Out(stream.Signature(RECEIVED_BYTE, always_ready=True))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronise = FFSynchronizer(self.rx, line, init=1)

        timer = Signal(range(self._divisor))
        bits = Signal(8)
        left = Signal(range(9))
        m.d.sync += self.o.valid.eq(0)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.FSM():
            with m.State("idle"), m.If(~line):
                m.d.sync += timer.eq(self._divisor // 2 - 1)
                m.next = "start"
            with m.State("start"), m.If(timer == 0):
                m.d.sync += [timer.eq(self._divisor - 1), left.eq(8)]
                # A line that is high again was a disturbance, not a start bit
                with m.If(line):
                    m.next = "idle"
                with m.Else():
                    m.next = "data"
            with m.State("data"), m.If(timer == 0):
                m.d.sync += timer.eq(self._divisor - 1)
                with m.If(left == 0):
                    m.d.sync += [self.o.valid.eq(1), self.o.p.data.eq(bits), self.o.p.error.eq(~line)]
                    m.next = "stop"
                with m.Else():
                    m.d.sync += [bits.eq(Cat(bits[1:], line)), left.eq(left - 1)]
            # After a missing stop bit (a break) wait for the line to rise before the next start bit
            with m.State("stop"), m.If(line):
                m.next = "idle"
        return m


class UartTransmitter(wiring.Component):
    """Bytes to line.

    Ten bits per byte, without a gap while bytes are offered in time; a byte is taken in the cycle
    before its start bit begins.

    Args:
        divisor: clock cycles per bit, at least 4.

    Members:
        i: bytes to send.
        tx: the line, idle high.
    """

    def __init__(self, divisor: int) -> None:
        check_divisor(divisor)
        self._divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self._divisor))
        # Shifted in ones are the idle line
        bits = Signal(10, init=0x3FF)
        left = Signal(range(10))
        m.d.comb += [self.tx.eq(bits[0]), self.i.ready.eq((left == 0) & (timer == 0))]
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(left != 0):
            m.d.sync += [
                bits.eq(Cat(bits[1:], 1)),
                left.eq(left - 1),
                timer.eq(self._divisor - 1),
            ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [bits.eq(Cat(0, self.i.payload, 1)), left.eq(9), timer.eq(self._divisor - 1)]
        return m
