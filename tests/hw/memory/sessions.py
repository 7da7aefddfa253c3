"""Sessions of a host with a `WeightsAtChip` in the compiled RTL: steps, known before the run, drive it."""

import zlib
from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum
from typing import Any

import numpy as np
from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from golden.memory import BURST, CAS, WORD_BITS, MemoryConfig, Region
from hw.memory import payloads
from sim.timing.memory import CyclicReads
from sim.verilator.simulator import Simulator
from tests.hw.memory.chip import CHIP, WeightsAtChip

# So small that sessions fill it: no bit of an address or a count is left out
SMALL = replace(CHIP, rows=8, columns=64)
CONFIG = MemoryConfig(chip=SMALL, clock=80e6)
# Of the model, in which a row has the real chip's columns
ADDRESS_BITS, COUNT_BITS = 14, 20
# A step's fields, and one of them
Step = tuple[int, int, int, int]
Words = NDArray[np.integer]


class Wait(IntEnum):
    """What a step counts."""

    CYCLES = 0
    STORED = 1
    STATUS = 2
    WEIGHTS = 3


class SteppedWeights(wiring.Component):
    """A `WeightsAtChip`; streams that a step does not wait for stand still.

    Members:
        i_step: levels of `restart` and `running` until `count` cycles or beats have passed, then until the
            next step; each begins the cycle after it was taken.
        i_store, o_weights, o_status: as `WeightsAtChip`.
        broken: a rule of the chip is.
    """

    def __init__(self) -> None:
        self._unit = WeightsAtChip(CONFIG, ADDRESS_BITS)
        step = data.StructLayout({"restart": 1, "running": 1, "wait": 2, "count": COUNT_BITS})
        super().__init__(
            {
                "i_step": In(stream.Signature(step)),
                "i_store": In(stream.Signature(WORD_BITS)),
                "o_weights": Out(stream.Signature(WORD_BITS)),
                "o_status": Out(stream.Signature(payloads.status(SMALL))),
                "broken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self._unit
        step = Signal(self.i_step.payload.shape())
        moved = [1]
        for kind, sender, receiver in (
            (Wait.STORED, self.i_store, unit.i_store),
            (Wait.STATUS, unit.o_status, self.o_status),
            (Wait.WEIGHTS, unit.o_weights, self.o_weights),
        ):
            on = (step.count != 0) & (step.wait == kind)
            m.d.comb += [
                receiver.payload.eq(sender.payload),
                receiver.valid.eq(sender.valid & on),
                sender.ready.eq(receiver.ready & on),
            ]
            moved.append(receiver.valid & receiver.ready)
        m.d.comb += [
            unit.restart.eq(step.restart),
            unit.running.eq(step.running),
            self.i_step.ready.eq(step.count == 0),
            self.broken.eq(unit.fault.any()),
        ]
        with m.If(self.i_step.ready & self.i_step.valid):
            m.d.sync += step.eq(self.i_step.payload)
        with m.Elif((step.count != 0) & Array(moved)[step.wait]):
            m.d.sync += step.count.eq(step.count - 1)
        return m


class Host:
    """Notes the steps of sessions, and what must come."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.stored: list[int] = []
        self.weights: list[int] = []
        self.status: list[tuple[int, int]] = []
        # Steps, words and first weights of reads whose cycles are predicted
        self.timed: list[tuple[int, int, int]] = []
        # Steps and statuses of sessions in which there are no words
        self.empty: list[tuple[int, int]] = []

    def idle(self, cycles: int) -> None:
        self.steps.append((0, 0, Wait.CYCLES, cycles))

    def begin(self, held: Words, after: int = 0) -> None:
        """A session in which the memory says what it holds, or which another ends after so many cycles."""
        self.steps.append((1, 0, Wait.CYCLES, 8))
        if after:
            self.idle(after)
        else:
            self.told(held, running=0)

    def told(self, words: Words, *, running: int) -> None:
        if not len(words):
            self.empty.append((len(self.steps), len(self.status)))
        self.steps.append((0, running, Wait.STATUS, 1))
        self.status.append((len(words), zlib.crc32(words.astype("<u2").tobytes())))

    def store(self, words: Words) -> None:
        self.steps.append((0, 0, Wait.STORED, len(words)))
        self.stored += words.tolist()

    def read(self, words: Words, rounds: int, *, timed: bool = False) -> None:
        if timed:  # the row that is open when refreshes come is closed after two of them
            self.idle(2 * CONFIG.refresh_period)
            self.timed.append((len(self.steps), len(words), len(self.weights)))
        self.run(words, rounds * len(words))

    def run(self, words: Words, count: int) -> None:
        """So many of the words that come over and over."""
        self.steps.append((0, 1, Wait.WEIGHTS, count))
        self.weights += np.resize(words, count).tolist()

    def stored_and_read(self, words: Words, rounds: int) -> None:
        self.store(words)
        self.told(words, running=1)
        self.read(words, rounds)
        self.idle(2)


def host(rng: np.random.Generator, count: int) -> Host:
    """A host that stores two contents of about `count` words, and parts of them."""
    made = Host()
    first, second = (rng.integers(0, 1 << WORD_BITS, n) for n in (count, max(1, count - 5)))
    part = second[: -(-len(second) // 2)]
    # before the chip is set up, and when it is
    made.begin(first[:0])
    made.begin(first[:0])
    made.idle((CONFIG.power_up_periods + 2) * CONFIG.refresh_period)
    made.stored_and_read(first, 3)
    made.begin(first)
    made.read(first, 2, timed=True)
    for after in rng.integers(1, 9 * count, 4):
        made.begin(first, int(after))
    made.begin(first)
    made.read(first, 2)
    # what brings the words goes back to the first, however short the stop; also behind the last one, when the
    # rest of its burst is left out
    for stop in range(BURST + CAS + 3):
        most = min(3 * count, 99)
        made.run(first, count if stop % 2 and count < most else int(rng.integers(1, most + 1)))
        made.idle(stop)
    # a content that is stored in part, by a session that ends; then wholly, and another in the same session
    made.begin(first)
    made.store(part)
    made.begin(part)
    made.stored_and_read(second, 3)
    made.stored_and_read(first, 2)
    made.begin(first)
    made.read(first, -(-2 * CONFIG.refresh_period // count), timed=True)
    # sessions that end while the last word is on its way, however far it is
    held = first
    for stop in range(BURST + 2):
        made.begin(held)
        held = rng.integers(0, 1 << WORD_BITS, int(rng.integers(1, 4)))
        made.store(held)
        made.idle(stop)
    made.begin(held)
    made.read(held, 2)
    return made


def fields(names: Iterable[str], rows: list[Any]) -> dict[str, NDArray[np.int64]]:
    return dict(zip(names, np.array(rows).T, strict=True))


# Cycles within which a memory without words says so, whether its chip is set up or not
EMPTY = 4


def check(simulator: Simulator, seed: int, count: int, pauses: float, reset_at: int | None = None) -> None:
    """Words, statuses and, without pauses, cycles of the sessions of a seed; power may be lost in between.

    Raises:
        AssertionError, SimulationError: something is not as it must be.
    """
    host_ = host(np.random.default_rng(seed), count)
    steps = fields(("restart", "running", "wait", "count"), host_.steps)
    result = simulator.run(
        {"i_step": steps, "i_store": np.array(host_.stored)},
        {"o_weights": len(host_.weights), "o_status": len(host_.status)},
        pauses={"o_weights": pauses, "o_status": pauses, "i_store": pauses},
        seed=seed,
        reset_at=reset_at,
    )
    assert result["o_weights"].tolist() == host_.weights
    status = result["o_status"]
    assert [*zip(status["words"].tolist(), status["sum"].tolist(), strict=True)] == host_.status
    assert not result.ports["broken"]
    if not pauses:
        for step, number in host_.empty:
            waited = result.outputs["o_status"].cycles[number] - result.accepted["i_step"][step]
            assert waited <= EMPTY
        for step, words, first in host_.timed:
            begun = int(result.accepted["i_step"][step]) + 1
            model = CyclicReads(CONFIG, Region(SMALL, 0, words), begun)
            taken = result.outputs["o_weights"].cycles[first : first + host_.steps[step][3]]
            np.testing.assert_array_equal(taken, model.times(len(taken), 0))
