"""The serial CRC against zlib."""

import random
import zlib
from typing import Any

import pytest
from amaranth.sim import Simulator

from hw.link.crc import SerialCrc


@pytest.mark.parametrize("length", [0, 1, 9, 64])
def test_crc(length: int) -> None:
    data = random.Random(length).randbytes(length)
    want = zlib.crc32(data)
    crc = SerialCrc()

    async def bench(ctx: Any) -> None:
        async def feed(byte: int) -> None:
            ctx.set(crc.data, byte)
            ctx.set(crc.valid, 1)
            await ctx.tick()
            ctx.set(crc.valid, 0)
            while ctx.get(crc.busy):
                await ctx.tick()

        for spoilt in (0, 1):
            for byte in data:
                await feed(byte)
            assert ctx.get(crc.crc) == want
            for byte in (want ^ spoilt).to_bytes(4, "little"):
                assert not ctx.get(crc.match)
                await feed(byte)
            assert ctx.get(crc.match) == (not spoilt)
            ctx.set(crc.start, 1)
            await ctx.tick()
            ctx.set(crc.start, 0)

    simulator = Simulator(crc)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
