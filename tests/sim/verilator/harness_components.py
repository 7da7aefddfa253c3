"""Small components with which the tests of export, harness and benches work."""

from amaranth.hdl import Assert, Module, Signal, signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out


class Kind(enum.Enum, shape=2):
    """An enumeration travels as its number."""

    QUERY = 0
    KEY = 1


WIDE = data.StructLayout(
    {
        "kind": Kind,
        "offset": signed(5),
        "spikes": data.ArrayLayout(data.StructLayout({"sign": 1, "phase": 4}), 7),
        "nothing": 0,
        "time": 64,
        "matrix": data.ArrayLayout(data.ArrayLayout(signed(33), 2), 2),
    }
)


class Fault(enum.Enum, shape=3):
    """What `Toy` does wrong."""

    NONE = 0
    DROP = 1
    REPEAT = 2
    CHANGE = 3
    WITHDRAW = 4
    ASSERT = 5


class Toy(wiring.Component):
    """A register stage, an accumulator and a broadcast, on request with a fault in the first.

    Members:
        i, o: a stage of one register; latency 1 cycle, one beat per cycle.
        i_term, o_sum: running sums of the terms; latency 1 cycle, one beat per cycle.
        i_pulse, o_pulse: cannot be stalled; the double of the payload one cycle later.
        fault: fault of the stage.
        count: beats that left the stage.
    """

    LATENCY = 1

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(WIDE)),
                "o": Out(stream.Signature(WIDE)),
                "i_term": In(stream.Signature(signed(8))),
                "o_sum": Out(stream.Signature(signed(40))),
                "i_pulse": In(stream.Signature(16, always_ready=True)),
                "o_pulse": Out(stream.Signature(17, always_ready=True)),
                "fault": In(Fault),
                "count": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._stage(m)
        free = Signal()
        m.d.comb += [free.eq(~self.o_sum.valid | self.o_sum.ready), self.i_term.ready.eq(free)]
        total = Signal(signed(40))
        with m.If(free):
            m.d.sync += self.o_sum.valid.eq(self.i_term.valid)
            with m.If(self.i_term.valid):
                m.d.sync += total.eq(total + self.i_term.payload)
        m.d.comb += self.o_sum.payload.eq(total)
        m.d.sync += [
            self.o_pulse.valid.eq(self.i_pulse.valid),
            self.o_pulse.payload.eq(self.i_pulse.payload << 1),
        ]
        return m

    def _stage(self, m: Module) -> None:
        free, beats = Signal(), Signal(4)
        m.d.comb += [free.eq(~self.o.valid | self.o.ready), self.i.ready.eq(free)]
        fifth = beats == 5
        with m.If(free):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
            with m.If(self.i.valid):
                m.d.sync += beats.eq(beats + 1)
                with m.If(fifth & (self.fault == Fault.DROP)):
                    m.d.sync += self.o.valid.eq(0)
            with m.If(self.o.valid & fifth & (self.fault == Fault.REPEAT)):
                m.d.sync += [self.o.valid.eq(1), beats.eq(0)]
                m.d.comb += self.i.ready.eq(0)
        with m.Elif(fifth & (self.fault == Fault.CHANGE)):
            m.d.sync += self.o.payload.offset.eq(~self.o.payload.offset)
        with m.Elif(fifth & (self.fault == Fault.WITHDRAW)):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.count.eq(self.count + 1)
        m.d.sync += Assert(~fifth | (self.fault != Fault.ASSERT), "a fifth beat came")


class Doubler(wiring.Component):
    """Combinational: no clock, no reset. o is twice i, when both sides agree."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(9))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.payload.eq(self.i.payload << 1),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


class Free(wiring.Component):
    """Streams without valid or without payload, and an array of streams.

    Members:
        i: a sample in every cycle.
        o: the sample of the last cycle, twice, always valid.
        o_beat: a beat without payload whenever the sample of the last cycle was odd.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(8, always_valid=True, always_ready=True)),
                "o": Out(stream.Signature(8, always_valid=True, always_ready=True)).array(2),
                "o_beat": Out(stream.Signature(0, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for o in self.o:
            m.d.sync += o.payload.eq(self.i.payload)
        m.d.comb += self.o_beat.valid.eq(self.o[0].payload[0])
        return m
