"""Designs that are no cores: units that a core hides too well, loaders, the memory, and the link."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from golden.network.limits import MAX_OFFSET
from golden.network.octave import fire, octave_code, resolution
from hw.network.falling_threshold import FallingThreshold
from hw.network.octave_encoder import OctaveEncoder
from sim.verilator.simulator import Simulator
from tests.hw.attention.wrappers import Vectors
from tests.hw.link import line, test_link_line
from tests.hw.memory import chip, sessions, test_sessions
from tests.hw.network import test_components
from tests.hw.parts import test_load_reader
from tests.mutation.subject import Subject


def alone(unit: Callable[[], Any]) -> Callable[[], Vectors]:
    """A unit without streams, one beat per cycle."""

    def made() -> Vectors:
        one = unit()
        return Vectors(one, one.latency)

    return made


def octave_encoder() -> Subject:
    """The encoder alone, of every value of 12 bits."""
    code, bits = test_components.CODES[0], 12
    unit = partial(OctaveEncoder, test_components.config(code), bits)
    values = np.arange(-(1 << bits - 1), 1 << bits - 1)
    places = octave_code(values, resolution(code.log2_base))

    def trial(simulator: Simulator) -> None:
        found = simulator.run({"i": {"value": values}}, {"o": len(values)})["o"]
        np.testing.assert_array_equal(found["place"], places)
        np.testing.assert_array_equal(found["negative"], values < 0)
        octave, residue = np.divmod(places[values != 0], resolution(code.log2_base))
        np.testing.assert_array_equal(found["some"], values != 0)
        np.testing.assert_array_equal(found["octave"][values != 0], octave)
        np.testing.assert_array_equal(found["residue"][values != 0], residue)

    return Subject(
        "network/octave_encoder", f"{code} {bits}", alone(unit), "octave_encoder", {"every value": trial}
    )


def falling_threshold() -> Subject:
    """The threshold alone: lists of any steepness, values that lie close to a level, and far from all."""
    code, count = test_components.CODES[1], 4000
    unit = partial(FallingThreshold, test_components.config(code))

    def trial(spread: int, simulator: Simulator) -> None:
        rng = np.random.default_rng(spread)
        levels = -np.append(0, np.sort(rng.choice(np.arange(1, spread), code.steps - 1, replace=False)))
        values = rng.integers(-(1 << 16), 1 << 16, count) >> rng.integers(0, 17, count)
        place = octave_code(values, resolution(code.log2_base))
        shift = rng.integers(0, 1 << 8, count) * rng.integers(0, 2, count)
        close = place - rng.choice(levels, count) + rng.integers(-2, 3, count)
        far = shift + rng.integers(-MAX_OFFSET, MAX_OFFSET + 1, count)
        total = np.where(values == 0, shift, np.where(rng.random(count) < 0.5, close, far))
        offset = np.clip(total - shift, -MAX_OFFSET, MAX_OFFSET)
        both = rng.integers(0, 2, count)
        one, two = (fire(values, levels, offset + shift, code, signed=kind) for kind in (False, True))
        sign, phase = np.where(both, two.sign, one.sign), np.where(both, two.phase, one.phase)
        inputs = {"place": place, "negative": values < 0, "offset": offset, "shift": shift, "both": both}
        # the last beat is not looked at: its levels would have to stay a cycle longer
        beats = {name: np.append(part, 0) for name, part in inputs.items()}
        held = {"levels": np.tile(levels, (count + 1, 1))}
        spikes = simulator.run({"i": beats | held}, {"o": count + 1})["o"]["spike"]
        spikes = {name: part[:-1] for name, part in spikes.items()}
        np.testing.assert_array_equal(spikes["active"], sign != 0)
        np.testing.assert_array_equal(spikes["negative"][sign != 0], sign[sign != 0] < 0)
        np.testing.assert_array_equal(spikes["phase"][sign != 0], phase[sign != 0])

    trials = {f"levels over {spread} places": partial(trial, spread) for spread in (20, 200, MAX_OFFSET)}
    return Subject("network/falling_threshold", str(code), alone(unit), "falling_threshold", trials)


def load_reader() -> Subject:
    """What loads a core behind the link, alone."""
    trials = {
        f"blocks of seed {seed}, pauses {pauses}": partial(test_load_reader.check, seed=seed, pauses=pauses)
        for seed, pauses in enumerate(test_load_reader.PAUSES)
    }
    design = inspect.getsource(test_load_reader)
    return Subject("parts/load_reader", design, test_load_reader.load_reader, "load_reader", trials)


def memory() -> Subject:
    """A memory of weights at the model of its chip."""
    trials = {
        f"sessions of {count} words, pauses {pauses}": partial(
            sessions.check, seed=count, count=count, pauses=pauses
        )
        for count in (45, 8, 1, sessions.SMALL.words)
        for pauses in (0.0, 0.5)
    }
    trials |= {
        f"power is lost in cycle {cycle}": partial(
            sessions.check, seed=8, count=8, pauses=0.0, reset_at=cycle
        )
        for cycle in test_sessions.RESETS
    }
    made = sessions.SteppedWeights
    design = inspect.getsource(sessions) + inspect.getsource(chip)
    return Subject("memory", design, made, "stepped_weights", trials, finish=chip.with_model)


def link() -> Subject:
    """A component behind the link, from line to line."""

    def trial(session: Callable[[], line.Host], simulator: Simulator) -> None:
        line.run(session(), simulator)

    # Short ones first; the sessions of seeds 0, 4, ... begin with the board as reset left it
    sessions = [(1, 2), (0, 2), *((seed, test_link_line.STEPS) for seed in range(2, 16))]
    trials = {
        f"random session {seed}, {steps} bodies": partial(
            trial, partial(test_link_line.random_session, seed, steps)
        )
        for seed, steps in sessions
    }
    trials["long session"] = partial(trial, test_link_line.long_session)
    return Subject("link", inspect.getsource(line), line.Line, "line", trials)
