"""Records of bytes to beats of streams, and beats to bytes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.channels import MAX_RECORD_BEATS, ChannelMap
from hw.parts.compare import above


class RecordReader(wiring.Component):
    """Bytes to beats of the numbered streams.

    A byte is taken in two cycles; a beat is offered three cycles after its last byte was taken, and the next
    beat's bytes count from the second cycle after it was accepted on.
    A record for a channel that does not exist stops the reader until it is reset: what follows
    could no longer be told apart.

    Args:
        channels: the component's streams.

    Members:
        i: bytes.
        o0, o1, ...: beats as plain bits, in the order of `channels.inputs`.
        fault: a record was not understood.
    """

    def __init__(self, channels: ChannelMap) -> None:
        self._channels = channels
        members: dict[str, wiring.Member] = {"i": In(stream.Signature(8)), "fault": Out(1)}
        for number, channel in enumerate(channels.inputs):
            members[f"o{number}"] = Out(stream.Signature(channel.width))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        # What a component sees comes from flip-flops: its `ready` may depend on it through a long path, which
        # ends where it says that the beat is no longer offered
        m = Module()
        sizes = [self._channels.input_bytes(n) for n in range(len(self._channels.inputs))]
        channel, offered = Signal(len(sizes)), Signal(len(sizes))  # one bit per stream
        beats = Signal(range(MAX_RECORD_BEATS))
        left = Signal(range(max(sizes) + 1))
        # Bytes enter at the top; a shorter beat ends up in the top bytes
        bits = Signal(8 * max(sizes))
        # Bytes come from afar: the register decides, not what brings them
        byte, some, offer = Signal(8, reset_less=True), Signal(), Signal()
        m.d.comb += self.i.ready.eq(~some)
        with m.If(~some):
            m.d.sync += [byte.eq(self.i.payload), some.eq(self.i.valid)]

        def start_beat() -> None:
            for n, size in enumerate(sizes):
                with m.If(channel[n]):
                    m.d.sync += left.eq(size - 1)

        ready = []
        for n, size in enumerate(sizes):
            o = getattr(self, f"o{n}")
            m.d.comb += [o.payload.eq(bits[8 * (max(sizes) - size) :]), o.valid.eq(offered[n])]
            ready.append(o.ready)
        m.d.sync += offered.eq(Mux(offer, channel, offered & ~Cat(ready)))
        with m.FSM():
            with m.State("channel"), m.If(some):
                m.d.sync += [channel.eq(Cat(byte == n for n in range(len(sizes)))), some.eq(0)]
                m.next = "count"
                with m.If(above(byte, len(sizes) - 1)):
                    m.d.sync += self.fault.eq(1)
                    m.next = "fault"
            with m.State("count"), m.If(some):
                m.d.sync += [beats.eq(byte), some.eq(0)]
                start_beat()
                m.next = "byte"
            with m.State("byte"), m.If(some):
                m.d.sync += [bits.eq(Cat(bits[8:], byte)), left.eq(left - 1), some.eq(0)]
                with m.If(left == 0):
                    m.next = "offer"
            with m.State("offer"):
                m.d.comb += offer.eq(1)
                m.next = "beat"
            with m.State("beat"), m.If(offered == 0):
                m.d.sync += beats.eq(beats - 1)
                start_beat()
                m.next = "byte"
                with m.If(beats == 0):
                    m.next = "channel"
            with m.State("fault"):
                pass
        return m


class BeatWriter(wiring.Component):
    """Beats of the numbered streams to bytes.

    Streams take turns; a beat is taken in one cycle and its bytes follow, one per cycle.

    Args:
        channels: the component's streams.

    Members:
        i0, i1, ...: beats as plain bits, in the order of `channels.outputs`.
        o: bytes.
    """

    def __init__(self, channels: ChannelMap) -> None:
        self._channels = channels
        members: dict[str, wiring.Member] = {"o": Out(stream.Signature(8))}
        for number, channel in enumerate(channels.outputs):
            members[f"i{number}"] = In(stream.Signature(channel.width))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = len(self._channels.outputs)
        sizes = [self._channels.output_bytes(n) for n in range(count)]
        tag_bits = self._channels.tag_bits
        bits = Signal(8 * max(sizes))
        left = Signal(range(max(sizes)))  # bytes behind the one that is offered
        turn = Signal(range(count))
        m.d.comb += self.o.payload.eq(bits[:8])
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [bits.eq(bits >> 8), left.eq(left - 1), self.o.valid.eq(left != 0)]
        with m.If(~self.o.valid):
            # While its stream has nothing the turn moves on
            m.d.sync += turn.eq(0 if count == 1 else turn + 1)
            with m.If(turn == count - 1):
                m.d.sync += turn.eq(0)
            with m.Switch(turn):
                for number in range(count):
                    i = getattr(self, f"i{number}")
                    with m.Case(number):
                        m.d.comb += i.ready.eq(1)
                        with m.If(i.valid):
                            m.d.sync += [
                                self.o.valid.eq(1),
                                bits.eq(Cat(Const(number, tag_bits), i.payload)),
                                left.eq(sizes[number] - 1),
                            ]
        return m
