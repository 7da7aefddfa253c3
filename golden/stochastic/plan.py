"""Random-number plan: which bits of which shift register decide which spike.

The plan is part of the numeric contract: every engine produces the same spikes for the same plan.

All generators are registers of one width and polynomial, placed at equal distances on the one
cycle of that polynomial, in the order score, output, q, k, v. The seed turns them all along the
cycle: the first one starts seed * floor((2**W - 1) * g) shifts after the state 1, g the golden
section, which keeps any two of the first n seeds more than 0.4/n of the cycle apart. A generator
hands out draws one after the other, `leap` shifts apart; a draw is the upper `draw_bits` of its
state. An *event* is the moment at which a bank of generators serves all of its consumers at once:
a generator with D consumers hands draws 0..D-1 to them in order (the hardware computes them in
parallel, by looking ahead) and then stands D draws further.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError, quoted
from golden.stochastic.lfsr import check_seed, check_width, period, run, shift_matrix, transform

ScoreSharing = Literal["unit", "row", "array", "column-broadcast", "row-broadcast"]
LaneSharing = Literal["lane", "serial", "broadcast"]
SCORE_SHARINGS: tuple[str, ...] = get_args(ScoreSharing)
LANE_SHARINGS: tuple[str, ...] = get_args(LaneSharing)


@dataclass(frozen=True, kw_only=True)
class RandomPlan:
    """Parameters of all generators of an engine.

    Attributes:
        width: W, bits of a register; one with a known maximal polynomial.
        draw_bits: w, upper bits of the state that make a draw, 1..W and at most 32.
        leap: shifts between two draws of a generator, 1..64. Below w, neighbouring draws share bits.
        seed: place of the first generator on the cycle, 1..2**W - 1.
        score: generators of the units.
            unit              one per unit
            row               one per row, each of its units takes a draw of its own
            array             one for all units, each takes a draw of its own
            column-broadcast  one per column; the units of a column use the same draw
            row-broadcast     one per row; the units of a row use the same draw
        output: generators of the output comparators: lane (one per row), serial (one for all rows,
            each takes a draw of its own), broadcast (all rows use the same draw).
        encoder: the same three for the Bernoulli encoders, per token.
        allow_repeats: accept a plan whose generators run into each other or themselves within one
            head; for studies of bad plans.

    Raises:
        InputError: a field is outside its range.
    """

    width: int = 32
    draw_bits: int = 16
    leap: int = 16
    seed: int = 1
    score: ScoreSharing = "column-broadcast"
    output: LaneSharing = "lane"
    encoder: LaneSharing = "lane"
    allow_repeats: bool = False

    def __post_init__(self) -> None:
        check_width("RandomPlan.width", self.width)
        check_range("RandomPlan.draw_bits", self.draw_bits, 1, 32)
        if self.draw_bits > self.width:
            raise InputError(
                f"RandomPlan.draw_bits must be at most width ({self.width}), not {self.draw_bits}"
            )
        check_range("RandomPlan.leap", self.leap, 1, 64)
        check_seed("RandomPlan.seed", self.seed, self.width)
        for name, allowed in (
            ("score", SCORE_SHARINGS), ("output", LANE_SHARINGS), ("encoder", LANE_SHARINGS),
        ):  # fmt: skip
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"RandomPlan.{name} must be one of {', '.join(allowed)}, "
                    f"not {quoted(getattr(self, name))}"
                )
        if not isinstance(self.allow_repeats, bool):
            raise InputError(
                f"RandomPlan.allow_repeats must be true or false, not {quoted(self.allow_repeats)}"
            )


# Ways of sharing generators whose cost is measured beside what they do
COMPARED = {
    "unit": RandomPlan(score="unit"),
    "row": RandomPlan(score="row"),
    "row, leap 1": RandomPlan(score="row", leap=1),
    "array, serial output": RandomPlan(score="array", output="serial"),
    "column-broadcast": RandomPlan(score="column-broadcast"),
    "column-broadcast, one output generator": RandomPlan(output="broadcast"),
    "row-broadcast": RandomPlan(score="row-broadcast"),
}


# (sqrt(5) - 1) / 2 in units of 2**-64; a fraction with a small denominator would bring seeds together
GOLDEN_SECTION = 0x9E3779B97F4A7C15


def seed_stride(width: int) -> int:
    """Shifts from the start of one seed to that of the next: the golden section of the cycle."""
    return period(width) * GOLDEN_SECTION >> 64


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Generators that serve one kind of consumer.

    Attributes:
        plan: width, draw bits and leap.
        starts: state of each generator at event 0.
        draws: D, draws that a generator hands out per event.
        drawn: shape of the draws of an event; generators * D of them, a generator's in sequence.
        lanes: shape of the consumers; `drawn` broadcasts to it.
    """

    plan: RandomPlan
    starts: tuple[int, ...]
    draws: int
    drawn: tuple[int, ...]
    lanes: tuple[int, ...]

    def __post_init__(self) -> None:
        assert prod(self.drawn) == len(self.starts) * self.draws, "every draw has a place"

    @property
    def event_shifts(self) -> int:
        """Shifts of each generator per event."""
        return self.plan.leap * self.draws

    def source(self, lane: int) -> tuple[int, int]:
        """(generator, number of the draw within the event) of a consumer, consumers in C order."""
        index = np.broadcast_to(np.arange(prod(self.drawn)).reshape(self.drawn), self.lanes)
        return divmod(int(index.flat[lane]), self.draws)

    def numbers(self, first: int, events: int) -> NDArray[np.uint64]:
        """Draws of events first..first+events-1, uint64 [events, *drawn], each below 2**draw_bits."""
        width, leap = self.plan.width, self.plan.leap
        jump = shift_matrix(width, first * self.event_shifts % period(width))
        starts = [transform(jump, start) for start in self.starts]
        draws = run(width, starts, leap, events * self.draws)
        ordered = draws.reshape(events, self.draws, len(starts)).transpose(0, 2, 1)
        return (ordered >> np.uint64(width - self.plan.draw_bits)).reshape(events, *self.drawn)


