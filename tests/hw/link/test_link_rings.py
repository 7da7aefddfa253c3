"""The rings against lists, driven by random operations."""

import random
from typing import Any

import pytest
from amaranth.sim import Simulator

from golden.errors import InputError
from hw.link.ring import CommitRing, ReplayRing, check_depth

DEPTH = 64
MODULUS = 1 << 16


def simulate(ring: Any, bench: Any) -> None:
    simulator = Simulator(ring)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("seed", range(4))
def test_commit_ring(seed: int) -> None:
    rng = random.Random(seed)
    ring = CommitRing(DEPTH)
    written: list[int] = []  # since the last commit
    committed: list[int] = []
    taken: list[int] = []

    async def bench(ctx: Any) -> None:
        write = 0
        for _ in range(6000):
            ready = int(rng.random() < 0.4)
            ctx.set(ring.o.ready, ready)
            quiet = bool(write)  # nothing happens behind a write
            byte, write = rng.randrange(256), int(not quiet and rng.random() < 0.6 and not ctx.get(ring.full))
            commit = int(not quiet and not write and rng.random() < 0.2)
            revert = int(not quiet and not write and not commit and rng.random() < 0.1)
            for signal, value in ((ring.data, byte), (ring.write, write), (ring.commit, commit)):
                ctx.set(signal, value)
            ctx.set(ring.revert, revert)
            assert ctx.get(ring.committed) == len(committed)
            # One byte at most is on its way out of the memory
            assert ctx.get(ring.limit) - DEPTH - len(taken) in (0, 1)
            if ctx.get(ring.o.valid) and ready:
                taken.append(ctx.get(ring.o.payload))
            if write:
                written.append(byte)
            if commit:
                committed.extend(written)
            if commit or revert:
                written.clear()
            await ctx.tick()

    simulate(ring, bench)
    assert len(taken) > 500
    assert taken == committed[: len(taken)]
    assert len(committed) - len(taken) <= DEPTH + 1  # one is offered


@pytest.mark.parametrize("seed", range(4))
def test_replay_ring(seed: int) -> None:
    rng = random.Random(seed)
    ring = ReplayRing(DEPTH)
    produced: list[int] = []
    acked = sent = 0
    target, wait = 0, 0  # cycles to the acknowledgement, of which the last is its own

    async def bench(ctx: Any) -> None:
        nonlocal acked, sent, target, wait
        refused = replays = rewind = known = 0
        room = False  # a byte is taken, since there was room a cycle ago and none came
        steady = 0  # cycles since `sent` changed or its byte came in
        for _ in range(4000):
            byte, valid = rng.randrange(256), int(rng.random() < 0.5)
            due = wait == 0 and rng.random() < 0.1
            wait = 3 if due else max(wait - 1, 0)
            asked = wait == 1
            ctx.set(ring.i.valid, valid)
            ctx.set(ring.i.payload, byte)
            step = int(not wait and sent < len(produced) and steady >= 2 and rng.random() < 0.5)
            if step:
                assert ctx.get(ring.data) == produced[sent]
            ctx.set(ring.step, step)
            ctx.set(ring.ack, int(asked))
            before, kept = (sent, len(produced) > sent), acked
            if asked:
                if acked <= target <= (known if rewind else sent):
                    replays += rewind and target < sent
                    acked = target
                    sent = target if rewind else sent
                else:
                    refused += 1
            if due:
                target = rng.choice((acked, rng.randint(acked, max(acked, len(produced) - 1)), acked - 1))
                target = rng.choice((target, target, target, len(produced) + 100))
                rewind, known = int(rng.random() < 0.5), len(produced)
                ctx.set(ring.ack_position, target % MODULUS)
                ctx.set(ring.rewind, rewind)
            assert ctx.get(ring.i.ready) == room
            taken = valid and room
            room = len(produced) - kept < DEPTH and not taken
            if taken:
                produced.append(byte)
            sent += step
            await ctx.tick()
            assert ctx.get(ring.sent) == sent
            assert ctx.get(ring.produced) == len(produced)
            steady = steady + 1 if before == (sent, len(produced) > sent) else 0
        assert refused > 20
        assert replays > 20
        assert len(produced) > 500

    simulate(ring, bench)


@pytest.mark.parametrize("depth", [32, 100, 65536])
def test_depth_is_checked(depth: int) -> None:
    with pytest.raises(InputError, match=f"power of two in 64..32768, not {depth}"):
        check_depth("Link.receive_depth", depth)
