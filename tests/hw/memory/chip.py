"""A reader and a writer of a memory at the model of its chip, with the registers that its pins have."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

import sim.board
from golden.memory import ULX3S_SDRAM, WORD_BITS, MemoryConfig
from hw.memory import payloads
from hw.memory.controller import SdramController
from hw.memory.reader import CyclicReader
from hw.memory.weights import DOMAIN, WeightMemory

MODEL = Path(sim.board.__file__).with_name("models") / "sdram.v"
FAULT_BITS = 128
# As a ULX3S carries it, but quick at the start
POWER_UP = 10_000  # ns
CHIP = replace(ULX3S_SDRAM, power_up=POWER_UP)


def with_model(verilog: str) -> str:
    return verilog + MODEL.read_text()


class Chip(wiring.Component):
    """The model, behind a register at every pin in each direction; the other side of the controller's pins.

    Members: those of `payloads.pins`, and `fault`, the first rule that was broken, as text.
    """

    def __init__(self, config: MemoryConfig, address_bits: int) -> None:
        self._config, self._address_bits = config, address_bits
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
            p_ADDRESS_BITS=self._address_bits,
            p_ROW_BITS=exact_log2(self._config.chip.rows),
            p_COLUMN_BITS=exact_log2(self._config.chip.columns),
            p_T_POWER_UP=POWER_UP * 1000,
            i_clk=ClockSignal(),
            i_power=~ResetSignal(),
            o_dq_o=out,
            o_fault=self.fault,
            **{f"i_{name}": pad for name, pad in pads.items()},
            **data_pins,
        )
        return m


class Commands(wiring.Component):
    """The model alone, at 100 MHz, powered up after 2 us; tRC is longer than that of a -7, which tRAS hides.
    Of eight rows of 16 columns.

    Members: `power`, the pins, and `fault`.
    """

    PERIOD = 10_000  # ps

    def __init__(self) -> None:
        self._pins = payloads.pins(ULX3S_SDRAM)
        members = wiring.Signature(self._pins).flip().members
        super().__init__({"power": In(1), **members, "fault": Out(FAULT_BITS)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs = {name: getattr(self, name) for name, member in self._pins.items() if member.flow == Out}
        inputs["dq_driven"], inputs["dq_i"] = inputs.pop("dq_oe"), inputs.pop("dq_o")
        m.submodules.chip = Instance(
            "sdram",
            p_PERIOD=self.PERIOD,
            p_ADDRESS_BITS=10,
            p_ROW_BITS=3,
            p_COLUMN_BITS=4,
            p_T_POWER_UP=2_000_000,
            p_T_RC=90_000,
            i_clk=ClockSignal(),
            i_power=self.power,
            o_dq_o=self.dq_i,
            o_fault=self.fault,
            **{f"i_{name}": value for name, value in inputs.items()},
        )
        return m


class MemoryAtChip(wiring.Component):
    """A controller with a reader and a writer. Words are written while `writing`, while the reader is quiet.

    Args:
        config: of the controller.
        address_bits: of a word that the chip tells apart.
        controller: makes one.

    Members:
        i_word: an address and what to write there.
        o_word: of the reader.
    """

    def __init__(
        self,
        config: MemoryConfig,
        address_bits: int,
        controller: Callable[[MemoryConfig], SdramController] = SdramController,
    ) -> None:
        self._config, self._address_bits, self._controller = config, address_bits, controller
        self._bits = payloads.address_bits(config.chip)
        super().__init__(
            {
                "writing": In(1),
                "rewind": In(1),
                "region": In(payloads.region(config.chip)),
                "i_word": In(stream.Signature(data.StructLayout({"address": self._bits, "data": WORD_BITS}))),
                "o_word": Out(stream.Signature(WORD_BITS)),
                "quiet": Out(1),
                "fault": Out(FAULT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.controller = controller = self._controller(self._config)
        m.submodules.reader = reader = CyclicReader(self._config.chip)
        m.submodules.chip = chip = Chip(self._config, self._address_bits)
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
            self.quiet.eq(reader.quiet),
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


class WeightsAtChip(wiring.Component):
    """A `WeightMemory` at the chip; `restart` begins a session.

    Members: those of the user of a `WeightMemory`, and `fault`.
    """

    def __init__(self, config: MemoryConfig, address_bits: int) -> None:
        self._chip = Chip(config, address_bits)
        self._memory = WeightMemory(config)
        words = stream.Signature(WORD_BITS)
        super().__init__(
            {
                "i_store": In(words),
                "running": In(1),
                "o_weights": Out(words),
                "o_status": Out(stream.Signature(payloads.status(config.chip))),
                "restart": In(1),
                "fault": Out(FAULT_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.chip = chip = self._chip
        memory = self._memory
        m.domains.session = ClockDomain()
        m.d.comb += [ClockSignal("session").eq(ClockSignal()), ResetSignal("session").eq(self.restart)]
        m.submodules.memory = DomainRenamer({"sync": "session", DOMAIN: "sync"})(memory)
        for name, member in memory.sdram.signature.members.items():
            inner, outer = getattr(memory.sdram, name), getattr(chip, name)
            m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)
        connect(m, flipped(self.i_store), memory.user.store)
        connect(m, memory.user.words, flipped(self.o_weights))
        connect(m, memory.user.status, flipped(self.o_status))
        m.d.comb += [memory.user.running.eq(self.running), self.fault.eq(chip.fault)]
        return m
