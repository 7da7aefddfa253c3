"""Where channels of the residual stream are: no two in one place, none beyond its memory."""

from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hw.network import payloads
from tests.hw.network.test_components import CODES, config


@pytest.mark.parametrize("drains", [1, 2])
@pytest.mark.parametrize(("lanes", "channels"), [(4, 0), (4, 1), (4, 2), (8, 3), (4, 5), (4, 13)])
def test_every_channel_has_its_place(lanes: int, channels: int, drains: int) -> None:
    sizes = replace(config(CODES[0], lanes, 1), drains=drains, channels=channels)
    row, channel = Signal(payloads.row_width(sizes)), Signal(sizes.feature_bits)
    place, bank = Signal(16), Signal(4)
    m = Module()
    m.d.comb += [
        port.eq(value)
        for port, value in zip((place, bank), payloads.stream_address(sizes, row, channel), strict=True)
    ]
    found = []

    async def bench(ctx: Any) -> None:
        for row_number in range(sizes.tokens):
            for number in range(sizes.widest):
                ctx.set(row, row_number)
                ctx.set(channel, number)
                found.append((ctx.get(bank), ctx.get(place)))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    assert len({*found}) == sizes.tokens * sizes.widest
    assert {number for number, _ in found} <= {*range(drains)}
    assert max(number for _, number in found) < payloads.stream_depth(sizes)
