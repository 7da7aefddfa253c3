"""Where channels of the residual stream are: no two in one place, none beyond its memory."""

from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hw.network import payloads
from tests.hw.network.test_components import CODES, config


@pytest.mark.parametrize("drains", [1, 2])
@pytest.mark.parametrize(
    ("lanes", "channels", "features"),
    [
        (4, 0, 16), (4, 1, 16), (4, 2, 16), (8, 3, 16), (4, 5, 16), (4, 13, 16),
        # few features for many lanes
        (64, 0, 16), (64, 0, 32), (64, 0, 33), (64, 0, 64), (64, 0, 65), (256, 0, 128), (256, 0, 129),
    ],
)  # fmt: skip
def test_every_channel_has_its_place(lanes: int, channels: int, features: int, drains: int) -> None:
    sizes = replace(config(CODES[0], lanes, 1), drains=drains, channels=channels, features=features)
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
