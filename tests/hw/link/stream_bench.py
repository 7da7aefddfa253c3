"""Runs a component in Amaranth's simulator: streams in, streams out, with pauses on both sides."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Const, Value
from amaranth.sim import Simulator

IDLE_CYCLES = 500


def run(
    component: Any,
    inputs: Mapping[str, Sequence[int]],
    outputs: Sequence[str],
    *,
    pauses: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> dict[str, list[int]]:
    """Feed payloads (as plain bits) and collect what comes out until nothing moves any more.

    Args:
        pauses: probability that an input waits, that an output is not ready, in a cycle.
    """
    found: dict[str, list[int]] = {name: [] for name in outputs}
    last_move, now = [0], [0]

    def busy() -> bool:
        return now[0] - last_move[0] < IDLE_CYCLES

    def feed(name: str, items: Sequence[int]) -> Any:
        rng = random.Random(f"{seed} {name}")

        async def bench(ctx: Any) -> None:
            port = getattr(component, name)
            for item in items:
                while rng.random() < pauses[0]:
                    await ctx.tick()
                ctx.set(port.valid, 1)
                ctx.set(Value.cast(port.payload), item)
                ready = 0
                while not ready and busy():
                    _, _, ready = await ctx.tick().sample(port.ready)
                ctx.set(port.valid, 0)
                if not ready:
                    return
                last_move[0] = now[0]

        return bench

    def drain(name: str) -> Any:
        rng = random.Random(f"{seed} {name}")

        async def bench(ctx: Any) -> None:
            port = getattr(component, name)
            while busy():
                if not isinstance(Value.cast(port.ready), Const):
                    ctx.set(port.ready, rng.random() >= pauses[1])
                _, _, valid, ready, payload = await ctx.tick().sample(
                    port.valid, port.ready, Value.cast(port.payload)
                )
                if valid and ready:
                    found[name].append(payload)
                    last_move[0] = now[0]

        return bench

    async def count(ctx: Any) -> None:
        while busy():
            await ctx.tick()
            now[0] += 1

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(count)
    for name, items in inputs.items():
        simulator.add_testbench(feed(name, items))
    for name in outputs:
        simulator.add_testbench(drain(name))
    simulator.run()
    return found