@dataclass(frozen=True, kw_only=True)
class Banks:
    """All banks of an engine of a given size; places their generators on the cycle.

    Attributes:
        plan: the plan.
        rows: R, rows of units; also output comparators and query encoders.
        tokens: N, units in a row; also key and value encoders.
    """

    plan: RandomPlan
    rows: int
    tokens: int

    @cached_property
    def sizes(self) -> dict[str, tuple[int, int, tuple[int, ...], tuple[int, ...]]]:
        """Name -> (generators, draws, drawn, lanes), in the order of their places on the cycle."""
        array = (self.rows, self.tokens)
        score: tuple[int, int, tuple[int, ...]] = {
            "unit": (self.rows * self.tokens, 1, array),
            "row": (self.rows, self.tokens, array),
            "array": (1, self.rows * self.tokens, array),
            "column-broadcast": (self.tokens, 1, (1, self.tokens)),
            "row-broadcast": (self.rows, 1, (self.rows, 1)),
        }[self.plan.score]
        sizes: dict[str, tuple[int, int, tuple[int, ...], tuple[int, ...]]] = {"score": (*score, array)}
        for name, lanes in (("output", self.rows), ("q", self.rows), ("k", self.tokens), ("v", self.tokens)):
            sharing = self.plan.output if name == "output" else self.plan.encoder
            one: tuple[int, int, tuple[int, ...]] = {
                "lane": (lanes, 1, (lanes,)), "serial": (1, lanes, (lanes,)), "broadcast": (1, 1, (1,)),
            }[sharing]  # fmt: skip
            sizes[name] = (*one, (lanes,))
        return sizes

    @property
    def spacing(self) -> int:
        """Shifts from one generator's start to the next one's."""
        return period(self.plan.width) // sum(size[0] for size in self.sizes.values())

    @cached_property
    def all(self) -> dict[str, Bank]:
        """The banks by name: score, output, q, k, v."""
        step = shift_matrix(self.plan.width, self.spacing)
        place = self.plan.seed * seed_stride(self.plan.width) % period(self.plan.width)
        state, banks = transform(shift_matrix(self.plan.width, place), 1), {}
        for name, (generators, draws, drawn, lanes) in self.sizes.items():
            starts = []
            for _ in range(generators):
                starts.append(state)
                state = transform(step, state)
            banks[name] = Bank(plan=self.plan, starts=tuple(starts), draws=draws, drawn=drawn, lanes=lanes)
        return banks

    def distinct_steps(self, events_per_step: dict[str, int]) -> int:
        """Time steps before a generator comes to where another one, or it itself, started.

        Until then draws are of disjoint bits where `leap` is at least `draw_bits`; below that each draw
        shares bits with the next one of its generator, and with no other.

        Args:
            events_per_step: events of each bank in one time step.
        """
        room = self.spacing - self.plan.width
        return min(
            room // (events * self.plan.leap * self.sizes[name][1])
            for name, events in events_per_step.items()
        )
