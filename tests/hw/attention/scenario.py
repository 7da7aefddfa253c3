"""One traffic, run at every pace and across resets; runs inside the simulator.

@scenario("unit")
async def what_it_shows(bench, rng):
    bench.send("i", fields)
    bench.expect("o", golden(fields))
"""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Timer

from golden.attention.config import CoreConfig, from_table
from golden.code import PhaseCode, Spikes
from sim.verilator.payload import Fields
from tests.hw.cocotb.streams import PERIOD, Bench

PACES = cocotb.parametrize(
    (
        ("idle", "backpressure", "resets"),
        [(0.0, 0.0, 0), (0.4, 0.0, 0), (0.0, 0.95, 0), (0.4, 0.4, 0), (0.2, 0.2, 10)],
    )
)


class UnitBench(Bench):
    """Streams and ports of one unit of a `Group`, without its name in front."""

    def __init__(self, dut: Any, unit: str, **paces: float) -> None:
        super().__init__(dut, **paces)
        self._unit = f"{unit}__"
        self.inputs = {name: s for name, s in self.inputs.items() if name.startswith(self._unit)}
        self.outputs = {name: s for name, s in self.outputs.items() if name.startswith(self._unit)}

    @cached_property
    def config(self) -> CoreConfig:
        """Of a unit of the attention core."""
        return from_table(dict(self.manifest.parameters), "manifest")

    def send(self, stream: str, fields: Fields) -> None:
        super().send(self._unit + stream, fields)

    def expect(self, stream: str, fields: Fields) -> None:
        super().expect(self._unit + stream, fields)

    def set(self, port: str, value: int) -> None:
        """Value of a plain input from now on."""
        getattr(self.dut, self._unit + port).value = value

    def get(self, port: str) -> int:
        """Value of a plain output at the last edge."""
        return int(getattr(self.dut, self._unit + port).value)

    async def until(self, port: str) -> None:
        """Let edges pass until a plain output was not 0 at one."""
        await self.run(1)
        while not self.get(port):
            await self.run(1)

    async def pulse(self, port: str) -> None:
        self.set(port, 1)
        await self.run(1)
        self.set(port, 0)

    async def received(self, stream: str) -> None:
        """Let edges pass until all that is expected has come."""
        while self.outputs[self._unit + stream].expected:
            await self.run(1)

    async def reset(self) -> None:
        for port in self.manifest.ports:
            if port.direction == "in":
                getattr(self.dut, port.name).value = 0
        await super().reset()


Traffic = Callable[[UnitBench, np.random.Generator], Awaitable[None]]


def scenario(unit: str, *, cut: int = 60) -> Callable[[Traffic], Any]:
    """Make a cocotb test of a traffic, which queues beats and drives plain ports.

    With resets, the traffic is cut off a few times, within `cut` cycles, before it runs to its end.
    """

    def decorate(traffic: Traffic) -> Any:
        async def test(dut: Any, idle: float, backpressure: float, resets: int) -> None:
            rng = np.random.default_rng(cocotb.RANDOM_SEED)
            async with UnitBench(dut, unit, idle=idle, backpressure=backpressure) as bench:

                async def whole() -> None:
                    await traffic(bench, rng)
                    await bench.finish()

                for _ in range(resets):
                    task = cocotb.start_soon(whole())
                    await Timer(PERIOD * int(rng.integers(8, cut)), "ns")
                    assert not task.done(), "the traffic ended before the reset"
                    task.cancel()
                    await bench.reset()
                await whole()

        test.__name__ = test.__qualname__ = f"{unit}_{traffic.__name__}"
        test.__module__ = traffic.__module__
        return PACES(cocotb.test()(test))

    return decorate


def random_spikes(rng: np.random.Generator, code: PhaseCode, *shape: int) -> Spikes:
    """A fifth silent, any phase."""
    sign = rng.choice([-1, -1, 0, 1, 1], shape).astype(np.int8)
    phase = np.where(sign, rng.integers(0, code.steps, shape), code.steps)
    return Spikes(sign, phase.astype(np.int8))


def spread(rng: np.random.Generator, limit: int, size: Any) -> np.ndarray:
    """Integers in 1..limit of every order of magnitude, the limits among them."""
    values = np.exp2(rng.uniform(0, np.log2(limit), size)).astype(np.int64)
    values = np.where(rng.random(size) < 0.05, limit, values)
    return np.where(rng.random(size) < 0.05, 1, values)
