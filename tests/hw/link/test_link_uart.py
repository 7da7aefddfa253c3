"""UART halves against each other and against a hand-made line."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from golden.errors import InputError
from hw.link.uart import UartReceiver, UartTransmitter, check_divisor
from tests.hw.link.stream_bench import run


class Loop(wiring.Component):
    """A transmitter whose line goes into a receiver."""

    def __init__(self, divisor: int) -> None:
        self.transmitter, self.receiver = UartTransmitter(divisor), UartReceiver(divisor)
        super().__init__(
            {
                "i": wiring.In(self.transmitter.signature.members["i"].signature.flip()),
                "o": wiring.Out(self.receiver.signature.members["o"].signature),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.transmitter, m.submodules.receiver = self.transmitter, self.receiver
        wiring.connect(m, wiring.flipped(self.i), self.transmitter.i)
        wiring.connect(m, self.receiver.o, wiring.flipped(self.o))
        m.d.comb += self.receiver.rx.eq(self.transmitter.tx)
        return m


@pytest.mark.parametrize("divisor", [4, 5, 8, 27])
@pytest.mark.parametrize("pause", [0.0, 0.9])
def test_loop(divisor: int, pause: float) -> None:
    data = [*random.Random(divisor).randbytes(20), 0, 255]
    assert run(Loop(divisor), {"i": data}, ["o"], pauses=(pause, 0.0))["o"] == data


def receive(divisor: float, levels: list[int]) -> list[tuple[int, int]]:
    """(data, error) that a receiver of 16 cycles per bit makes of a line with other timing."""
    found = []
    receiver = UartReceiver(16)

    async def bench(ctx: Any) -> None:
        ctx.set(receiver.rx, 1)
        await ctx.tick().repeat(40)
        for cycle in range(round(len(levels) * divisor) + 40):
            place = int(cycle / divisor)
            ctx.set(receiver.rx, levels[place] if place < len(levels) else 1)
            _, _, valid, payload = await ctx.tick().sample(receiver.o.valid, receiver.o.payload)
            if valid:
                found.append((payload.data, payload.error))

    simulator = Simulator(receiver)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def levels_of(byte: int) -> list[int]:
    return [0, *(byte >> n & 1 for n in range(8)), 1]


@pytest.mark.parametrize("divisor", [15.5, 16.0, 16.5])
def test_receiver_accepts_three_percent(divisor: float) -> None:
    assert receive(divisor, levels_of(0xA5) + levels_of(0x3C)) == [(0xA5, 0), (0x3C, 0)]


def test_missing_stop_bit_and_break() -> None:
    assert receive(16.0, [0] * 30 + [1] * 3 + levels_of(0x55)) == [(0, 1), (0x55, 0)]


def test_short_disturbance_is_no_start_bit() -> None:
    assert receive(4.0, [0] + [1] * 40) == []


def test_divisor_is_checked() -> None:
    with pytest.raises(InputError, match="at least 4 cycles per bit, not 3"):
        check_divisor(3)
