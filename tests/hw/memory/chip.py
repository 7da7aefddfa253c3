"""A reader and a writer of a memory at the model of its chip, with the registers that its pins have."""

from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

import sim.board
from golden.memory import WORD_BITS, MemoryConfig
from hw.memory import payloads
from hw.memory.controller import SdramController
from hw.memory.reader import CyclicReader

MODEL = Path(sim.board.__file__).with_name("models") / "sdram.v"
FAULT_BITS = 128


def with_model(verilog: str) -> str:
    return verilog + MODEL.read_text()


class Chip(wiring.Component):
    """The model, behind a register at every pin in each direction; the other side of the controller's pins.

    Members: those of `payloads.pins`, and `fault`, the first rule that was broken, as text.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        members = wiring.Signature(payloads.pins(config.chip)).flip().members
        super().__init__({**members, "fault": Out(FAULT_BITS)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pads = {}
        for name, member in payloads.pins(self._config.chip).items():
            if member.flow == Out:
                pads[name] = Signal(member.shape, init=member.init, reset_less=True, name=f"pad_{name}")
                m.d.sync += pads[name].eq(getattr(self, name))
        out = Signal(WORD_BITS)
        m.d.sync += self.dq_i.eq(out)
        data_pins = {"i_dq_i": pads.pop("dq_o"), "i_dq_driven": pads.pop("dq_oe")}
        m.submodules.chip = Instance(
            "sdram",
            p_PERIOD=round(1e12 / self._config.clock),
            i_clk=ClockSignal(),
            o_dq_o=out,
            o_fault=self.fault,
            **{f"i_{name}": pad for name, pad in pads.items()},
            **data_pins,
        )
        return m


class MemoryAtChip(wiring.Component):
    """A controller with a reader and a writer. Words are written while `writing`.

    Members:
        i_word: an address and what to write there.
        o_word: of the reader.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        self._bits = payloads.address_bits(config.chip)
        super().__init__(
            {
                "writing": In(1),
                "rewind": In(1),
                "region": In(payloads.region(config.chip)),
                "i_word": In(stream.Signature(data.StructLayout({"address": self._bits, "data": WORD_BITS}))),
                "o_word": Out(stream.Signature(WORD_BITS)),
                "fault": Out(FAULT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.controller = controller = SdramController(self._config)
        m.submodules.reader = reader = CyclicReader(self._config.chip)
        m.submodules.chip = chip = Chip(self._config)
        for name, member in payloads.pins(self._config.chip).items():
            inner, outer = getattr(controller, name), getattr(chip, name)
            m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)
        connect(m, controller.o, reader.word)
        connect(m, reader.o, flipped(self.o_word))
        request = controller.i.payload
        m.d.comb += [
            self.fault.eq(chip.fault),
            Value.cast(reader.region).eq(Value.cast(self.region)),
            reader.rewind.eq(self.rewind),
        ]
        with m.If(self.writing):
            m.d.comb += [
                controller.i.valid.eq(self.i_word.valid),
                self.i_word.ready.eq(controller.i.ready),
                Value.cast(request.address).eq(self.i_word.payload.address),
                request.data.eq(self.i_word.payload.data),
                request.write.eq(1),
            ]
        with m.Else():
            m.d.comb += [
                controller.i.valid.eq(reader.request.valid),
                reader.request.ready.eq(controller.i.ready),
                request.eq(reader.request.payload),
            ]
        return m
